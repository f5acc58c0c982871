//! Substitutes `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}` and `$$` in the text of a scalar.

use std::{env, fs};

/// The text of a scalar after substitution.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Substituted {
    pub(super) text: String,
    /// Whether the text was a single `${…}`. Its type follows from the value then.
    pub(super) whole: bool,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text, or what has taken the place of a variable's reference.
    Text(String),
    /// The content of a file.
    File { path: String, content: String },
}

/// Substitutes all references. A substituted value is not searched for further references.
///
/// # Errors
/// The messages of all problems in the text.
fn substitute(text: &str) -> Result<Substituted, Vec<String>> {
    parts(text).map(Substituted::from)
}

impl From<(Vec<Part>, bool)> for Substituted {
    fn from((parts, whole): (Vec<Part>, bool)) -> Substituted {
        let texts = parts.into_iter().map(|part| match part {
            Part::Text(text) | Part::File { content: text, .. } => text,
        });
        Substituted { text: texts.collect(), whole }
    }
}

impl Part {
    /// The path of a file.
    pub(super) fn file(&self) -> Option<&str> {
        match self {
            Part::Text(_) => None,
            Part::File { path, .. } => Some(path),
        }
    }
}

/// The parts of a text, and whether it is a single reference.
///
/// # Errors
/// The messages of all problems in the text.
pub(super) fn parts(text: &str) -> Result<(Vec<Part>, bool), Vec<String>> {
    let mut parts = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut problems = Vec::new();
    let mut whole = false;
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        out += &rest[..start];
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let Some(end) = closing_brace(after) else {
                problems.push("`${` without `}`; write `$$` for a dollar sign".to_owned());
                break;
            };
            match look_up(&after[..end]) {
                Ok(Part::Text(value)) => out += &value,
                Ok(file) => parts.extend([Part::Text(std::mem::take(&mut out)), file]),
                Err(mut found) => problems.append(&mut found),
            }
            // "${" + the reference + "}"
            whole = end + 3 == text.len();
            rest = &after[end + 1..];
        } else {
            out.push('$');
        }
    }
    parts.push(Part::Text(out + rest));
    if problems.is_empty() { Ok((parts, whole)) } else { Err(problems) }
}

/// Index of the brace that closes a reference. A default may contain further references.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(index),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn look_up(reference: &str) -> Result<Part, Vec<String>> {
    let problem = |message: String| Err(vec![message]);
    match reference.split_once(':') {
        Some(("env", rest)) => {
            let (name, default) = match rest.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (rest, None),
            };
            match (env::var(name), default) {
                (Ok(value), _) if !value.is_empty() || default.is_none() => Ok(Part::Text(value)),
                (Err(env::VarError::NotUnicode(_)), _) => {
                    problem(format!("environment variable {name} is not valid UTF-8"))
                }
                (_, Some(default)) => substitute(default).map(|put_in| Part::Text(put_in.text)),
                (_, None) => problem(format!(
                    "environment variable {name} is not set; set it, or give a default: ${{env:{name}:-default}}"
                )),
            }
        }
        Some(("file", path)) => match fs::read_to_string(path) {
            // Many files end with a newline that is no part of the value.
            Ok(content) => {
                let content = content.trim_end_matches(['\r', '\n']).to_owned();
                Ok(Part::File { path: path.to_owned(), content })
            }
            Err(error) => problem(format!("can't read file {path}: {error}")),
        },
        None => problem(format!("${{{reference}}} names no source; did you mean ${{env:{reference}}}?")),
        Some((scheme, _)) => {
            problem(format!("unknown source {scheme} in ${{{reference}}}; expected env or file"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(input: &str) -> String {
        substitute(input).expect("substitutes").text
    }

    #[test]
    fn dollars_defaults_and_nesting() {
        assert_eq!(text("a$$b$c$"), "a$b$c$");
        assert_eq!(text("$${env:NO_SUCH_VARIABLE}"), "${env:NO_SUCH_VARIABLE}");
        assert_eq!(text("x${env:NO_SUCH_VARIABLE:-a:-b}y"), "xa:-by");
        assert_eq!(text("${env:NO_SUCH_VARIABLE:-${env:NO_SUCH_EITHER:-deep}}"), "deep");
    }

    #[test]
    fn a_file_is_a_part_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token").display().to_string();
        fs::write(&path, "abc\n").expect("writing");
        let text = format!("Bearer ${{file:{path}}}!");
        assert_eq!(substitute(&text).expect("substitutes").text, "Bearer abc!");
        let file = Part::File { path, content: "abc".to_owned() };
        let expected = vec![Part::Text("Bearer ".to_owned()), file, Part::Text("!".to_owned())];
        assert_eq!(parts(&text), Ok((expected, false)));
    }

    #[test]
    fn only_a_reference_from_end_to_end_is_whole() {
        let whole = |input| substitute(input).expect("substitutes").whole;
        assert!(whole("${env:NO_SUCH_VARIABLE:-1}"));
        assert!(!whole(" ${env:NO_SUCH_VARIABLE:-1}"));
        assert!(!whole("${env:NO_SUCH_VARIABLE:-1}${env:NO_SUCH_VARIABLE:-1}"));
        assert!(!whole("$$"));
    }

    #[test]
    fn all_problems_of_a_text_are_found() {
        let problems = substitute("${env:NO_SUCH_VARIABLE} ${PLAIN} ${http:x} ${").expect_err("problems");
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems[1].contains("did you mean ${env:PLAIN}?"));
    }
}
