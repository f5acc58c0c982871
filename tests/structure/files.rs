//! The Rust files of the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Folders with Rust files. Build results are in other folders.
const FOLDERS: [&str; 5] = ["src", "crates", "tests", "benches", "fuzz/fuzz_targets"];

/// Texts by path, relative to the repository.
#[derive(Default)]
pub(crate) struct Sources(BTreeMap<String, String>);

impl Sources {
    /// Reads all Rust files of the repository.
    pub(crate) fn of_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Sources::default();
        FOLDERS.iter().for_each(|folder| sources.read_folder(root, &root.join(folder)));
        let build = fs::read_to_string(root.join("build.rs")).expect("build.rs");
        sources.0.insert("build.rs".to_owned(), build);
        sources
    }

    /// Made-up files, for tests of the check itself.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Sources(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect())
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.read_folder(root, &path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("a path below the root").display().to_string();
                self.0.insert(name, fs::read_to_string(&path).expect("a text"));
            }
        }
    }

    /// Files and their texts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// The text of one file; `None` if there is no such file.
    pub(crate) fn text(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }

    /// The root modules of the binary and of the libraries.
    pub(crate) fn crate_roots(&self) -> Vec<String> {
        let is_root = |file: &&str| {
            *file == "src/main.rs" || file.starts_with("crates/") && file.ends_with("/src/lib.rs")
        };
        self.iter().map(|(file, _)| file).filter(is_root).map(str::to_owned).collect()
    }
}
