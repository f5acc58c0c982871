//! Who owns the sockets: tags those that exist already, and attaches the program that sees who accepts a connection.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Iter, Link};

use super::constants::set_constants;
use super::error::{is_not_supported, is_refused};
use super::inputs::Inputs;
use crate::setup::Setup;
use crate::skeleton::types::wire_transport;
use crate::skeleton::{TcpretransSkel, TcpretransSkelBuilder};

/// Who is taken for the owner of a connection that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// No owner is known, whatever the connection.
    Unknown,
    /// The process that made the listener listen.
    Listener,
    /// The process that accepted it.
    Acceptor,
}

impl Owner {
    pub(super) fn name(self) -> &'static str {
        match self {
            Owner::Unknown => "unknown",
            Owner::Listener => "listener",
            Owner::Acceptor => "acceptor",
        }
    }
}

/// When the other programs are attached: does both, as far as the kernel allows it. The counts are right without them.
///
/// # Errors
/// The step that failed, where it is not the kernel that refuses it.
pub(super) fn find(
    inputs: &Inputs,
    skeleton: &mut TcpretransSkel<'_>,
) -> Result<Owner, (&'static str, libbpf_rs::Error)> {
    if !skeleton.progs.btf_set_state.autoload() {
        return Ok(Owner::Unknown);
    }
    match tag_existing(skeleton) {
        Ok(()) => {}
        Err(error) if is_refused(error.kind()) => {
            tracing::warn!(%error, "the owners of sockets that exist already stay unknown");
        }
        Err(error) => return Err(("tagging the sockets that exist already", error)),
    }
    if !inputs.setup.accept {
        return Ok(Owner::Listener);
    }
    match attach_accept(&inputs.setup, skeleton) {
        Ok(link) => {
            skeleton.links.btf_accept = Some(link);
            Ok(Owner::Acceptor)
        }
        // arm64 before 6.4 loads the program and does not attach it.
        Err(error) if is_refused(error.kind()) || is_not_supported(&error) => {
            tracing::info!(%error, "the owner of an accepted connection is the process that made its listener listen");
            Ok(Owner::Listener)
        }
        Err(error) => Err(("attaching to accept()", error)),
    }
}

/// The kernel runs the program once for each open file of each process in this process's pid namespace, while the
/// iterator is read.
fn tag_existing(skeleton: &TcpretransSkel<'_>) -> libbpf_rs::Result<()> {
    let link = skeleton.progs.btf_tag_files.attach()?;
    io::copy(&mut Iter::new(&link)?, &mut io::sink())?; // the program writes nothing
    Ok(())
}

/// The maps that the program at accept() uses.
const SHARED: [&str; 2] = ["tags", "kept_by_socket"];

/// Loads the program from an object of its own, because some kernels refuse to load programs of its kind (`fentry`), and
/// an object is loaded as a whole.
fn attach_accept(setup: &Setup, skeleton: &TcpretransSkel<'_>) -> libbpf_rs::Result<Link> {
    let mut slot = MaybeUninit::uninit();
    let mut open = TcpretransSkelBuilder::default().open(&mut slot)?;
    for mut program in open.open_object_mut().progs_mut() {
        let is_accept = program.name() == "btf_accept";
        program.set_autoload(is_accept);
    }
    for mut map in open.open_object_mut().maps_mut() {
        // Those with a dot are the object's own data. Two of the others are shared with the other object.
        let is_used =
            map.name().to_string_lossy().contains('.') || SHARED.iter().any(|name| map.name() == *name);
        map.set_autocreate(is_used)?;
    }
    open.maps.tags.reuse_fd(skeleton.maps.tags.as_fd())?;
    open.maps.kept_by_socket.reuse_fd(skeleton.maps.kept_by_socket.as_fd())?;
    set_constants(&mut open, setup, wire_transport::TRANSPORT_RINGBUF, true)?; // it sends nothing, whatever the transport
    let loaded = open.load()?;
    loaded.progs.btf_accept.attach() // the link keeps the program
}
