//! Which network names an address, and what becomes of records.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::NetworksConfig;
use crate::chunk::Chunk;
use crate::component::FlowProcessor;
use crate::fixtures::{bundle, gap, record, record_to};
use crate::record::Record;

const CONFIG: &str = "
networks:
- { cidr: 10.0.0.0/8, attributes: { name: private } }
- { cidr: 192.0.0.0/8, attributes: { name: all, zone: far } }
- { cidr: 192.0.2.0/24, attributes: { name: test-net } }
- { cidr: '2001:db8::/32', attributes: { name: documentation } }
";

fn config(yaml: &str) -> NetworksConfig {
    serde_yaml::from_str(yaml).unwrap()
}

fn attributes(record: &Record) -> Vec<(String, String)> {
    let found = [&record.local_attributes, &record.peer_attributes];
    let pairs = found.into_iter().flatten().flat_map(|bundle| bundle.iter());
    pairs.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn pushed(processor: &mut impl FlowProcessor, records: Vec<Record>) -> Chunk<Record> {
    processor.push(records.into_iter().collect(), Instant::now())
}

#[test]
fn the_longest_prefix_names_each_side() {
    let mut networks = config(CONFIG).start();
    let to = |peer: &str| record_to(peer.parse::<SocketAddr>().unwrap());
    let records = pushed(
        &mut networks,
        vec![record(), to("192.1.1.1:443"), to("[2001:db8::7]:1"), to("198.51.100.1:1"), gap()],
    );
    let local = ("network.local.name", "private");
    let found: Vec<_> = records.iter().map(attributes).collect();
    assert_eq!(
        found[0],
        pairs([local, ("network.peer.name", "test-net")]),
        "without the zone of the shorter prefix"
    );
    assert_eq!(found[1], pairs([local, ("network.peer.name", "all"), ("network.peer.zone", "far")]));
    assert_eq!(found[2], pairs([local, ("network.peer.name", "documentation")]));
    assert_eq!(found[3], pairs([local]));
    assert_eq!(found[4], []);
    let shared = |index: usize| Arc::as_ptr(records[index].local_attributes.as_ref().unwrap());
    assert_eq!(shared(0), shared(3), "all records of a network share its attributes");
}

#[test]
fn what_other_processors_found_stays_in_front() {
    let mut networks = config(CONFIG).start();
    let known = bundle([("container.id", "abc"), ("network.local.name", "mine")]);
    let found = Record { local_attributes: Some(known), ..record() };
    let records = pushed(&mut networks, vec![found.clone(), found]);
    let expected =
        pairs([("container.id", "abc"), ("network.local.name", "mine"), ("network.peer.name", "test-net")]);
    for record in records.iter() {
        assert_eq!(attributes(record), expected);
    }
    let local: Vec<_> = records.iter().map(|record| record.local_attributes.clone().unwrap()).collect();
    assert!(Arc::ptr_eq(&local[0], &local[1]), "merged once");
}

#[test]
fn a_chunk_without_a_known_address_is_not_copied() {
    let mut networks = config("networks: [{ cidr: 203.0.113.0/24, attributes: { name: x } }]").start();
    let chunk: Chunk<Record> = [record(), gap()].into_iter().collect();
    let passed = networks.push(chunk.clone(), Instant::now());
    assert!(chunk.iter().zip(passed.iter()).all(|(before, after)| std::ptr::eq(before, after)));
}

#[test]
fn problems_are_found() {
    let problems = |yaml: &str| {
        config(yaml).validate().into_iter().map(|problem| (problem.path, problem.message)).collect::<Vec<_>>()
    };
    assert_eq!(problems(CONFIG), []);
    assert_eq!(problems("{}")[0].0, "");
    let wrong = problems(
        "{ peer_prefix: network.local., networks: [{ cidr: 10.0.0.1/8, attributes: {} },
           { cidr: 10.0.0.0/8, attributes: { address: x } }, { cidr: 10.0.0.0/8, attributes: { name: x } }] }",
    );
    let paths: Vec<_> = wrong.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        ["peer_prefix", "networks.0", "networks.0", "networks.1", "networks.1", "networks.2"],
        "{wrong:?}"
    );
    assert!(wrong[1].1.contains("did you mean 10.0.0.0/8?"), "{wrong:?}");
    assert!(wrong[3].1.contains("network.local.address is taken"), "{wrong:?}");
    assert!(wrong[5].1.contains("is there twice"), "{wrong:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("networks.yaml");
    let with_file = format!("file: '{}'", file.display());
    assert!(problems(&with_file)[0].1.contains("networks.yaml: No such file"));
    fs::write(&file, "- { cidr: 10.0.0.0/8, atributes: {} }").unwrap();
    assert!(problems(&with_file)[0].1.contains("unknown field `atributes`"), "{:?}", problems(&with_file));
    fs::write(&file, "- { cidr: 10.0.0.0/8, attributes: {} }").unwrap();
    assert!(problems(&with_file)[0].1.contains("network 1: 10.0.0.0/8 has no attributes"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("networks.yaml");
    let write = |name: &str| {
        let new = folder.path().join("new");
        fs::write(&new, format!("- {{ cidr: 192.0.2.0/24, attributes: {{ name: {name} }} }}")).unwrap();
        fs::rename(&new, &file).unwrap();
    };
    write("first");
    let config = config(&format!(
        "{{ file: '{}', networks: [{{ cidr: 10.0.0.0/8, attributes: {{ name: own }} }}] }}",
        file.display()
    ));
    assert_eq!(config.finds(), ["network.local.name", "network.peer.name"]);
    let mut networks = config.start();
    let mut named = || attributes(pushed(&mut networks, vec![record()]).iter().next().unwrap());
    let expected = |name| pairs([("network.local.name", "own"), ("network.peer.name", name)]);
    assert_eq!(named(), expected("first"));
    write("second");
    while named() != expected("second") {
        sleep(Duration::from_secs(1)).await;
    }
    fs::write(&file, "nonsense").unwrap();
    sleep(Duration::from_secs(20)).await;
    assert_eq!(named(), expected("second"), "what can't be read changes nothing");
}
