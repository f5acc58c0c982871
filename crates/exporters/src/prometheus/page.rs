//! The page: the table in Prometheus's text format or as OpenMetrics text.

use std::fmt;
use std::sync::Arc;

use otel_tcpretrans_pipeline::metric::Number;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::accept::Format;
use super::table::Table;

/// Writes the page.
///
/// # Errors
/// None: a string takes everything.
pub(super) fn write(table: &Arc<Table>, format: Format, now: Instant) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Page { table: Arc::clone(table), now }));
    let mut page = String::new();
    match format {
        Format::Text => prometheus_text::encode(&mut page, &registry)?,
        Format::OpenMetrics => text::encode(&mut page, &registry)?,
    }
    Ok(page)
}

struct Page {
    table: Arc<Table>,
    now: Instant,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page")
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut target = encoder.encode_descriptor("target", "Target metadata", None, MetricType::Info)?;
        target.encode_info(&self.table.target.as_slice())?;
        for family in self.table.families(self.now) {
            let unit = family.unit.as_ref();
            let mut metric = encoder.encode_descriptor(&family.name, family.help, unit, family.kind)?;
            for (labels, value) in &family.series {
                let labels = labels.as_slice();
                let exemplar = None::<&Exemplar<NoLabelSet, f64>>;
                let mut metric = metric.encode_family(&labels)?;
                match (family.kind, family.values.number(*value)) {
                    (MetricType::Gauge, Number::Int(number)) => metric.encode_gauge(&number)?,
                    (MetricType::Gauge, Number::Double(number)) => metric.encode_gauge(&number)?,
                    (_, Number::Int(_)) => metric.encode_counter(value, exemplar)?,
                    (_, Number::Double(number)) => metric.encode_counter(&number, exemplar)?,
                }
            }
        }
        Ok(())
    }
}
