//! The standard output: whole batches of lines, and whether anybody still reads them.

use std::fs::File;
use std::io::{self, Write};
use std::thread;

use otel_tcpretrans_pipeline::record::{Record, json};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::oneshot;

use super::row::Rows;

/// Writes lines. A line is in no buffer once its batch is written.
pub(super) struct Output {
    file: File,
    rows: Option<Rows>,
    has_heading: bool,
    /// The lines of a batch. It is kept, so that lines allocate nothing.
    buffer: Vec<u8>,
}

impl Output {
    /// Writes rows to `file`, or JSON without any.
    pub(super) fn new(file: File, rows: Option<Rows>) -> Output {
        Output { file, rows, has_heading: false, buffer: Vec::new() }
    }

    /// Writes the line of each record, by one call of the kernel where it takes all, and the heading before the first.
    ///
    /// # Errors
    /// They can't be written.
    pub(super) fn lines<'r>(&mut self, records: impl Iterator<Item = &'r Record>) -> io::Result<()> {
        self.buffer.clear();
        match &mut self.rows {
            Some(rows) => {
                if !std::mem::replace(&mut self.has_heading, true) {
                    rows.heading(&mut self.buffer);
                }
                records.for_each(|record| rows.row(&mut self.buffer, record));
            }
            None => records.for_each(|record| json::write(&mut self.buffer, record)),
        }
        self.file.write_all(&self.buffer)
    }

    /// Writes a text.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn text(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)
    }
}

/// Waits until nobody reads a pipe or a terminal any more. Without this a closed pipe would show only at the next line,
/// which may never come. For a regular file it waits for ever.
pub(super) async fn is_gone(file: File) {
    let (gone, told) = oneshot::channel();
    // The kernel tells of it on the writing end, without being asked: POLLERR of a pipe, POLLHUP of a terminal.
    let poll = move || {
        let watched = [PollFd::new(&file, PollFlags::empty())];
        while poll(&mut watched.clone(), None) == Err(Errno::INTR) {}
        let _ = gone.send(()); // nobody waits any more
    };
    // The thread ends with the process: it is of no use to wait for it.
    match thread::Builder::new().name("output".to_owned()).spawn(poll) {
        Ok(_) => _ = told.await,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::fixtures;

    #[test]
    fn lines_are_written_at_once_and_the_heading_once() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut output = Output::new(OwnedFd::from(writer).into(), Some(Rows::new(false)));
        output.lines([].into_iter()).unwrap();
        let mut read = vec![0; 4096];
        let heading = reader.read(&mut read).unwrap();
        assert!(read.starts_with(b"TIME(UTC) "));
        output.lines([fixtures::record(), fixtures::gap()].iter()).unwrap();
        let length = reader.read(&mut read).unwrap();
        assert!(read.starts_with(b"22:13:25.000 "), "{}", String::from_utf8_lossy(&read[..heading]));
        assert_eq!(read[..length].iter().filter(|byte| **byte == b'\n').count(), 2);
    }

    #[tokio::test]
    async fn a_pipe_is_gone_when_its_reader_is() {
        let (reader, writer) = io::pipe().unwrap();
        let writer = File::from(OwnedFd::from(writer));
        let gone = is_gone(writer.try_clone().unwrap());
        tokio::pin!(gone);
        timeout(Duration::from_millis(50), &mut gone).await.expect_err("there is a reader");
        drop(reader);
        timeout(Duration::from_secs(10), gone).await.expect("nobody reads");
        timeout(Duration::from_secs(10), is_gone(writer.try_clone().unwrap()))
            .await
            .expect("nobody reads from the start");
    }

    #[tokio::test]
    async fn a_file_is_never_gone() {
        let gone = is_gone(tempfile::tempfile().unwrap());
        timeout(Duration::from_millis(50), gone).await.expect_err("a file stays");
    }
}
