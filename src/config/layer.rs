//! Reads the layers of a configuration: one per file, variable and `--set`, with the origin of each key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use figment::value::{Dict, Empty, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::diagnostic::{Diagnostic, KeyPath, Origin};
use super::substitute::{Part, Substituted, parts};
use super::yaml::{self, Content, Node, Position};

/// Prefix of variables that set a key, such as `OTEL_TCPRETRANS__EXPORTERS__OTLP__ENDPOINT`.
const ENVIRONMENT_PREFIX: &str = "OTEL_TCPRETRANS__";
/// Prefixes of the OpenTelemetry specification's variables. The code that reads them would count a value that is not
/// UTF-8 as unset, so such a value is reported here.
const SPECIFIED: [&str; 3] = ["OTEL_EXPORTER_OTLP_", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"];

/// The values of one source.
#[derive(Debug, Default)]
struct Layer {
    values: Dict,
    origins: BTreeMap<KeyPath, Origin>,
    /// Origins of the keys above a single value. They count only if no layer has set such a key itself.
    implied: BTreeMap<KeyPath, Origin>,
    /// Files whose content is in a value.
    files: Vec<PathBuf>,
}

/// The values of all sources, later ones over earlier ones.
pub(super) struct Merged {
    pub(super) values: Dict,
    /// Later ones win.
    origins: Vec<BTreeMap<KeyPath, Origin>>,
    /// Files whose content is in a value.
    pub(super) files: Vec<PathBuf>,
}

/// Reads all sources: the files, then the environment, then `--set`. Later ones win.
///
/// It goes on after a problem if it can. It returns `None` if a source could not be read at all, since problems that
/// are found in the rest might not be real ones.
pub(super) fn merge(files: &[String], sets: &[String], problems: &mut Vec<Diagnostic>) -> Option<Merged> {
    let mut layers: Vec<Option<Layer>> =
        files.iter().enumerate().map(|(rank, file)| read_file(rank, file, problems)).collect();
    layers.extend(environment(problems));
    layers.extend(sets.iter().map(|argument| read_set(argument, problems)));
    let layers: Vec<Layer> = layers.into_iter().collect::<Option<_>>()?;

    let figment = layers.iter().fold(Figment::new(), |figment, layer| figment.merge(layer));
    let values = figment.data().ok()?.remove(&Profile::Default)?;
    let files = layers.iter().flat_map(|layer| layer.files.iter().cloned()).collect();
    let (origins, implied): (Vec<_>, Vec<_>) =
        layers.into_iter().map(|layer| (layer.origins, layer.implied)).unzip();
    Some(Merged { values, origins: implied.into_iter().chain(origins).collect(), files })
}

impl Merged {
    /// The origin of the value at `path`, or of the nearest value around it if the value is not set.
    pub(super) fn origin(&self, path: &[String]) -> Origin {
        let prefixes = (0..=path.len()).rev().map(|length| &path[..length]);
        let mut found =
            prefixes.flat_map(|prefix| self.origins.iter().rev().filter_map(|origins| origins.get(prefix)));
        found.next().cloned().unwrap_or(Origin::Defaults)
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::default()
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

fn read_file(rank: usize, file: &str, problems: &mut Vec<Diagnostic>) -> Option<Layer> {
    let name: Arc<str> = file.into();
    let origin = |p: Position| Origin::File { rank, file: name.clone(), line: p.line, column: p.column };
    let mut report = |position, message| {
        problems.push(Diagnostic { origin: origin(position), path: KeyPath::new(), message });
        None
    };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            return report(Position { line: 0, column: 0 }, format!("can't read this file: {error}"));
        }
    };
    let start = Position { line: 1, column: 1 };
    match yaml::parse(&text) {
        Ok(root) => {
            // An empty file is read as a mapping without entries.
            let root = root.unwrap_or(Node { position: start, content: Content::Mapping(Vec::new()) });
            let mut reader = Reader::new(&origin, problems);
            let values = reader.value(&root, KeyPath::new());
            reader.finish(values, &root)
        }
        Err(error) => report(error.position, error.message),
    }
}

/// `key.path=value`, the value in YAML.
fn read_set(argument: &str, problems: &mut Vec<Diagnostic>) -> Option<Layer> {
    let (key, text) = argument.split_once('=').map_or((argument, None), |(key, text)| (key, Some(text)));
    // The origin does not show the value, which may be a secret.
    let origin = |_: Position| Origin::Set(key.to_owned());
    let start = Position { line: 1, column: 1 };
    let Some(text) = text.filter(|_| key.split('.').all(|part| !part.is_empty())) else {
        let message = "expected key.path=value".to_owned();
        problems.push(Diagnostic { origin: origin(start), path: KeyPath::new(), message });
        return None;
    };
    let node = match yaml::parse(text) {
        Ok(Some(node)) if !matches!(node.content, Content::Scalar { plain: true, .. }) => node,
        _ => Node { position: start, content: Content::Scalar { text: text.to_owned(), plain: true } },
    };
    let path: KeyPath = key.split('.').map(str::to_owned).collect();
    let mut reader = Reader::new(&origin, problems);
    let value = reader.value(&node, path.clone());
    let Reader { origins, files, .. } = reader;
    Some(Layer { files, ..nested(&path, value, origins, origin(start)) })
}

/// One layer per variable, in the order of their names. References in their values are not substituted.
fn environment(problems: &mut Vec<Diagnostic>) -> Vec<Option<Layer>> {
    let mut variables: Vec<(String, OsString)> =
        env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value)).collect();
    variables.retain(|(name, value)| {
        let specified = SPECIFIED.iter().any(|start| name.starts_with(start));
        name.starts_with(ENVIRONMENT_PREFIX) || specified && value.to_str().is_none()
    });
    variables.sort();
    variables.into_iter().map(|(name, value)| read_variable(name, value, problems)).collect()
}

