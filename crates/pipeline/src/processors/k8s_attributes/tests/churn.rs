//! Pods that come and go, and addresses that are given again.

use std::collections::HashSet;

use super::*;
use crate::processors::k8s_attributes::facts::Kind;

const A: &str = "10.1.0.7";

/// Another pod gets the address at the very moment at which the one before ends, a hundred times. The news of the end
/// come after those of the new owner every other time.
#[test]
fn an_address_that_is_reused_a_hundred_times_never_names_the_wrong_pod() {
    let mut store = store("{}");
    let life = 10 * SECOND;
    let name = |number: u64| format!("pod-{number}");
    let born = |number: u64| START + number * life;
    for number in 0..100 {
        let now = born(number);
        let seen = now + 300_000_000;
        let new = pod(&name(number), A, now);
        let before = number.checked_sub(1).map(|before| Pod {
            deletion_asked: Some(floor(now - SECOND)),
            ..pod(&name(before), A, born(before))
        });
        if number % 2 == 0 {
            before.iter().for_each(|before| store.pod_deleted(before, now));
            store.pod(&new, seen);
        } else {
            store.pod(&new, seen);
            before.iter().for_each(|before| store.pod_deleted(before, seen + 100_000_000));
        }
        let live = (seen..born(number + 1)).step_by(100_000_000);
        let named: Vec<_> = live.map(|time| (time, peer(&store, A, time))).collect();
        for (time, named) in &named {
            assert!(named.as_ref().is_none_or(|named| *named == name(number)), "{named:?} at {time}");
        }
        let count = named.iter().filter(|(_, named)| named.is_some()).count();
        assert!(count * 2 > named.len(), "pod {number} is named in {count} of {} cases", named.len());
        // Late records, of all times before.
        for time in (START..now).step_by(250_000_000) {
            let owner = name((time - START) / life);
            let named = peer(&store, A, time);
            assert!(named.as_ref().is_none_or(|named| *named == owner), "{named:?} for {owner} at {time}");
        }
    }
    assert_eq!(store.count(Kind::Pod), 1);
}

#[test]
fn two_that_claim_one_address_at_one_time_are_named_by_neither() {
    let mut store = store("{}");
    let now = START + 60 * SECOND;
    store.pod(&pod("a", A, START), now);
    assert_eq!(peer(&store, A, now).as_deref(), Some("a"));
    store.pod(&pod("b", A, now), now + SECOND);
    assert_eq!(peer(&store, A, now + SECOND), None);
    assert_eq!(peer(&store, A, now - 10 * SECOND).as_deref(), Some("a"), "before the other one began");
    let over = Pod { is_over: true, finished: Some(now), ..pod("a", A, START) };
    store.pod(&over, now + 2 * SECOND);
    assert_eq!(peer(&store, A, now + 3 * SECOND), None, "the end may be later than it was told");
    assert_eq!(peer(&store, A, now + 5 * SECOND).as_deref(), Some("b"));
}

#[test]
fn an_ended_pod_is_known_for_late_records_and_then_forgotten() {
    let mut store = store("{}");
    store.pod(&pod("a", A, START), START + SECOND);
    let end = START + 100 * SECOND;
    let last = Pod { finished: Some(end), deletion_asked: Some(end - SECOND), ..pod("a", A, START) };
    store.pod_deleted(&last, end + SECOND);
    assert_eq!(peer(&store, A, end - 2 * SECOND).as_deref(), Some("a"));
    assert_eq!(peer(&store, A, end + 10 * SECOND), None, "its address is not its own any more");
    let name = |store: &Store| local(store, "uid-a", "id-a", "k8s.pod.name");
    assert_eq!(name(&store).as_deref(), Some("a"), "what dies with its last retransmission is named");
    store.forget(end);
    assert_eq!(name(&store).as_deref(), Some("a"));
    store.forget(end + SECOND);
    assert_eq!(name(&store), None);
    assert_eq!(peer(&store, A, end - 2 * SECOND), None);
    assert_eq!(store.addresses(), 0);
}

