//! Each file under config/ is valid as it is, and so are the examples in the README and in docs/.

use std::fs;

use crate::harness::{Case, MINIMAL, repository, validate};

#[test]
fn each_example_is_valid_and_uses_all_that_it_configures() {
    let folder = repository().join("config");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("config/").map(|entry| entry.expect("entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        Case::bare(&["validate", "--config", file.to_str().expect("UTF-8")]).run().succeeded();
    }
}

#[test]
// Blocks that begin with "```yaml values" are values of the Helm chart, which the tests of the chart check.
fn what_the_documentation_shows_is_valid() {
    let docs = fs::read_dir(repository().join("docs")).expect("docs/");
    let mut pages: Vec<_> = docs.map(|entry| entry.expect("entry").path()).collect();
    pages.push(repository().join("README.md"));
    let mut shown = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        let text = fs::read_to_string(page).expect("a page");
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            validate(block).succeeded();
            shown += 1;
        }
    }
    assert!(shown > 10, "{shown}");
}

#[test]
fn the_problem_that_the_readme_shows_is_what_validate_prints() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("README.md");
    let shown = readme.lines().find(|line| line.starts_with("config.yaml:")).expect("a problem");
    validate(&MINIMAL.replace("  debug:", "  debug:\n    verbositi: basic")).refused(&[shown]);
}
