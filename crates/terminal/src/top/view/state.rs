//! What the person at the screen has chosen.

use crate::top::model::{By, Key};
use crate::top::view::columns::Column;

/// A row: a key, or `None` for the others.
pub(crate) type Entry = Option<Key>;

/// What is chosen, and what was shown last, which keys refer to.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) by: By,
    pub(crate) sort: Column,
    /// Sorted the other way round.
    pub(crate) reversed: bool,
    /// Rows that have this in their text are shown. Letters may be of either case.
    pub(crate) filter: String,
    /// The filter is being typed.
    pub(crate) typing: bool,
    /// The row that is marked; the first one if it is not there.
    pub(crate) marked: Option<Entry>,
    /// The row whose records are shown.
    pub(crate) opened: Option<Entry>,
    /// The help is shown.
    pub(crate) help: bool,
    /// The screen stands still.
    pub(crate) paused: bool,
    /// The rows that were shown last, in their order, and how many fitted on the screen.
    pub(crate) shown: Vec<Entry>,
    pub(crate) fitted: usize,
    /// Number of rows above the screen.
    pub(crate) above: usize,
}

impl State {
    /// What is shown first.
    pub(crate) fn new(by: By) -> State {
        State {
            by,
            sort: Column::Rate,
            reversed: false,
            filter: String::new(),
            typing: false,
            marked: None,
            opened: None,
            help: false,
            paused: false,
            shown: Vec::new(),
            fitted: 0,
            above: 0,
        }
    }

    /// The place of the marked row among those that were shown last.
    pub(crate) fn place(&self) -> usize {
        let is_marked = |entry: &Entry| self.marked.as_ref() == Some(entry);
        self.shown.iter().position(is_marked).unwrap_or(0)
    }

    /// Remembers what is shown now. Keeps the marked row on the screen.
    pub(crate) fn show(&mut self, entries: Vec<Entry>, fitted: usize) {
        self.shown = entries;
        self.fitted = fitted;
        let (place, fitted) = (self.place(), fitted.max(1));
        let last = self.shown.len().saturating_sub(fitted);
        self.above = self.above.clamp((place + 1).saturating_sub(fitted), place).min(last);
    }
}
