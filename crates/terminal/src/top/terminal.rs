//! The terminal: taken over for the screen, and given back as it was, also by a panic.

use std::io::{self, IsTerminal, Write, stdin, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Why there is no screen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Input or output is a file or a pipe.
    #[error("the standard {0} is no terminal: `top` shows a screen; `trace` prints lines")]
    NoTerminal(&'static str),
    /// The terminal can't place text.
    #[error("TERM={0}: this terminal has no screen that `top` can draw on; `trace` prints lines")]
    NoScreen(String),
}

/// Whether input and output are a terminal that can show a screen. `term` is the variable TERM.
///
/// # Errors
/// They are not.
pub fn check(term: Option<&str>) -> Result<(), Unfit> {
    if !stdin().is_terminal() {
        return Err(Unfit::NoTerminal("input"));
    }
    if !stdout().is_terminal() {
        return Err(Unfit::NoTerminal("output"));
    }
    match term.unwrap_or_default() {
        term @ ("" | "dumb") => Err(Unfit::NoScreen(term.to_owned())),
        _ => Ok(()),
    }
}

/// Whether the screen has the terminal now. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Taken(Arc<AtomicBool>);

impl Taken {
    /// True while the screen is shown. Who writes to the terminal then spoils it.
    pub fn is_taken(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The terminal, from the moment it is taken over until this is dropped.
#[derive(Debug)]
pub(crate) struct Terminal {
    taken: Taken,
    /// A panic gave the terminal back. Nothing may be drawn any more.
    lost: Arc<AtomicBool>,
}

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// It does not take the settings.
    pub(crate) fn take(taken: Taken) -> io::Result<Terminal> {
        let terminal = Terminal { taken, lost: Arc::default() };
        terminal.give_back_on_panic();
        terminal.enter()?;
        Ok(terminal)
    }

    /// Shows the screen. Keys that make signals still make them, so that they reach all processes of the terminal's
    /// foreground group, as they do elsewhere.
    pub(crate) fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        self.taken.0.store(true, Ordering::SeqCst);
        let mut modes = tcgetattr(stdin())?;
        modes.local_modes |= LocalModes::ISIG;
        tcsetattr(stdin(), OptionalActions::Now, &modes)?;
        execute!(stdout(), EnterAlternateScreen, Hide)
    }

    /// Gives the terminal back as it was.
    pub(crate) fn leave(&self) {
        give_back(&self.taken);
    }

    /// Whether a panic gave it back.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// From now on a panic of any thread gives the terminal back before its message is printed.
    fn give_back_on_panic(&self) {
        static HOOK: Once = Once::new();
        let (taken, lost) = (self.taken.clone(), Arc::clone(&self.lost));
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                if taken.is_taken() {
                    lost.store(true, Ordering::SeqCst);
                    give_back(&taken);
                }
                before(panic);
            }));
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Does so once. Errors mean that the terminal is gone.
pub(crate) fn give_back(taken: &Taken) {
    if taken.0.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), Show, LeaveAlternateScreen);
        let _ = stdout().flush();
        let _ = disable_raw_mode();
    }
}
