//! Puts requests around encoded items: the resource and the scope, which are the same in each request, and the lengths.

use bytes::{Bytes, BytesMut};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use otel_tcpretrans_pipeline::delivery::{Compression, Encoded, Request};
use prost::Message;
use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use super::compress::compress;
use crate::resource::Resource;
use crate::{SCOPE_NAME, VERSION};

/// Field number of `resource_logs` and of `resource_metrics` in a request.
const RESOURCE_ITEMS: u32 = 1;
/// Field number of `scope_logs` in `ResourceLogs`, and of `scope_metrics` in `ResourceMetrics`.
const SCOPE_ITEMS: u32 = 2;
/// Field number of `log_records` in `ScopeLogs`, and of `metrics` in `ScopeMetrics`.
pub(super) const ITEM: u32 = 2;

/// Length of a field in bytes: its key, its length, and `content` bytes of content.
pub(super) fn field_len(number: u32, content: usize) -> usize {
    key_len(number) + encoded_len_varint(content as u64) + content
}

/// Writes the key and the length of a field. The caller writes its content, `content` bytes, next.
pub(super) fn open_field(number: u32, content: usize, out: &mut impl BufMut) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(content as u64, out);
}

/// What goes around the items of a request: resource and scope, encoded once. Logs and metrics share the field numbers.
pub(super) struct Envelope {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Envelope {
    pub(super) fn new(resource: &Resource) -> Self {
        let scope = InstrumentationScope {
            name: SCOPE_NAME.to_owned(),
            version: VERSION.to_owned(),
            ..Default::default()
        };
        Envelope {
            resource: ResourceLogs { resource: Some(resource.to_otlp()), ..Default::default() }
                .encode_to_vec(),
            scope: ScopeLogs { scope: Some(scope), ..Default::default() }.encode_to_vec(),
        }
    }

    /// Length of a request around `items` bytes of items, in bytes and before compression.
    pub(super) fn request_len(&self, items: usize) -> usize {
        field_len(RESOURCE_ITEMS, self.resource_len(items))
    }

    /// A request around `items`, which are encoded.
    fn request(&self, items: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(self.request_len(items.len()));
        open_field(RESOURCE_ITEMS, self.resource_len(items.len()), &mut out);
        out.put_slice(&self.resource);
        open_field(SCOPE_ITEMS, self.scope.len() + items.len(), &mut out);
        out.put_slice(&self.scope);
        out.put_slice(items);
        out.freeze()
    }

    fn resource_len(&self, items: usize) -> usize {
        self.resource.len() + field_len(SCOPE_ITEMS, self.scope.len() + items)
    }
}

/// Collects items into requests.
pub(super) struct Requests<'a> {
    envelope: &'a Envelope,
    /// The largest request, in bytes and before compression.
    limit: usize,
    compression: Compression,
    /// Items of the request being filled, encoded.
    pub(super) items: Vec<u8>,
    /// How many log records or metric points these are.
    pub(super) count: u64,
    /// The requests that are complete.
    pub(super) encoded: Encoded,
}

impl<'a> Requests<'a> {
    pub(super) fn new(envelope: &'a Envelope, limit: usize, compression: Compression) -> Self {
        Requests { envelope, limit, compression, items: Vec::new(), count: 0, encoded: Encoded::default() }
    }

    /// Whether a request around `items` bytes of items is within the limit.
    pub(super) fn fits(&self, items: usize) -> bool {
        self.envelope.request_len(items) <= self.limit
    }

    /// Completes and compresses the request being filled, unless it is empty, and begins the next.
    pub(super) fn close(&mut self) {
        if self.count > 0 {
            let body = self.envelope.request(&self.items);
            let plain = Request { body, compression: Compression::None, items: self.count };
            self.encoded.requests.push(compress(plain, self.compression));
            self.items.clear();
            self.count = 0;
        }
    }
}
