//! Attributes that a processor asks for, and that another one has to find.

/// One attribute in the configuration of a processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask<'c> {
    /// Where it is, below the processor.
    pub path: String,
    /// Its name.
    pub name: &'c str,
    /// What a message about it begins with.
    pub before: String,
}
