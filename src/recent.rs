//! Keeps the last warnings and errors of the log, for pages that show them.

use std::fmt::{self, Write};
use std::time::SystemTime;

use otel_tcpretrans_pipeline::recent::{Message, Recent};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The layer of the log that keeps them.
pub(crate) struct Keep(pub(crate) Recent);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return; // the more is logged at a level, the greater it is
        }
        let mut text = Text::default();
        event.record(&mut text);
        let Text { message, fields } = text;
        let text = message + &fields;
        self.0.add(Message { time: SystemTime::now(), is_error: level == Level::ERROR, text });
    }
}

/// The message, and the fields as they follow it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn warnings_and_errors_are_kept_with_their_fields() {
        let recent = Recent::default();
        let subscriber = tracing_subscriber::registry().with(Keep(recent.clone()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("not this");
            tracing::warn!(exporter = "otlp", items = 3, "dropped");
            tracing::error!("failed: {}", "why");
        });
        let kept: Vec<_> = recent.messages().into_iter().map(|kept| (kept.is_error, kept.text)).collect();
        let expected =
            [(true, "failed: why".to_owned()), (false, "dropped exporter=\"otlp\" items=3".to_owned())];
        assert_eq!(kept, expected);
    }
}
