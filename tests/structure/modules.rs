//! The module tree of one crate: which file defines what, and which paths each module names. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, ItemUse, Visibility};

use crate::files::Sources;
use crate::references::{Import, Path, imports, scan};

/// A module, with the numbers of its parent and its children in the tree.
#[derive(Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: usize,
    pub(crate) children: BTreeMap<String, usize>,
    /// Names that it defines.
    pub(crate) items: BTreeSet<String>,
    /// Paths that it imports, by their name in this module.
    pub(crate) imports: BTreeMap<String, Path>,
    /// Modules from which it imports all names.
    pub(crate) globs: Vec<Path>,
    pub(crate) references: Vec<Reference>,
}

/// A path that a module names.
pub(crate) struct Reference {
    pub(crate) path: Path,
    /// Whether it is a `pub use`, or one with a narrower visibility.
    pub(crate) reexport: bool,
}

/// The modules of a crate; the first one is its root.
pub(crate) fn of_crate(root: &str, sources: &Sources) -> Vec<Module> {
    let mut tree = Tree { sources, modules: Vec::new() };
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    tree.add_file(root, folder, 0);
    tree.modules
}

struct Tree<'s> {
    sources: &'s Sources,
    modules: Vec<Module>,
}

impl Tree<'_> {
    /// Adds the module of a file whose children are in `folder`.
    fn add_file(&mut self, file: &str, folder: &str, parent: usize) -> usize {
        let text = self.sources.text(file).unwrap_or_else(|| panic!("{file} is missing"));
        let items = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}")).items;
        self.add(file, folder, parent, items)
    }

    fn add(&mut self, file: &str, folder: &str, parent: usize, items: Vec<Item>) -> usize {
        let number = self.modules.len();
        self.modules.push(Module { file: file.to_owned(), parent, ..Module::default() });
        for item in items {
            if !attributes(&item).iter().any(is_for_tests) {
                self.add_item(number, folder, item);
            }
        }
        number
    }

    fn add_item(&mut self, number: usize, folder: &str, item: Item) {
        match item {
            Item::Mod(module) => {
                let name = module.ident.to_string();
                let folder = format!("{folder}/{name}");
                let child = match module.content {
                    Some((_, items)) => {
                        let file = self.modules[number].file.clone();
                        self.add(&file, &folder, number, items)
                    }
                    None => {
                        let candidates = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
                        let file = candidates.iter().find(|file| self.sources.text(file).is_some());
                        self.add_file(file.unwrap_or_else(|| panic!("no file of {folder}")), &folder, number)
                    }
                };
                self.modules[number].children.insert(name, child);
            }
            Item::Use(declaration) => self.modules[number].import(&declaration),
            item => {
                let (mut paths, mut declarations) = (Vec::new(), Vec::new());
                scan(item.to_token_stream(), &mut paths, &mut declarations);
                let module = &mut self.modules[number];
                module.items.extend(name(&item));
                module.references.extend(paths.into_iter().map(|path| Reference { path, reexport: false }));
                declarations.iter().for_each(|declaration| module.import(declaration));
            }
        }
    }
}

impl Module {
    fn import(&mut self, declaration: &ItemUse) {
        let reexport = !matches!(declaration.vis, Visibility::Inherited);
        for Import { path, name } in imports(declaration) {
            self.references.push(Reference { path: path.clone(), reexport });
            match name {
                Some(name) => _ = self.imports.insert(name, path),
                None => self.globs.push(path[..path.len() - 1].to_vec()),
            }
        }
    }
}

/// Whether it is `#[cfg(test)]`, or a condition that includes `test`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let is_test = |tokens: &TokenStream| {
        tokens.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "test"))
    };
    attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(|list| is_test(&list.tokens))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