fn read_variable(name: String, value: OsString, problems: &mut Vec<Diagnostic>) -> Option<Layer> {
    let keys = name.strip_prefix(ENVIRONMENT_PREFIX).unwrap_or(&name).to_lowercase();
    let path: KeyPath = keys.split("__").map(str::to_owned).collect();
    let origin = Origin::Environment(name);
    let message = match value.into_string() {
        Err(_) => "its value is not valid UTF-8",
        Ok(_) if path.iter().any(String::is_empty) => "a key is empty; expected OTEL_TCPRETRANS__A__B",
        Ok(text) => return Some(nested(&path, typed(&text), BTreeMap::new(), origin)),
    };
    problems.push(Diagnostic { origin, path: KeyPath::new(), message: message.to_owned() });
    None
}

/// A layer that sets one value below its keys.
fn nested(path: &[String], value: Value, mut origins: BTreeMap<KeyPath, Origin>, origin: Origin) -> Layer {
    let implied = (1..path.len()).map(|length| (path[..length].to_vec(), origin.clone())).collect();
    origins.insert(path.to_vec(), origin);
    let value = path.iter().rev().fold(value, |value, key| Dict::from([(key.clone(), value)]).into());
    Layer { values: value.into_dict().unwrap_or_default(), origins, implied, files: Vec::new() }
}

/// The value of a plain scalar: what YAML makes of the text. The text itself is taken if it is no YAML, or if YAML
/// would take a part of it for a comment or an anchor, as in `token #1`.
fn typed(text: &str) -> Value {
    let trimmed = text.trim();
    let whole = |value: &Value| match value {
        Value::String(_, read) => read == trimmed || trimmed.starts_with(['"', '\'']),
        Value::Empty(..) => matches!(trimmed, "" | "~" | "null" | "Null" | "NULL"),
        _ => true,
    };
    serde_yaml::from_str(text).ok().filter(whole).unwrap_or_else(|| Value::from(text))
}

