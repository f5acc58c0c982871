//! The variables of the process's environment, as configuration reads them.

/// Looks up an environment variable by its name. It is a function, so that tests can pass their own variables
/// without changing those of the process.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The process's own [`Environment`]. A variable that is not UTF-8 counts as unset.
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
