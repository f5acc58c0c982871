//! Any history of one address against what is true: it names its owner or nobody.

use proptest::prelude::*;

use super::*;

const A: &str = "10.1.0.7";
const MILLI: u64 = 1_000_000;
/// The longest delay of news, in ms.
const LATE: u64 = 900;

/// One owner of the address. All times are in ms.
#[derive(Clone, Debug)]
struct Life {
    /// From the end of the owner before.
    gap: u64,
    length: u64,
    /// The kubelet took the pod so long before it had the address.
    started: u64,
    /// Its first container was started so long after that.
    running: u64,
    /// Its last container ended so long before it lost the address.
    finished: u64,
    /// How far its node's clock is ahead, plus 500.
    skew: u64,
    /// How late the news come: of the pod without an address, of the address, of the end.
    late: [u64; 3],
    /// Whether the end is told with times, or by a deletion alone.
    tells_end: bool,
}

fn life() -> impl Strategy<Value = Life> {
    let times = (0..8000_u64, 500..40_000_u64, 0..3000_u64, 0..3000_u64, 0..2000_u64);
    (times, 0..1000_u64, [0..LATE, 0..LATE, 0..LATE], any::<bool>()).prop_map(
        |(times, skew, late, tells_end)| {
            let (gap, length, started, running, finished) = times;
            Life { gap, length, started, running, finished, skew, late, tells_end }
        },
    )
}

/// From when to when an owner had the address, in ns, and its name.
type Owner = (u64, u64, String);

/// What is told.
enum News {
    Pod(Pod),
    Deleted(Pod),
}

/// When the owners had the address, and the news in the order in which they come.
fn history(lives: &[Life]) -> (Vec<Owner>, Vec<(u64, News)>) {
    let (mut owners, mut news, mut at) = (Vec::new(), Vec::new(), START / MILLI + 100_000);
    for (number, life) in lives.iter().enumerate() {
        let (from, to) = (at + life.gap, at + life.gap + life.length);
        at = to;
        let name = format!("pod-{number}");
        let by_its_clock = |time: u64| floor((time + life.skew - 500) * MILLI);
        let started = from - life.started;
        let full = Pod {
            created: by_its_clock(started),
            started: Some(by_its_clock(started)),
            running_since: Some(by_its_clock(from + life.running)),
            ..pod(&name, A, 0)
        };
        let bare = Pod { addresses: Vec::new(), running_since: None, ..full.clone() };
        // The news of one pod come in their order.
        let bare_seen = started + life.late[0];
        let full_seen = bare_seen.max(from + life.late[1]);
        news.push((bare_seen, News::Pod(bare)));
        news.push((full_seen, News::Pod(full.clone())));
        let finished = by_its_clock(to - life.finished.min(life.length));
        let last = match life.tells_end {
            true => Pod { finished: Some(finished), running_since: None, ..full },
            false => full,
        };
        news.push((full_seen.max(to + life.late[2]), News::Deleted(last)));
        owners.push((from * MILLI, to * MILLI, name));
    }
    news.sort_by_key(|(time, _)| *time);
    (owners, news)
}

proptest! {
    #[test]
    fn an_address_names_its_owner_or_nobody(
        lives in prop::collection::vec(life(), 1..8),
        // Around the beginnings and the ends: of which life, how long after, and how late it is asked.
        asked in prop::collection::vec((0..8_usize, any::<bool>(), 0..6000_u64, 0..6000_u64), 100),
    ) {
        let (owners, news) = history(&lives);
        // A question about a time is asked when the news of that time have come, or later.
        let mut asked: Vec<(u64, u64)> = asked
            .iter()
            .map(|(number, is_end, after, later)| {
                let (from, to, _) = owners[number % owners.len()];
                let time = (if *is_end { to } else { from }) / MILLI + after - 3000;
                (time, time + LATE + later)
            })
            .collect();
        asked.sort_by_key(|(_, when)| *when);
        let mut store = store("{}");
        let mut news = news.into_iter().peekable();
        for (time, when) in asked {
            while let Some((seen, news)) = news.next_if(|(seen, _)| *seen <= when) {
                match news {
                    News::Pod(pod) => store.pod(&pod, seen * MILLI),
                    News::Deleted(pod) => store.pod_deleted(&pod, seen * MILLI),
                }
            }
            let time = time * MILLI;
            let owner = owners.iter().find(|(from, to, _)| (*from..=*to).contains(&time)).map(|(.., name)| name);
            let named = peer(&store, A, time);
            prop_assert!(named.is_none() || named.as_ref() == owner, "{named:?} for {owner:?} at {}", time / MILLI);
        }
    }

    /// The rule above is not kept by never naming anything.
    #[test]
    fn a_long_life_is_named(lives in prop::collection::vec(life(), 1..6), number in 0..6_usize) {
        let number = number % lives.len();
        let mut lives = lives;
        lives[number].length = 60_000;
        let (owners, news) = history(&lives);
        let mut store = store("{}");
        let (from, to, name) = &owners[number];
        let middle = (from + to) / 2;
        for (seen, news) in news.into_iter().filter(|(seen, _)| seen * MILLI <= middle + SECOND) {
            match news {
                News::Pod(pod) => store.pod(&pod, seen * MILLI),
                News::Deleted(pod) => store.pod_deleted(&pod, seen * MILLI),
            }
        }
        let named = peer(&store, A, middle);
        prop_assert_eq!(named.as_ref(), Some(name));
    }
}
