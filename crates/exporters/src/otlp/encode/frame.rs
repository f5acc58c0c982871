//! The parts of a request that are the same in each: resource, scope, and the lengths around them.

use bytes::{Bytes, BytesMut};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use otel_tcpretrans_pipeline::delivery::{Compression, Encoded, Request};
use prost::Message;
use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::resource::Resource;
use crate::{SCOPE_NAME, VERSION};

/// Field number of `resource_logs` and `resource_metrics` in a request.
const RESOURCE_ITEMS: u32 = 1;
/// Field number of `scope_logs` and `scope_metrics` in these.
const SCOPE_ITEMS: u32 = 2;
/// Field number of `log_records` and `metrics` in these.
pub(super) const ITEM: u32 = 2;

/// Length of a field of `content` bytes, with its key and its length.
pub(super) fn field_len(number: u32, content: usize) -> usize {
    key_len(number) + encoded_len_varint(content as u64) + content
}

/// Opens a field whose content, `content` bytes, is to follow.
pub(super) fn open_field(number: u32, content: usize, out: &mut impl BufMut) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(content as u64, out);
}

/// Resource and scope, encoded: what goes around a request's items. Logs and metrics share the field numbers.
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

    /// Length of a request around `items` bytes of items.
    pub(super) fn request_len(&self, items: usize) -> usize {
        field_len(RESOURCE_ITEMS, self.resource_len(items))
    }

    /// A request around items.
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

/// Requests in the making.
pub(super) struct Requests<'a> {
    envelope: &'a Envelope,
    limit: usize,
    /// Items of the request being filled.
    pub(super) items: Vec<u8>,
    /// How many there are.
    pub(super) count: u64,
    /// What is done.
    pub(super) encoded: Encoded,
}

impl<'a> Requests<'a> {
    pub(super) fn new(envelope: &'a Envelope, limit: usize) -> Self {
        Requests { envelope, limit, items: Vec::new(), count: 0, encoded: Encoded::default() }
    }

    /// Would a request around `items` bytes of items be within the limit?
    pub(super) fn fits(&self, items: usize) -> bool {
        self.envelope.request_len(items) <= self.limit
    }

    /// Closes the request being filled, if there is anything in it, and begins the next.
    pub(super) fn close(&mut self) {
        if self.count > 0 {
            let body = self.envelope.request(&self.items);
            self.encoded.requests.push(Request { body, compression: Compression::None, items: self.count });
            self.items.clear();
            self.count = 0;
        }
    }
}
