//! Requests around encoded items: the resource and the scope, which are the same in each request, and the lengths.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use prost::Message;

use super::wire::{Field, field_len, open};
use crate::resource::Resource;
use crate::{SCOPE_NAME, VERSION};

/// `resource_logs` and `resource_metrics` of a request (opentelemetry/proto/collector/logs/v1/logs_service.proto and
/// metrics/v1/metrics_service.proto).
const RESOURCE_ITEMS: Field = 1;
/// `scope_logs` of `ResourceLogs`, and `scope_metrics` of `ResourceMetrics` (opentelemetry/proto/logs/v1/logs.proto and
/// metrics/v1/metrics.proto).
const SCOPE_ITEMS: Field = 2;
/// `log_records` of `ScopeLogs`, and `metrics` of `ScopeMetrics`.
pub(super) const ITEM: Field = 2;

/// More bytes of items than a request ever has. A gRPC message has less than 4 GiB.
const LONGEST: usize = u32::MAX as usize;

/// What goes before the items of a request: resource and scope, encoded once. Logs and metrics share the field numbers.
pub(super) struct Envelope {
    resource: Vec<u8>,
    scope: Vec<u8>,
    /// The longest that goes before items, in bytes. A part of it depends on the length of the items, and so is known
    /// only after them.
    room: usize,
}

impl Envelope {
    pub(super) fn new(resource: &Resource) -> Self {
        let scope = InstrumentationScope {
            name: SCOPE_NAME.to_owned(),
            version: VERSION.to_owned(),
            ..Default::default()
        };
        let mut envelope = Envelope {
            resource: ResourceLogs { resource: Some(resource.to_otlp()), ..Default::default() }
                .encode_to_vec(),
            scope: ScopeLogs { scope: Some(scope), ..Default::default() }.encode_to_vec(),
            room: 0,
        };
        envelope.room = envelope.request_len(LONGEST) - LONGEST;
        envelope
    }

    /// How much room the caller leaves before items for [`Envelope::put_head`], in bytes.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// Length of a request around `items` bytes of items, in bytes and before compression.
    pub(super) fn request_len(&self, items: usize) -> usize {
        field_len(self.resource_len(items))
    }

    /// Fills the room before the items in `buffer`, and returns where in it the request starts.
    pub(super) fn put_head(&self, buffer: &mut [u8]) -> usize {
        let items = buffer.len() - self.room;
        let mut head = Vec::with_capacity(self.room);
        open(&mut head, RESOURCE_ITEMS, self.resource_len(items));
        head.extend_from_slice(&self.resource);
        open(&mut head, SCOPE_ITEMS, self.scope.len() + items);
        head.extend_from_slice(&self.scope);
        let start = self.room - head.len();
        buffer[start..self.room].copy_from_slice(&head);
        start
    }

    fn resource_len(&self, items: usize) -> usize {
        self.resource.len() + field_len(self.scope.len() + items)
    }
}
