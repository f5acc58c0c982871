//! A session from its start to its end.

use std::mem::MaybeUninit;
use std::rc::Rc;
use std::sync::Arc;

use otel_tcpretrans_pipeline::component::ReceiverError;

use super::inputs::Inputs;
use super::load::load;
use super::read::read;
use crate::counters::KINDS;
use crate::privileges::give_up;
use crate::sink::Sink;

/// Runs a session on this thread: calls `ready` once, when it is attached or has failed, and returns when it ends.
pub(crate) fn run(inputs: Inputs, ready: impl FnOnce(Result<(), ReceiverError>)) {
    // A slot for each hook that may be tried; a skeleton lives in its slot.
    let mut slots = [const { MaybeUninit::uninit() }; 2];
    let counters = inputs.facts.cpus_possible as usize * KINDS;
    let sink = Sink::new(inputs.out.clone(), Arc::clone(&inputs.counts), inputs.tap.clone(), counters);
    let sink = Rc::new(sink);
    let loaded = load(&inputs, &mut slots, &sink).and_then(|loaded| {
        give_up(&inputs.confinement, false)?;
        Ok(loaded)
    });
    match loaded {
        Ok(loaded) => {
            ready(Ok(()));
            read(loaded, &sink);
        }
        Err(error) => ready(Err(error)),
    }
    inputs.counts.end();
}
