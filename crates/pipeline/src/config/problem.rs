//! What is wrong with a component's configuration, and at which key.

use std::fmt;

/// Something wrong with a component's configuration that its types can't express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the key below the component, such as `tls.ca_file`; empty for the component itself.
    pub path: String,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl Problem {
    /// A problem at `path`.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { path: path.into(), message: message.into() }
    }

    /// Moves the problems of a section one level up: `key` goes in front of their paths.
    pub fn below(key: &str, problems: Vec<Problem>) -> Vec<Problem> {
        let moved = |problem: Problem| match problem.path.is_empty() {
            true => Problem { path: key.to_owned(), ..problem },
            false => Problem { path: format!("{key}.{}", problem.path), ..problem },
        };
        problems.into_iter().map(moved).collect()
    }

    /// All problems in one line, separated by semicolons.
    pub fn join(problems: &[Problem]) -> String {
        problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_of_a_section_are_named_from_the_level_above() {
        let section = vec![Problem::at("", "is missing"), Problem::at("key_file", "can't be read")];
        let problems = Problem::below("tls", section);
        assert_eq!(Problem::join(&problems), "tls: is missing; tls.key_file: can't be read");
        assert_eq!(Problem::at("", "is missing").to_string(), "is missing");
    }
}
