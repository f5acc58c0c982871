//! The keys of the configuration, as the sources declare them: the fields of structs with their doc comments, and the
//! variants of enums.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{
    Attribute, Expr, Fields, GenericArgument, Item, ItemEnum, ItemStruct, Lit, Meta, PathArguments, Type,
};

use super::e2e::harness::repository;

/// A key.
#[derive(Clone, Debug)]
pub struct Key {
    /// Below the component: `perf.pages_per_cpu`. Below a list there is `[]`, below a map `ID`.
    pub path: String,
    /// What its value is.
    pub kind: String,
    /// Its doc comment, and those of its values.
    pub text: String,
}

/// Types whose text in YAML is not that of their declaration.
const WRITTEN: [(&str, &str); 13] = [
    ("bool", "`true`, `false`"),
    ("String", "text"),
    ("Secret", "text"),
    ("PathBuf", "path"),
    ("Interval", "duration"),
    ("Size", "size"),
    ("Key", "attribute"),
    ("Condition", "condition"),
    ("IpNet", "network"),
    ("Value", "text"),
    ("UserAttributes", "map of text"),
    ("LogPushConfig", ""), // an alias of the struct that is looked up in its place
    ("f64", "number"),
];

/// A key that is refused, with a message that says why.
const REFUSED: &str = "Refused";

/// All structs and enums, by the file that declares them.
pub struct Declared(BTreeMap<String, Vec<Item>>);

impl Declared {
    /// Reads the sources.
    pub fn read() -> Declared {
        let mut declared = Declared(BTreeMap::new());
        declared.read_folder(&repository().join("src"));
        for folder in fs::read_dir(repository().join("crates")).expect("crates") {
            declared.read_folder(&folder.expect("an entry").path().join("src"));
        }
        declared
    }

    fn read_folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.read_folder(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                let name = path.strip_prefix(repository()).expect("a path below").display().to_string();
                self.0.insert(name, syn::parse_file(&text).expect("Rust").items);
            }
        }
    }

    /// The keys of a struct.
    pub fn keys(&self, file: &str, name: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        match self.find(file, name) {
            Some((file, Item::Struct(declared))) => self.fields(file, declared, "", &mut keys),
            _ => panic!("{file} has no struct {name}"),
        }
        keys
    }

    /// The doc comment of a variant of an enum, by the variant's name in YAML.
    pub fn variant(&self, file: &str, name: &str, variant: &str) -> String {
        let Some((_, Item::Enum(declared))) = self.find(file, name) else {
            panic!("{file} has no enum {name}")
        };
        let rule = serde_value(&declared.attrs, "rename_all").unwrap_or_default();
        let found = declared.variants.iter().find(|each| renamed(&each.ident.to_string(), &rule) == variant);
        docs(&found.unwrap_or_else(|| panic!("{name} has no variant {variant}")).attrs)
    }

    /// A declaration: in the same file, or else the only one of its name.
    fn find<'d>(&'d self, file: &'d str, name: &str) -> Option<(&'d str, &'d Item)> {
        let is_it = |item: &&Item| match item {
            Item::Struct(declared) => declared.ident == name,
            Item::Enum(declared) => declared.ident == name,
            _ => false,
        };
        let here = self.0.get(file).and_then(|items| items.iter().find(is_it)).map(|item| (file, item));
        here.or_else(|| {
            let configured = |item: &&Item| is_it(item) && is_deserialized(item);
            let elsewhere =
                self.0.iter().flat_map(|(file, items)| items.iter().map(move |item| (file, item)));
            let mut found: Vec<_> = elsewhere.filter(|(_, item)| configured(item)).collect();
            let (file, item) = found.pop()?;
            assert!(found.is_empty(), "several files declare {name}: {file} and {}", found[0].0);
            Some((file.as_str(), item))
        })
    }

    fn fields(&self, file: &str, declared: &ItemStruct, prefix: &str, keys: &mut Vec<Key>) {
        let Fields::Named(fields) = &declared.fields else { panic!("{} has no names", declared.ident) };
        for field in &fields.named {
            if has_serde_word(&field.attrs, "skip") {
                continue;
            }
            let ident = field.ident.as_ref().expect("a name").to_string();
            let path = format!("{prefix}{}", serde_value(&field.attrs, "rename").unwrap_or(ident));
            self.add(file, path, docs(&field.attrs), &field.ty, keys);
        }
    }

    /// Adds a key of a type, and those below it.
    fn add(&self, file: &str, path: String, mut text: String, of: &Type, keys: &mut Vec<Key>) {
        let shape = Shape::of(of);
        if shape.name == REFUSED {
            return;
        }
        let name = if shape.name == "LogPushConfig" { "PushConfig" } else { shape.name.as_str() };
        let written =
            WRITTEN.iter().find(|(known, _)| *known == name).map(|(_, written)| (*written).to_owned());
        let is_number = || name.starts_with(['u', 'i']) && name[1..].parse::<u8>().is_ok() || name == "usize";
        if let Some(written) = written.or_else(|| is_number().then(|| "number".to_owned())) {
            keys.push(Key { path, kind: shape.of_many(&written), text });
            return;
        }
        match self.find(file, name).unwrap_or_else(|| panic!("{file}: {path}: no declaration of {name}")) {
            (_, Item::Enum(declared)) => {
                let (names, values) = values(declared);
                let about = if text.is_empty() { docs(&declared.attrs) } else { text };
                // Where the key's own comment says what the values are, those of the values are left out.
                let is_said = names.iter().any(|name| about.contains(&format!("{name}:")));
                let values = if is_said || about.starts_with("As in ") { String::new() } else { values };
                let kind = shape.of_many(&names.join(", "));
                keys.push(Key { path, kind, text: format!("{about}{values}") });
            }
            (inner, Item::Struct(declared)) => {
                if text.is_empty() {
                    text = docs(&declared.attrs);
                }
                let below = format!("{path}{}.", shape.below);
                keys.push(Key { path, kind: shape.of_many("section"), text });
                self.fields(inner, declared, &below, keys);
            }
            _ => unreachable!("only these are found"),
        }
    }
}

