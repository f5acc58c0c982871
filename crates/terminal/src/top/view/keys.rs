//! What the keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use strum::IntoEnumIterator;

use crate::top::model::By;
use crate::top::view::columns::{Column, SORTED};
use crate::top::view::state::{Entry, State};

/// The keys, for the help.
pub(crate) const KEYS: [(&str, &str); 10] = [
    ("q", "quit (so does Ctrl-C)"),
    ("Tab, 1 to 5", "rows by peer, owner, workload, connection or reason"),
    ("s, S", "sort by the next or by the previous column"),
    ("r", "turn the order round"),
    ("/", "filter: type a part of a row's text, then Enter; Esc clears it"),
    ("Up, Down, j, k", "mark another row (PgUp, PgDn, Home, End too)"),
    ("Enter", "the last records of the marked row; Esc goes back"),
    ("Space", "stand still; the counts go on, and Space shows them again"),
    ("?", "this help; any key leaves it"),
    ("Ctrl-Z", "suspend; fg comes back"),
];

/// What a key asks of the screen itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To be drawn again.
    Draw,
    /// To end.
    Quit,
}

/// Does what a key says.
pub(crate) fn press(state: &mut State, key: KeyEvent) -> Asked {
    if key.kind == KeyEventKind::Release {
        return Asked::Draw;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        // The terminal makes SIGINT of Ctrl-C. This is for one that does not.
        return if key.code == KeyCode::Char('c') { Asked::Quit } else { Asked::Draw };
    }
    if state.help {
        state.help = false;
        return Asked::Draw;
    }
    if state.typing {
        typed(state, key.code);
        return Asked::Draw;
    }
    match key.code {
        KeyCode::Char('q') => return Asked::Quit,
        KeyCode::Char(' ') => state.paused = !state.paused,
        KeyCode::Char('?') => state.help = true,
        KeyCode::Esc if state.opened.is_some() => state.opened = None,
        KeyCode::Esc => state.filter.clear(),
        _ if state.opened.is_some() => {
            if matches!(key.code, KeyCode::Enter | KeyCode::Backspace | KeyCode::Left) {
                state.opened = None;
            }
        }
        KeyCode::Enter | KeyCode::Right => state.opened = state.shown.get(state.place()).cloned(),
        KeyCode::Char('/') => state.typing = true,
        KeyCode::Char('r') => state.reversed = !state.reversed,
        KeyCode::Char('s') => sort_by_next(state, false),
        KeyCode::Char('S') => sort_by_next(state, true),
        KeyCode::Tab => show_next(state, false),
        KeyCode::BackTab => show_next(state, true),
        KeyCode::Char(digit @ '1'..='9') => {
            if let Some(by) = By::iter().nth(digit as usize - '1' as usize) {
                show(state, by);
            }
        }
        code => mark(state, code),
    }
    Asked::Draw
}

fn typed(state: &mut State, code: KeyCode) {
    match code {
        KeyCode::Enter => state.typing = false,
        KeyCode::Esc => {
            state.typing = false;
            state.filter.clear();
        }
        KeyCode::Backspace => {
            state.filter.pop();
        }
        KeyCode::Char(character) => state.filter.push(character),
        _ => {}
    }
}

fn mark(state: &mut State, code: KeyCode) {
    let (place, page) = (state.place(), state.fitted.max(1));
    let place = match code {
        KeyCode::Up | KeyCode::Char('k') => place.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => place + 1,
        KeyCode::PageUp => place.saturating_sub(page),
        KeyCode::PageDown => place + page,
        KeyCode::Home => 0,
        KeyCode::End => usize::MAX,
        _ => return,
    };
    let last = state.shown.len().saturating_sub(1);
    state.marked = state.shown.get(place.min(last)).cloned();
}

fn sort_by_next(state: &mut State, back: bool) {
    let columns: Vec<Column> = SORTED.into_iter().filter(|column| column.is_of(state.by)).collect();
    let place = columns.iter().position(|column| *column == state.sort).unwrap_or(0);
    state.sort = columns[next(place, columns.len(), back)];
}

fn show_next(state: &mut State, back: bool) {
    let all: Vec<By> = By::iter().collect();
    show(state, all[next(state.by as usize, all.len(), back)]);
}

fn show(state: &mut State, by: By) {
    state.by = by;
    state.marked = None::<Entry>;
    state.above = 0;
    if !state.sort.is_of(by) {
        state.sort = Column::Rate;
    }
}

fn next(place: usize, length: usize, back: bool) -> usize {
    (place + if back { length - 1 } else { 1 }) % length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::model::Key;

    fn pressed(state: &mut State, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\x1b' => KeyCode::Esc,
                '\x08' => KeyCode::Backspace,
                other => KeyCode::Char(other),
            };
            press(state, code.into());
        }
    }

    fn state() -> State {
        let mut state = State::new(By::Peer);
        let keys = (1..=9).map(|last| Some(Key::Peer([192, 0, 2, last].into()))).chain([None]);
        state.show(keys.collect(), 4);
        state
    }

    #[test]
    fn a_filter_is_typed_and_cleared() {
        let mut state = state();
        pressed(&mut state, "/qs\x08ux");
        assert_eq!((&*state.filter, state.typing, state.by), ("qux", true, By::Peer));
        pressed(&mut state, "\ns");
        assert_eq!((&*state.filter, state.typing, state.sort), ("qux", false, Column::Segments));
        pressed(&mut state, "\x1b");
        assert_eq!(state.filter, "");
    }

    #[test]
    fn each_kind_of_rows_and_each_column_can_be_reached() {
        let mut state = state();
        pressed(&mut state, "\t\t\t");
        assert_eq!(state.by, By::Connection);
        let mut seen = Vec::new();
        for _ in SORTED {
            seen.push(state.sort);
            pressed(&mut state, "s");
        }
        assert!(SORTED.iter().all(|column| seen.contains(column)), "{seen:?}");
        pressed(&mut state, "sss1");
        assert_eq!((state.by, state.sort), (By::Peer, Column::Rate), "peers have no column of what was sent");
        pressed(&mut state, "9");
        assert_eq!(state.by, By::Peer);
    }

    #[test]
    fn a_row_is_marked_opened_and_left() {
        let mut state = state();
        pressed(&mut state, "jjk\n");
        assert_eq!(state.opened, Some(Some(Key::Peer([192, 0, 2, 2].into()))));
        pressed(&mut state, "\x1b");
        assert_eq!(state.opened, None);
        press(&mut state, KeyCode::End.into());
        assert_eq!(state.marked, Some(None), "the others");
        let shown = state.shown.clone();
        state.show(shown, 4);
        assert_eq!(state.above, 6);
        press(&mut state, KeyCode::PageUp.into());
        assert_eq!(state.place(), 5);
    }

    #[test]
    fn some_keys_are_for_the_screen() {
        let mut state = state();
        let ask = |state: &mut State, key| press(state, KeyCode::Char(key).into());
        assert_eq!(ask(&mut state, '?'), Asked::Draw);
        assert!(state.help);
        assert_eq!(ask(&mut state, 'q'), Asked::Draw, "it leaves the help");
        assert_eq!((ask(&mut state, ' '), state.paused), (Asked::Draw, true));
        assert_eq!((ask(&mut state, ' '), state.paused), (Asked::Draw, false));
        assert_eq!(ask(&mut state, 'q'), Asked::Quit);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(press(&mut state, interrupt), Asked::Quit);
    }
}
