//! The defaults, and what is refused.

#![allow(clippy::unwrap_used)]

use super::AggregateConfig;
use crate::attribute::Attribute;
use crate::config::Interval;

#[test]
fn configuration() {
    let defaults: AggregateConfig = serde_yaml::from_str("{}").unwrap();
    assert_eq!(defaults, AggregateConfig::default());
    assert!(defaults.validate().is_empty());
    let written = "interval: 10s\nattributes: []\nmax_series: 2000\ntemporality: cumulative\nmax_idle: 15m\nrtt: false\n";
    assert_eq!(serde_yaml::to_string(&defaults).unwrap(), written);
    let yaml = "{ attributes: [network.peer.address, network.local.port, tcp.flags], temporality: delta }";
    let config: AggregateConfig = serde_yaml::from_str(yaml).unwrap();
    assert!(config.validate().is_empty());
    let config: AggregateConfig = serde_yaml::from_str("attributes: [tcp.flags, zone]").unwrap();
    assert_eq!(
        config.asks().map(|ask| (ask.path, ask.name)).collect::<Vec<_>>(),
        [("attributes.1".to_owned(), "zone")]
    );
}

#[test]
fn unsuitable_attributes_are_problems() {
    let attributes = [
        "tcp.seq",
        "tcp.rtt",
        "tcp.cwnd",
        "tcp.events",
        "tcp.failures",
        "tcp.segments",
        "tcp.bytes",
        "tcp.total_retransmits",
        "tcp.segments_sent",
        "tcp.dsack_dups",
        "otel.metric.overflow",
        "network.transport",
        "network.type",
        "network.tcp.retransmit.type",
        "network.tcp.handshake.role",
        "network.connection.state",
        "error.type",
    ];
    let config = AggregateConfig {
        attributes: attributes.iter().map(|name| name.parse().unwrap()).collect(),
        ..AggregateConfig::default()
    };
    let problems = config.validate();
    assert_eq!(problems.len(), attributes.len(), "{problems:?}");
    for (index, (problem, name)) in problems.iter().zip(attributes).enumerate() {
        assert_eq!(problem.path, format!("attributes.{index}"));
        assert!(problem.message.starts_with(&format!("{name} is ")), "{}", problem.message);
        assert!(problem.message.contains("expected any of network.local.address, "), "{}", problem.message);
    }
    let twice = AggregateConfig { attributes: vec![Attribute::Mss.into(); 2], ..AggregateConfig::default() };
    assert_eq!(twice.validate()[0].path, "attributes.1");
}

#[test]
fn wrong_values_are_problems() {
    let wrong = AggregateConfig {
        interval: Interval::ZERO,
        max_series: 0,
        max_idle: Interval::from_secs(1),
        ..AggregateConfig::default()
    };
    let paths: Vec<_> = wrong.validate().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["interval", "max_series"]);
    let hasty = AggregateConfig { max_idle: Interval::from_secs(1), ..AggregateConfig::default() };
    assert_eq!(hasty.validate()[0].path, "max_idle");
}
