//! How requests travel, and how a configuration or the environment says it.

pub use otel_tcpretrans_pipeline::delivery::Format;

/// The type of an exporter, which decides its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `otlp`: gRPC. If the configuration names no endpoint, `OTEL_EXPORTER_OTLP_PROTOCOL` may say HTTP.
    Otlp,
    /// `otlp_http`: HTTP.
    OtlpHttp,
    /// The process's own telemetry: gRPC.
    OwnTelemetry,
}

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP/1.1.
    Http(Format),
}

impl Protocol {
    /// Reads the value of `OTEL_EXPORTER_OTLP_PROTOCOL`, in capital or small letters.
    pub(super) fn parse(value: &str) -> Result<Protocol, String> {
        match value.to_ascii_lowercase().as_str() {
            "grpc" => Ok(Protocol::Grpc),
            "http/protobuf" => Ok(Protocol::Http(Format::Proto)),
            "http/json" => Ok(Protocol::Http(Format::Json)),
            _ => Err(format!("expected grpc, http/protobuf or http/json, found {value:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_words_are_read() {
        assert_eq!(Protocol::parse("GRPC"), Ok(Protocol::Grpc));
        assert_eq!(Protocol::parse("http/protobuf"), Ok(Protocol::Http(Format::Proto)));
        assert_eq!(Protocol::parse("HTTP/JSON"), Ok(Protocol::Http(Format::Json)));
        let message = Protocol::parse("http").unwrap_err();
        assert_eq!(message, "expected grpc, http/protobuf or http/json, found \"http\"");
    }
}
