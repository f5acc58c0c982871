//! Finds the module that defines what a path names, through `use` declarations and re-exports.

use crate::modules::Module;

/// The module of this crate that defines what `path` names in the module `from`. `None` if the path names another
/// crate, something local, or a module as such. `module::*` names what the module defines.
pub(crate) fn resolve(modules: &[Module], from: usize, path: &[String]) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => descend(modules, 0, rest),
        "self" => descend(modules, from, rest),
        "super" => descend(modules, modules[from].parent, rest),
        name => {
            let module = &modules[from];
            if let Some(child) = module.children.get(name) {
                return descend(modules, *child, rest);
            }
            if module.items.contains(name) {
                return Some(from);
            }
            imported(modules, from, name, rest)
        }
    }
}

/// Follows `path` from within the module `at`.
fn descend(modules: &[Module], at: usize, path: &[String]) -> Option<usize> {
    let (name, rest) = path.split_first()?;
    let module = &modules[at];
    match name.as_str() {
        "super" => return descend(modules, module.parent, rest),
        "*" => return Some(at),
        _ => {}
    }
    let defines = module.items.contains(name);
    match module.children.get(name) {
        Some(child) if !rest.is_empty() => descend(modules, *child, rest),
        _ if defines => Some(at),
        _ if module.imports.contains_key(name) => imported(modules, at, name, rest),
        Some(_) => None,
        // A name that was not found is imported by `*`, or a macro defines it.
        _ => module.globs.iter().find_map(|glob| resolve(modules, at, &[glob, path].concat())).or(Some(at)),
    }
}

/// Follows `rest` from what the module `at` has imported as `name`.
fn imported(modules: &[Module], at: usize, name: &str, rest: &[String]) -> Option<usize> {
    let path = modules[at].imports.get(name)?;
    // `use name;` or `use name::…`: `name` is no module of this crate, so it is another crate.
    let is_module = modules[at].children.contains_key(name);
    let is_foreign = !is_module && path.first().is_some_and(|first| first == name);
    if is_foreign { None } else { resolve(modules, at, &[path, rest].concat()) }
}
