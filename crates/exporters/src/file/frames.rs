//! Where the whole requests in a file end: after the last line, or after the last frame.
//!
//! A frame is the length of a request in four bytes, big-endian, and the request (the Collector's fileexporter,
//! `exportMessageAsBuffer`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read at once to find the end of the last line.
const BLOCK: u64 = 64 << 10;

/// What goes before a request of `len` bytes.
///
/// # Errors
/// The request has 4 GiB or more.
pub(super) fn prefix(len: usize) -> io::Result<[u8; 4]> {
    u32::try_from(len).map(u32::to_be_bytes).map_err(io::Error::other)
}

/// The end of the last whole line in the first `len` bytes.
pub(super) fn end_of_lines(file: &File, len: u64) -> io::Result<u64> {
    let mut end = len;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        let mut block = vec![0; (end - start) as usize];
        file.read_exact_at(&mut block, start)?;
        if let Some(newline) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The end of the last whole frame in the first `len` bytes.
pub(super) fn end_of_frames(file: &File, len: u64) -> io::Result<u64> {
    let mut end = 0;
    let mut prefix = [0; 4];
    while end + prefix.len() as u64 <= len {
        file.read_exact_at(&mut prefix, end)?;
        let next = end + prefix.len() as u64 + u64::from(u32::from_be_bytes(prefix));
        if next > len {
            break;
        }
        end = next;
    }
    Ok(end)
}
