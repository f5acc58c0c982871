//! Which file imports which, and the circles among them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::files::Sources;
use crate::modules::{self, Module};
use crate::resolve::resolve;

/// The imports of each file: for each file that it imports, one of the paths that name something in that file.
#[derive(Default)]
pub(crate) struct Imports(BTreeMap<String, BTreeMap<String, String>>);

impl Imports {
    /// The imports between the files of the crate whose root module is `root`.
    ///
    /// A re-export of something that is defined below the module is no import.
    pub(crate) fn of_crate(root: &str, sources: &Sources) -> Self {
        let modules = modules::of_crate(root, sources);
        let mut imports = Imports::default();
        for (number, module) in modules.iter().enumerate() {
            for reference in &module.references {
                let Some(target) = resolve(&modules, number, &reference.path) else { continue };
                let reexport = reference.reexport && is_below(&modules, number, target);
                if modules[target].file != module.file && !reexport {
                    let from = imports.0.entry(module.file.clone()).or_default();
                    from.entry(modules[target].file.clone()).or_insert_with(|| reference.path.join("::"));
                }
            }
        }
        imports
    }

    /// The files that import another one.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// For each import that is part of a circle, the shortest such circle as a text, file by file. Each circle is here
    /// once.
    pub(crate) fn circles(&self) -> Vec<String> {
        let imports = self.0.iter().flat_map(|(from, to)| to.keys().map(move |to| (from, to)));
        let circles: BTreeSet<_> = imports.filter_map(|(from, to)| self.circle(from, to)).collect();
        circles.iter().map(|circle| self.told(circle)).collect()
    }

    /// The files of the shortest circle that begins with the import of `second` by `first`, its smallest name first.
    fn circle<'a>(&'a self, first: &'a str, second: &'a str) -> Option<Vec<&'a str>> {
        let mut before = BTreeMap::from([(second, first)]);
        let mut reached = VecDeque::from([second]);
        while let Some(file) = reached.pop_front() {
            for next in self.0.get(file).into_iter().flat_map(BTreeMap::keys).map(String::as_str) {
                if next == first {
                    let importer = |file: &&'a str| (*file != first).then(|| before[file]);
                    let mut circle: Vec<_> = std::iter::successors(Some(file), importer).collect();
                    circle.reverse();
                    let smallest = circle.iter().enumerate().min_by_key(|(_, file)| **file)?.0;
                    circle.rotate_left(smallest);
                    return Some(circle);
                }
                if !before.contains_key(next) {
                    before.insert(next, file);
                    reached.push_back(next);
                }
            }
        }
        None
    }

    fn told(&self, circle: &[&str]) -> String {
        let pairs = circle.iter().zip(circle.iter().cycle().skip(1));
        let lines = pairs.map(|(from, to)| format!("  {from} uses {} of {to}\n", self.0[*from][*to]));
        format!("{}:\n{}", circle.join(" -> "), lines.collect::<String>())
    }
}

fn is_below(modules: &[Module], above: usize, mut module: usize) -> bool {
    while module != 0 && module != above {
        module = modules[module].parent;
    }
    module == above
}