/// A type without what is around it.
struct Shape {
    name: String,
    /// `list of `, `map of ` or nothing.
    many: &'static str,
    /// What stands in a path in the place of an index or a name.
    below: &'static str,
}

impl Shape {
    fn of(of: &Type) -> Shape {
        let Type::Path(path) = of else { panic!("a type that is no path") };
        let last = path.path.segments.last().expect("a segment");
        let inner = || {
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { panic!("no arguments") };
            match arguments.args.last() {
                Some(GenericArgument::Type(inner)) => Shape::of(inner),
                _ => panic!("no type"),
            }
        };
        match last.ident.to_string().as_str() {
            "Option" | "Box" => inner(),
            "Vec" => Shape { many: "list of ", below: "[]", ..inner() },
            "BTreeMap" => Shape { many: "map of ", below: ".ID", ..inner() },
            name => Shape { name: name.to_owned(), many: "", below: "" },
        }
    }

    fn of_many(&self, kind: &str) -> String {
        format!("{}{kind}", self.many)
    }
}

/// The values of an enum, and what those say that have a doc comment.
fn values(declared: &ItemEnum) -> (Vec<String>, String) {
    let rule = serde_value(&declared.attrs, "rename_all").unwrap_or_default();
    let mut names = Vec::new();
    let mut said = String::new();
    for variant in &declared.variants {
        let name = serde_value(&variant.attrs, "rename");
        let name = name.unwrap_or_else(|| renamed(&variant.ident.to_string(), &rule));
        let text = docs(&variant.attrs);
        if !text.is_empty() {
            said.push_str(&format!(" `{name}`: {text}"));
        }
        names.push(format!("`{name}`"));
    }
    (names, said)
}

/// As serde renames variants.
fn renamed(name: &str, rule: &str) -> String {
    let split = |with: &str| {
        let mut text = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !text.is_empty() {
                text.push_str(with);
            }
            text.extend(letter.to_lowercase());
        }
        text
    };
    match rule {
        "snake_case" => split("_"),
        "kebab-case" => split("-"),
        "lowercase" => name.to_lowercase(),
        "camelCase" => name[..1].to_lowercase() + &name[1..],
        "" => name.to_owned(),
        other => panic!("serde's rule {other} is not known here"),
    }
}

fn is_deserialized(item: &Item) -> bool {
    let (Item::Struct(ItemStruct { attrs, .. }) | Item::Enum(ItemEnum { attrs, .. })) = item else {
        return false;
    };
    attrs.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        list.path.is_ident("derive") && list.tokens.to_string().contains("Deserialize")
    })
}

/// A doc comment as one line. Links to other items are written as code only.
fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(literal) = &pair.value else { return None };
        let Lit::Str(text) = &literal.lit else { return None };
        pair.path.is_ident("doc").then(|| text.value().trim().to_owned())
    });
    let text: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    text.join(" ").replace("[`", "`").replace("`]", "`")
}

/// The value of `#[serde(NAME = "VALUE")]`.
fn serde_value(attributes: &[Attribute], name: &str) -> Option<String> {
    serde_words(attributes).into_iter().find_map(|(word, value)| (word == name).then_some(value).flatten())
}

fn has_serde_word(attributes: &[Attribute], name: &str) -> bool {
    serde_words(attributes).iter().any(|(word, _)| word == name)
}

fn serde_words(attributes: &[Attribute]) -> Vec<(String, Option<String>)> {
    let mut words = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let read = attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let value = match meta.input.peek(syn::Token![=]) {
                true => Some(meta.value()?.parse::<syn::LitStr>()?.value()),
                false => None,
            };
            words.push((word, value));
            Ok(())
        });
        read.expect("serde's attribute");
    }
    words
}
