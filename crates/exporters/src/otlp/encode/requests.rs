//! Collects encoded items into requests, splits these at the size limit, and compresses them.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use otel_tcpretrans_pipeline::delivery::{Compression, Encoded, Request};

use super::compress::Compressor;
use super::frame::Envelope;

/// Room beyond the limit, in bytes. The item that exceeds a request's limit is written before that is known.
const BEYOND: usize = 4096;

/// A buffer may keep the 32nd part of its content as spare capacity.
const SPARE: usize = 32;

/// The average size of items, in bytes, from request to request. A buffer is made as large as its items will need. If it
/// grew instead, its memory would mostly be new to the process at each step, and the kernel would have to clear it.
#[derive(Default)]
pub(super) struct ItemSize(AtomicUsize);

/// Requests in the making. Items are written into the buffer that becomes the body of their request.
pub(super) struct Requests<'a> {
    envelope: &'a Envelope,
    compressor: &'a Compressor,
    /// The largest request, in bytes and before compression.
    limit: usize,
    /// Room for what goes before the items, then the items of the request being filled.
    buffer: Vec<u8>,
    /// How many log records or metric points these are.
    count: u64,
    /// How many more will come.
    to_come: usize,
    item_size: &'a ItemSize,
    encoded: Encoded,
}

impl<'a> Requests<'a> {
    /// Requests for `items` items.
    pub(super) fn new(
        envelope: &'a Envelope,
        compressor: &'a Compressor,
        limit: usize,
        items: usize,
        item_size: &'a ItemSize,
    ) -> Self {
        let (buffer, encoded) = (Vec::new(), Encoded::default());
        let mut requests =
            Requests { envelope, compressor, limit, buffer, count: 0, to_come: items, item_size, encoded };
        requests.begin();
        requests
    }

    /// Begins a request, in the buffer of the last one if that was not sent itself.
    fn begin(&mut self) {
        self.buffer.clear();
        if self.buffer.capacity() == 0 {
            let expected = self.to_come.saturating_mul(self.item_size.0.load(Relaxed));
            // Somewhat more, since items differ.
            let expected = self.envelope.room() + expected.saturating_add(expected / (2 * SPARE));
            self.buffer.reserve(expected.min(self.limit) + BEYOND);
        }
        self.buffer.resize(self.envelope.room(), 0);
        self.count = 0;
    }

    /// Length of the items of the request being filled, in bytes.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.envelope.room()
    }

    /// Whether a request around `items` bytes of items is within the limit.
    pub(super) fn fits(&self, items: usize) -> bool {
        self.envelope.request_len(items) <= self.limit
    }

    /// Adds the item that `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.buffer.len();
        write(&mut self.buffer);
        if self.fits(self.len()) {
            self.count += 1;
            return;
        }
        let item = self.buffer.split_off(start);
        if self.fits(item.len()) {
            self.close();
            self.append(&item, 1);
        } else {
            self.leave_out();
        }
    }

    /// Adds `items`, encoded, which are `count` log records or metric points.
    pub(super) fn append(&mut self, items: &[u8], count: u64) {
        self.buffer.extend_from_slice(items);
        self.count += count;
    }

    /// Counts an item that alone is larger than a request may be.
    pub(super) fn leave_out(&mut self) {
        self.encoded.too_large += 1;
    }

    /// Completes and compresses the request being filled, unless it is empty, and begins the next.
    pub(super) fn close(&mut self) {
        if self.count == 0 {
            return;
        }
        let (size, items) = (self.len(), usize::try_from(self.count).unwrap_or(usize::MAX));
        self.item_size.0.store(size / items, Relaxed);
        self.to_come = self.to_come.saturating_sub(items);
        let start = self.envelope.put_head(&mut self.buffer);
        let (compression, body) = self.compressor.compress(&self.buffer[start..]).unwrap_or_else(|| {
            (Compression::None, without_spare(std::mem::take(&mut self.buffer)).slice(start..))
        });
        self.encoded.requests.push(Request { body, compression, items: self.count });
        self.begin();
    }

    /// The complete requests, the last one included.
    pub(super) fn finish(mut self) -> Encoded {
        self.close();
        self.encoded
    }
}

/// The content of a buffer. A queue counts a request without its spare capacity, so much of it is given back. Little of
/// it stays, since the next buffer then fits into the memory of this one.
fn without_spare(buffer: Vec<u8>) -> Bytes {
    if buffer.capacity() - buffer.len() > buffer.len() / SPARE {
        buffer.into_boxed_slice().into()
    } else {
        buffer.into()
    }
}
