//! The last point of each series, and the labels that all of them have.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otel_tcpretrans_pipeline::attribute::{Key, OwnedValue};
use otel_tcpretrans_pipeline::metric::{Descriptor, Kind, MetricPoint};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use tokio::time::Instant;

use super::config::Config;
use super::names::{self, label, labels};
use super::view::{View, ViewType};
use crate::resource::Resource;
use crate::{SCOPE_NAME, VERSION};

/// What a page shows of one metric.
pub(super) struct Family {
    /// Its name, without the unit at its end and without `_total`.
    pub(super) name: String,
    pub(super) help: &'static str,
    pub(super) unit: Option<Unit>,
    pub(super) kind: MetricType,
    /// How its values are shown.
    pub(super) values: Kind,
    /// The value of each series, by its labels.
    pub(super) series: BTreeMap<Labels, u64>,
}

type Labels = Vec<(String, String)>;

/// The series of an exporter.
pub(super) struct Table {
    namespace: Option<String>,
    /// What is shown; `None` means everything under its own name.
    views: Option<Vec<View>>,
    /// The labels of `target_info`.
    pub(super) target: Vec<(String, String)>,
    /// The labels of each series.
    shared: BTreeMap<String, String>,
    expiration: Duration,
    series: Mutex<BTreeMap<&'static str, Metric>>,
}

struct Metric {
    descriptor: &'static Descriptor,
    series: HashMap<Attributes, Series>,
}

type Attributes = Arc<[(Key, OwnedValue)]>;

struct Series {
    /// Its labels in each view of its metric, or its own labels if there are no views.
    labels: Vec<Labels>,
    value: u64,
    updated: Instant,
}

impl Table {
    pub(super) fn new(config: &Config, resource: &Resource) -> Table {
        let text = |name: &str| resource.get(name).map(ToString::to_string);
        let job = match (text("service.namespace"), text("service.name")) {
            (Some(namespace), Some(name)) => Some(format!("{namespace}/{name}")),
            (_, name) => name,
        };
        let identity = [("job", job), ("instance", text("service.instance.id"))];
        let identity: BTreeMap<String, String> =
            identity.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let is_identity =
            |name: &str| ["service.namespace", "service.name", "service.instance.id"].contains(&name);
        let others = resource.attributes().filter(|(name, _)| !is_identity(name));
        let mut target = labels(others.map(|(name, value)| (name, value.to_string())));
        target.extend(identity.clone());

        let mut shared = BTreeMap::new();
        if config.resource_to_telemetry_conversion.enabled {
            shared = labels(resource.attributes().map(|(name, value)| (name, value.to_string())));
        }
        if !config.without_scope_info {
            shared.insert("otel_scope_name".to_owned(), SCOPE_NAME.to_owned());
            shared.insert("otel_scope_version".to_owned(), VERSION.to_owned());
        }
        shared.extend(identity);
        shared.extend(config.const_labels.iter().map(|(name, value)| (label(name), value.clone())));
        Table {
            namespace: config.namespace.clone(),
            views: config.all_views(),
            target: target.into_iter().collect(),
            shared,
            expiration: *config.metric_expiration,
            series: Mutex::default(),
        }
    }

    /// Takes over the values of points that arrive at `now`.
    pub(super) fn update<'p>(&self, points: impl Iterator<Item = &'p MetricPoint>, now: Instant) {
        let mut metrics = self.lock();
        for point in points {
            let descriptor = point.descriptor;
            let metric = metrics
                .entry(descriptor.name)
                .or_insert_with(|| Metric { descriptor, series: HashMap::new() });
            let series = metric.series.entry(Arc::clone(&point.attributes)).or_insert_with(|| Series {
                labels: self.labels(point),
                value: 0,
                updated: now,
            });
            (series.value, series.updated) = (point.total.value, now);
        }
    }

    /// What there is to show at `now`. Series without a new point for too long end.
    pub(super) fn families(&self, now: Instant) -> Vec<Family> {
        let mut metrics = self.lock();
        for metric in metrics.values_mut() {
            metric.series.retain(|_, series| now.duration_since(series.updated) < self.expiration);
        }
        let metrics = metrics.values().filter(|metric| !metric.series.is_empty());
        metrics.flat_map(|metric| self.families_of(metric)).collect()
    }

    fn families_of(&self, metric: &Metric) -> Vec<Family> {
        let descriptor = metric.descriptor;
        let mut families = match &self.views {
            None => vec![self.own_family(descriptor)],
            Some(_) => self.views_of(descriptor.name).map(|view| family(descriptor, view)).collect(),
        };
        for series in metric.series.values() {
            for (family, labels) in families.iter_mut().zip(&series.labels) {
                *family.series.entry(labels.clone()).or_default() += series.value;
            }
        }
        families
    }

    fn views_of(&self, metric: &str) -> impl Iterator<Item = &View> {
        self.views.iter().flatten().filter(move |view| view.metric == metric)
    }

    fn own_family(&self, descriptor: &Descriptor) -> Family {
        let unit = names::unit(descriptor.unit);
        Family {
            name: names::metric(self.namespace.as_deref(), descriptor.name, unit.as_ref()),
            help: descriptor.description,
            unit,
            kind: match descriptor.kind {
                Kind::MonotonicSum | Kind::MonotonicTime => MetricType::Counter,
            },
            values: descriptor.kind,
            series: BTreeMap::new(),
        }
    }

    fn labels(&self, point: &MetricPoint) -> Vec<Labels> {
        let with_shared = |mut labels: BTreeMap<String, String>| {
            labels.extend(self.shared.clone());
            labels.into_iter().collect()
        };
        let own = point.attributes.iter().map(|(key, value)| (key.name(), value.value().to_string()));
        match &self.views {
            None => vec![with_shared(labels(own))],
            Some(_) => {
                self.views_of(point.descriptor.name).map(|view| with_shared(view.labels(point))).collect()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Metric>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a page shows of a metric in a view.
fn family(descriptor: &Descriptor, view: &View) -> Family {
    Family {
        name: view.name.strip_suffix("_total").unwrap_or(&view.name).to_owned(),
        help: descriptor.description,
        unit: None,
        kind: match view.kind {
            ViewType::Counter => MetricType::Counter,
            ViewType::Gauge => MetricType::Gauge,
        },
        values: descriptor.kind,
        series: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::point;

    #[test]
    fn a_series_ends_when_it_is_not_repeated() {
        let table = Table::new(&Config::default(), &Resource::default());
        let start = Instant::now();
        let values = |after: u64| {
            let families = table.families(start + Duration::from_secs(after));
            families.iter().flat_map(|family| family.series.values().copied()).collect::<Vec<_>>()
        };
        table.update([point(4)].iter(), start);
        assert_eq!(values(200), [4]);
        table.update([point(5)].iter(), start + Duration::from_secs(200));
        assert_eq!(values(499), [5]);
        assert_eq!(values(500), [0; 0]);
        table.update([point(6)].iter(), start + Duration::from_secs(501));
        assert_eq!(values(501), [6], "it comes back");
    }
}