#[test]
fn too_many_ended_pods_are_forgotten_before_their_time() {
    let mut store = store("{}");
    for number in 0..10_000 {
        let name = number.to_string();
        store.pod(&pod(&name, A, START), START);
        store.pod_deleted(&pod(&name, A, START), START);
        store.forget(0);
    }
    assert_eq!(local(&store, "uid-0", "id-0", "k8s.pod.name"), None);
    assert_eq!(local(&store, "uid-9999", "id-9999", "k8s.pod.name").as_deref(), Some("9999"));
    assert!(store.len() <= 4096, "{}", store.len());
}

#[test]
fn what_a_new_list_does_not_have_is_gone() {
    let mut store = store("{}");
    let away = START + 100 * SECOND;
    for (name, address) in [("a", A), ("b", "10.1.0.8")] {
        store.pod(&pod(name, address, START), START);
    }
    // The server was away, a ended, and c got its address.
    let now = away + 300 * SECOND;
    store.pod(&pod("c", A, now - 100 * SECOND), now);
    store.pod(&pod("b", "10.1.0.8", START), now);
    let listed: HashSet<String> = ["uid-b", "uid-c"].map(str::to_owned).into();
    store.listed(Kind::Pod, &listed, away, now);
    assert_eq!(store.count(Kind::Pod), 2);
    assert_eq!(peer(&store, A, away - 10 * SECOND).as_deref(), Some("a"), "when the server was last heard");
    assert_eq!(peer(&store, A, now - 200 * SECOND), None, "nobody knows when it ended");
    assert_eq!(peer(&store, A, now + 5 * SECOND).as_deref(), Some("c"));
    assert_eq!(peer(&store, "10.1.0.8", now).as_deref(), Some("b"));
}

#[test]
fn a_pod_that_gets_other_addresses_has_each_in_its_time() {
    let mut store = store("{}");
    store.pod(&pod("a", A, START), START + SECOND);
    let later = START + 50 * SECOND;
    store.pod(&pod("a", A, START), later);
    // Its containers were started with the other address.
    store.pod(&pod("a", "10.1.0.9", START), later + 10 * SECOND);
    assert_eq!(peer(&store, A, later - 3 * SECOND).as_deref(), Some("a"));
    assert_eq!(peer(&store, A, later + 11 * SECOND), None);
    assert_eq!(peer(&store, "10.1.0.9", later), None);
    assert_eq!(peer(&store, "10.1.0.9", later + 11 * SECOND).as_deref(), Some("a"));
}

#[test]
fn a_pod_that_was_over_when_it_was_first_seen_has_no_address() {
    let mut store = store("{}");
    let now = START + 1000 * SECOND;
    // Finished jobs stay in the API for days, and show an address that is another pod's by now.
    let done = Pod { is_over: true, finished: Some(START + SECOND), ..pod("done", A, START) };
    store.pod(&pod("a", A, START + 500 * SECOND), now);
    store.pod(&done, now);
    assert_eq!(peer(&store, A, now).as_deref(), Some("a"));
    assert_eq!(local(&store, "uid-done", "id-done", "k8s.pod.name").as_deref(), Some("done"));
}

#[test]
fn a_pod_that_changes_its_addresses_for_ever_takes_no_more_memory() {
    let mut store = store("{}");
    for number in 0..5000_u64 {
        let address = match number % 2 {
            0 => A.to_owned(),
            _ => format!("10.2.{}.{}", number / 256 % 256, number % 256),
        };
        store.pod(&pod("a", &address, START), START + number * SECOND);
    }
    let (last, now) = ("10.2.19.135", START + 4999 * SECOND);
    assert_eq!(peer(&store, last, now).as_deref(), Some("a"));
    assert!(store.addresses() < 40, "{}", store.addresses());
    store.pod_deleted(&pod("a", last, START), now);
    store.forget(now);
    assert_eq!(store.addresses(), 0);
}
