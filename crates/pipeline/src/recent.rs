//! The last warnings and errors of the log, for pages that show them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// So many are kept.
const KEPT: usize = 40;
/// The longest text that is kept, in bytes. The rest of a longer one is cut off.
const LONGEST: usize = 1000;

/// The last warnings and errors. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Recent(Arc<Mutex<VecDeque<Message>>>);

/// A message of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it was logged.
    pub time: SystemTime,
    /// Whether it is an error. Otherwise it is a warning.
    pub is_error: bool,
    /// The text, and the fields behind it as `name=value`.
    pub text: String,
}

impl Recent {
    /// Keeps a message. The oldest one may be forgotten for it.
    pub fn add(&self, mut message: Message) {
        if message.text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|index| message.text.is_char_boundary(*index));
            message.text.truncate(end.unwrap_or(0));
            message.text.push('…');
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(message);
    }

    /// What is kept, the newest first.
    pub fn messages(&self) -> Vec<Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_a_bounded_part() {
        let recent = Recent::default();
        for number in 0..100 {
            let text = format!("{number}{}", "ä".repeat(LONGEST));
            recent.add(Message { time: SystemTime::UNIX_EPOCH, is_error: true, text });
        }
        let messages = recent.messages();
        assert_eq!(messages.len(), KEPT);
        assert!(messages[0].text.starts_with("99ä") && messages[KEPT - 1].text.starts_with("60ä"));
        assert!(messages.iter().all(|message| message.text.len() <= LONGEST + '…'.len_utf8()));
    }
}
