//! Collects encoded items into requests, splits these at the size limit, and compresses them.

use bytes::Bytes;
use otel_tcpretrans_pipeline::delivery::{Compression, Encoded, Request};

use super::compress::Compressor;
use super::frame::Envelope;

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
    encoded: Encoded,
}

impl<'a> Requests<'a> {
    pub(super) fn new(envelope: &'a Envelope, compressor: &'a Compressor, limit: usize) -> Self {
        let buffer = vec![0; envelope.room()];
        Requests { envelope, compressor, limit, buffer, count: 0, encoded: Encoded::default() }
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
        let start = self.envelope.put_head(&mut self.buffer);
        let (compression, body) = match self.compressor.compress(&self.buffer[start..]) {
            Some((compression, body)) => (compression, Bytes::from(body)),
            // A queue counts a request without the spare capacity of its buffer, so this is given back.
            None => {
                let buffer = std::mem::take(&mut self.buffer).into_boxed_slice();
                (Compression::None, Bytes::from(buffer).slice(start..))
            }
        };
        self.encoded.requests.push(Request { body, compression, items: self.count });
        self.count = 0;
        self.buffer.resize(self.envelope.room(), 0);
    }

    /// The complete requests, the last one included.
    pub(super) fn finish(mut self) -> Encoded {
        self.close();
        self.encoded
    }
}
