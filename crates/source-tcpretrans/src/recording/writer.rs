//! Writes a recording: gathers whole records, and counts events only once they are written.

use std::io::{self, ErrorKind, Write};

use super::format::{HEAD, HEAD_SUMMED, Kind, MAGIC, VERSION, checksum};
use super::header::Header;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 64 << 10;

/// Writes a recording. After an error it is of no more use, and what was written before can be read.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Gathered and not yet written: whole records, behind the file's beginning at first.
    buffer: Vec<u8>,
    /// Where the records in the buffer end that are events.
    event_ends: Vec<usize>,
    /// Events that are written.
    written: u64,
    /// The offset in the last clock record.
    wall_offset_ns: i64,
}

impl<W: Write> Writer<W> {
    /// Writes nothing yet.
    pub fn new(out: W, header: &Header) -> Writer<W> {
        let mut writer = Writer {
            out,
            buffer: Vec::with_capacity(2 * GATHERED),
            event_ends: Vec::new(),
            written: 0,
            wall_offset_ns: header.wall_offset_ns,
        };
        writer.buffer.extend(MAGIC);
        writer.buffer.extend(VERSION.to_le_bytes());
        writer.record(Kind::Header, &header.to_bytes());
        writer
    }

    /// Adds an event, as the kernel sent it; `wall_offset_ns` is wall time minus boot time, in ns.
    ///
    /// # Errors
    /// What was gathered can't be written, or the event is larger than a record may be.
    pub fn event(&mut self, bytes: &[u8], wall_offset_ns: i64) -> io::Result<()> {
        if bytes.len() > usize::from(u16::MAX) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "an event of more than 65535 bytes"));
        }
        if wall_offset_ns != self.wall_offset_ns {
            self.wall_offset_ns = wall_offset_ns;
            self.record(Kind::Clock, &wall_offset_ns.to_le_bytes());
        }
        self.record(Kind::Event, bytes);
        self.event_ends.push(self.buffer.len());
        if self.buffer.len() >= GATHERED { self.flush() } else { Ok(()) }
    }

    /// Writes what was gathered.
    ///
    /// # Errors
    /// It can't be written, or not all of it.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut out = 0;
        let result = loop {
            match self.out.write(&self.buffer[out..]) {
                _ if out == self.buffer.len() => break self.out.flush(),
                Ok(0) => break Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => out += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.written += self.event_ends.iter().filter(|end| **end <= out).count() as u64;
        self.event_ends.clear();
        self.buffer.clear();
        result
    }

    /// Ends the recording, in whose time the kernel counted `seen` events.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn finish(&mut self, seen: u64) -> io::Result<()> {
        let events = self.written + self.event_ends.len() as u64;
        self.record(Kind::End, &[events.to_le_bytes(), seen.to_le_bytes()].concat());
        self.flush()
    }

    /// Events that are written and can be read.
    pub fn written(&self) -> u64 {
        self.written
    }

    fn record(&mut self, kind: Kind, payload: &[u8]) {
        let mut head = [0; HEAD_SUMMED];
        head[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        head[4] = kind as u8;
        self.buffer.reserve(HEAD + payload.len());
        self.buffer.extend(head);
        self.buffer.extend(checksum(&head, payload).to_le_bytes());
        self.buffer.extend(payload);
    }
}
