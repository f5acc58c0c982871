//! Collects encoded items into requests, splits these at the size limit, and compresses them.

use otel_tcpretrans_pipeline::delivery::{Compression, Encoded, Format, Request};

use super::body::{Body, Spare};
use super::compress::Compressor;
use super::frame::Envelope;
use super::json::Translate;

/// What is done last with a request.
pub(super) struct Last<'a> {
    pub(super) translate: Option<Translate>,
    pub(super) compressor: &'a Compressor,
}

/// Requests in the making.
pub(super) struct Requests<'a> {
    envelope: &'a Envelope,
    last: Last<'a>,
    /// The largest request, in bytes and before compression.
    limit: usize,
    /// The item being written. It goes into the body when it is known to fit.
    item: Vec<u8>,
    /// Room for what goes before the items, then the items of the request being filled.
    body: Body,
    /// How many log records or metric points these are.
    count: u64,
    /// How many more will come.
    to_come: usize,
    spare: &'a Spare,
    encoded: Encoded,
}

impl<'a> Requests<'a> {
    /// Requests for `items` items.
    pub(super) fn new(
        envelope: &'a Envelope,
        last: Last<'a>,
        limit: usize,
        items: usize,
        spare: &'a Spare,
    ) -> Self {
        let body = Body::new(envelope.room(), limit, items, spare);
        Requests {
            envelope,
            last,
            limit,
            item: Vec::new(),
            body,
            count: 0,
            to_come: items,
            spare,
            encoded: Encoded::default(),
        }
    }

    /// Length of the items of the request being filled, in bytes.
    pub(super) fn len(&self) -> usize {
        self.body.len() - self.envelope.room()
    }

    /// Whether a request around `items` bytes of items is within the limit.
    pub(super) fn fits(&self, items: usize) -> bool {
        self.envelope.request_len(items) <= self.limit
    }

    /// Adds the item that `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.item.clear();
        write(&mut self.item);
        if !self.fits(self.item.len()) {
            return self.leave_out();
        }
        if !self.fits(self.len() + self.item.len()) {
            self.close();
        }
        self.body.append(&self.item);
        self.count += 1;
    }

    /// Adds `items`, encoded, which are `count` log records or metric points.
    pub(super) fn append(&mut self, items: &[u8], count: u64) {
        self.body.append(items);
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
        self.to_come = self.to_come.saturating_sub(usize::try_from(self.count).unwrap_or(usize::MAX));
        let start = self.envelope.put_head(self.body.as_mut());
        let translated = self.last.translate.map(|translate| translate(&self.body.as_ref()[start..]));
        let bytes = translated.as_deref().unwrap_or(&self.body.as_ref()[start..]);
        let (compression, body) = match (self.last.compressor.compress(bytes), translated) {
            (Some(compressed), _) => {
                self.body.clear(self.envelope.room());
                compressed
            }
            (None, Some(translated)) => {
                self.body.clear(self.envelope.room());
                (Compression::None, translated.into())
            }
            (None, None) => {
                let next = Body::new(self.envelope.room(), self.limit, self.to_come, self.spare);
                (Compression::None, std::mem::replace(&mut self.body, next).freeze().slice(start..))
            }
        };
        let format = if self.last.translate.is_some() { Format::Json } else { Format::Proto };
        self.encoded.requests.push(Request { body, format, compression, items: self.count });
        self.count = 0;
    }

    /// The complete requests, the last one included.
    pub(super) fn finish(mut self) -> Encoded {
        self.close();
        self.encoded
    }
}
