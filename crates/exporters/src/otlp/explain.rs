//! Texts that explain a failure: an error with its causes, and cut for a log line.

use std::error::Error;

use tonic::Status;

/// A message is cut after this many bytes, because it goes into a log line.
const MESSAGE_LIMIT: usize = 1024;

/// The message of an error and the messages of its causes, without repetitions.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let status_message = error.downcast_ref::<Status>().map(|status| status.message().to_owned());
    let mut text = status_message.unwrap_or_else(|| error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = if text.is_empty() { message } else { format!("{text}: {message}") };
        }
        cause = error.source();
    }
    text
}

/// Cuts `text` so that it fits into a log line.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > MESSAGE_LIMIT {
        let end = (0..=MESSAGE_LIMIT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push('…');
    }
    text
}
