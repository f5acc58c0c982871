//! The thread of the screen: reads keys, and draws at most ten times per second.

use std::io::{self, BufWriter, Stdout, stdout};
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event};

use crate::top::counter::Shared;
use crate::top::gather::Gather;
use crate::top::model::{By, Model};
use crate::top::signals::{Flags, stop};
use crate::top::terminal::{Taken, Terminal};
use crate::top::view::{Asked, Facts, Look, State, draw, press};

/// The least time between two drawings.
const FRAME: Duration = Duration::from_millis(100);

/// What the screen shows.
pub(crate) struct Screen {
    pub(crate) model: Shared,
    pub(crate) gather: Gather,
    pub(crate) flags: Flags,
    pub(crate) look: Look,
    /// What is shown while the screen stands still.
    pub(crate) frozen: Option<(Box<Model>, Facts)>,
}

type Canvas = ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// What a drawing depends on, beside keys: the number of batches, the second, and whether a recording is over.
type Seen = (u64, u64, bool);

impl Screen {
    /// Shows it until it is asked to end.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn run(mut self, by: By, taken: Taken) -> io::Result<()> {
        let terminal = Terminal::take(taken)?;
        let mut canvas = ratatui::Terminal::new(CrosstermBackend::new(BufWriter::new(stdout())))?;
        let mut state = State::new(by);
        let mut drawn: Option<Seen> = None;
        let mut next = Instant::now();
        while !self.flags.is_ending() && !terminal.is_lost() {
            if self.flags.suspends() {
                terminal.leave();
                stop()?;
            }
            if self.flags.resumes() {
                terminal.leave(); // it may have been stopped without a warning
                terminal.enter()?;
                canvas.clear()?;
                drawn = None;
            }
            let rest = next.saturating_duration_since(Instant::now());
            if event::poll(if rest.is_zero() { FRAME } else { rest })? {
                self.read(&mut state)?;
                drawn = None;
            }
            let seen = self.seen();
            if drawn != Some(seen) && Instant::now() >= next && !terminal.is_lost() {
                self.draw(&mut canvas, &mut state)?;
                drawn = Some(seen);
                next = Instant::now() + FRAME;
            }
        }
        Ok(())
    }

    fn seen(&self) -> Seen {
        let model = lock(&self.model);
        (model.version(), self.gather.now(&model), self.gather.is_over())
    }

    /// Reads what has come from the terminal.
    fn read(&mut self, state: &mut State) -> io::Result<()> {
        loop {
            if let Event::Key(key) = event::read()?
                && press(state, key) == Asked::Quit
            {
                self.flags.end();
            }
            if state.paused != self.frozen.is_some() {
                self.frozen = state.paused.then(|| {
                    let model = lock(&self.model);
                    (Box::new(model.clone()), self.gather.facts(&model))
                });
            }
            if !event::poll(Duration::ZERO)? {
                return Ok(());
            }
        }
    }

    fn draw(&mut self, canvas: &mut Canvas, state: &mut State) -> io::Result<()> {
        let Screen { model, gather, look, frozen, .. } = self;
        canvas.draw(|frame| {
            let area = frame.area();
            let buffer = frame.buffer_mut();
            match frozen {
                Some((model, facts)) => draw(buffer, area, *look, state, facts, model),
                None => {
                    let model = lock(model);
                    draw(buffer, area, *look, state, &gather.facts(&model), &model);
                }
            }
        })?;
        Ok(())
    }
}

fn lock(model: &Shared) -> MutexGuard<'_, Model> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}
