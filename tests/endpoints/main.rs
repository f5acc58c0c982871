//! Comes with the next merge.
fn main() {}
