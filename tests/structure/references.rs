//! The paths that a piece of Rust code names: in `use` declarations, in code, in macro calls and in attributes.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::{ItemUse, UseTree};

/// A path as written, segment by segment.
pub(crate) type Path = Vec<String>;

/// What a `use` declaration brings in.
pub(crate) struct Import {
    /// It ends in `*` if all names of a module are imported.
    pub(crate) path: Path,
    /// The name in the importing module; `None` for `*`.
    pub(crate) name: Option<String>,
}

/// The imports of a `use` declaration. One that begins with `::` names another crate and has none.
pub(crate) fn imports(declaration: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    if declaration.leading_colon.is_none() {
        flatten(&declaration.tree, &mut Vec::new(), &mut found);
    }
    found
}

fn flatten(tree: &UseTree, prefix: &mut Path, found: &mut Vec<Import>) {
    let mut import = |last: Option<String>, name: Option<String>| {
        // `use a::{self}` imports `a` itself.
        let last = last.filter(|last| last != "self" || prefix.is_empty());
        let name =
            name.map(|name| if name == "self" { prefix.last().cloned().unwrap_or(name) } else { name });
        found.push(Import { path: prefix.iter().cloned().chain(last).collect(), name });
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, found);
            prefix.pop();
        }
        UseTree::Name(name) => import(Some(name.ident.to_string()), Some(name.ident.to_string())),
        UseTree::Rename(name) => import(Some(name.ident.to_string()), Some(name.rename.to_string())),
        UseTree::Glob(_) => import(Some("*".to_owned()), None),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, found)),
    }
}

/// Finds the paths of two segments and more in `tokens`, and the `use` declarations inside of function bodies.
///
/// It reads tokens, since the parser gives the arguments of macros and attributes only as tokens. It skips single
/// names: such a name was imported by a `use` declaration, or is defined in the same module.
pub(crate) fn scan(tokens: TokenStream, paths: &mut Vec<Path>, declarations: &mut Vec<ItemUse>) {
    let mut path = Path::new();
    let mut colons = 0; // colons since the last segment
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            // `use<'a>` names what a type captures.
            TokenTree::Ident(word)
                if word == "use"
                    && !matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '<') =>
            {
                let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ';');
                let mut statement = TokenStream::from(TokenTree::Ident(word));
                for token in tokens.by_ref() {
                    let end = is_end(&token);
                    statement.extend([token]);
                    if end {
                        break;
                    }
                }
                declarations.extend(syn::parse2::<ItemUse>(statement));
            }
            TokenTree::Ident(segment) => {
                // `::name` without a segment before it names another crate, and `<T>::name` an associated item.
                match (path.is_empty(), colons) {
                    (false, 2) | (true, 0) => {}
                    (true, _) => {
                        colons = 0;
                        continue;
                    }
                    (false, _) => end(&mut path, paths),
                }
                path.push(segment.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct)
                if punct.as_char() == ':' && (colons == 1 || punct.spacing() == Spacing::Joint) =>
            {
                colons += 1;
            }
            other => {
                end(&mut path, paths);
                colons = 0;
                if let TokenTree::Group(group) = other {
                    scan(group.stream(), paths, declarations);
                }
            }
        }
    }
    end(&mut path, paths);
}

fn end(path: &mut Path, paths: &mut Vec<Path>) {
    let path = std::mem::take(path);
    if path.len() > 1 {
        paths.push(path);
    }
}
