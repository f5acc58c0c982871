//! What a report says beside the records.

/// What the records do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The name of the recording.
    pub recording: String,
    /// The conditions by which records were chosen, as they were written.
    pub conditions: Vec<String>,
    /// Events that are not in the report, by place and reason, such as `recording/lost`.
    pub lost: Vec<(String, u64)>,
}