/// Turns a YAML tree into values and notes the origin of each.
struct Reader<'a> {
    origin: &'a dyn Fn(Position) -> Origin,
    origins: BTreeMap<KeyPath, Origin>,
    problems: &'a mut Vec<Diagnostic>,
    /// Files whose content is in a value.
    files: Vec<PathBuf>,
}

impl<'a> Reader<'a> {
    fn new(origin: &'a dyn Fn(Position) -> Origin, problems: &'a mut Vec<Diagnostic>) -> Reader<'a> {
        Reader { origin, origins: BTreeMap::new(), problems, files: Vec::new() }
    }

    fn report(&mut self, position: Position, path: KeyPath, message: String) {
        self.problems.push(Diagnostic { origin: (self.origin)(position), path, message });
    }

    fn finish(mut self, values: Value, root: &Node) -> Option<Layer> {
        if let Value::Empty(..) = values {
            return Some(Layer { origins: self.origins, files: self.files, ..Layer::default() });
        }
        let Some(values) = values.into_dict() else {
            let message = "expected a mapping with receivers, exporters and service".to_owned();
            self.report(root.position, KeyPath::new(), message);
            return None;
        };
        Some(Layer { values, origins: self.origins, files: self.files, ..Layer::default() })
    }

    fn value(&mut self, node: &Node, path: KeyPath) -> Value {
        // A value has the position of its key, which is noted already.
        let origin = (self.origin)(node.position);
        self.origins.entry(path.clone()).or_insert(origin);
        match &node.content {
            Content::Scalar { text, plain } => self.scalar(text, *plain, node.position, path),
            Content::Sequence(items) => {
                let item = |(index, item): (usize, &Node)| self.value(item, child(&path, &index.to_string()));
                items.iter().enumerate().map(item).collect::<Vec<_>>().into()
            }
            Content::Mapping(entries) => {
                let mut seen = BTreeMap::new();
                let mut dict = Dict::new();
                for (key, value) in entries {
                    let path = child(&path, &key.name);
                    let origin = (self.origin)(key.position);
                    self.origins.entry(path.clone()).or_insert(origin);
                    if let Some(line) = seen.insert(&key.name, key.position.line) {
                        let message = format!("duplicate key; the other one is on line {line}");
                        self.report(key.position, path.clone(), message);
                    }
                    // The first value is kept, since the noted origins are those of the first key.
                    let value = self.value(value, path);
                    dict.entry(key.name.clone()).or_insert(value);
                }
                dict.into()
            }
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, position: Position, path: KeyPath) -> Value {
        let parts = match parts(text) {
            Ok((parts, whole)) => {
                let files = parts.iter().filter_map(Part::file);
                let before = self.files.len();
                self.files.extend(files.map(PathBuf::from));
                if is_header(&path) && self.files.len() > before {
                    return from_files(parts);
                }
                Ok((parts, whole))
            }
            Err(messages) => Err(messages),
        };
        match parts.map(Substituted::from) {
            Ok(Substituted { text: put_in, whole }) if plain && (whole || put_in == text) => typed(&put_in),
            Ok(Substituted { text, .. }) => text.into(),
            Err(messages) => {
                for message in messages {
                    self.report(position, path.clone(), message);
                }
                Empty::Unit.into()
            }
        }
    }
}

fn child(path: &[String], key: &str) -> KeyPath {
    [path, &[key.to_owned()]].concat()
}

/// Whether this is a header of an exporter. The files that it names are read again when they change, since they may hold
/// tokens.
fn is_header(path: &[String]) -> bool {
    matches!(path, [section, _, key, _] if section == "exporters" && key == "headers")
}

/// The form of a [`Secret`](otel_tcpretrans_exporters::secret::Secret) that is in files.
fn from_files(parts: Vec<Part>) -> Value {
    let parts = parts.into_iter().map(|part| match part {
        Part::Text(text) => Value::from(Dict::from([("text".to_owned(), text.into())])),
        Part::File { path, .. } => Dict::from([("file".to_owned(), path.into())]).into(),
    });
    Dict::from([("parts".to_owned(), parts.collect::<Vec<Value>>().into())]).into()
}
