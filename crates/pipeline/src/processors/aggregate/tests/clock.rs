//! The wall clock may be set. Series keep their start and their value then, and idle time is not measured by it.

use super::support::{Sums, by_port, changes, config, counted, of, of_port};
use crate::fixtures::record;
use crate::processors::aggregate::EVENTS;

const SERIES: &str = "tcp ipv4 fast established";

#[test]
fn a_clock_set_back_moves_no_start_and_no_time() {
    let mut sums = Sums::new(&config(), 1000);
    let mut report = |wall, now, records: usize| {
        sums.add(vec![record(); records]);
        let points = sums.report_with_wall_clock(wall, now);
        let changed = of(&changes(&points), SERIES, &EVENTS);
        (of(&counted(&points), SERIES, &EVENTS), changed)
    };
    assert_eq!(report(1005, 5, 1), (vec![(1000, 1000, 0), (1000, 1005, 1)], vec![(1000, 1005, 1)]));
    // The clock is set back by 500 s. The time of the points does not change, and the value still grows.
    assert_eq!(report(510, 10, 1), (vec![(1000, 1005, 2)], vec![(1005, 1005, 1)]));
    assert_eq!(report(515, 15, 0), (vec![(1000, 1005, 2)], vec![]));
    assert_eq!(report(1004, 504, 3), (vec![(1000, 1005, 5)], vec![(1005, 1005, 3)]));
    // The clock has caught up.
    assert_eq!(report(1009, 509, 1), (vec![(1000, 1009, 6)], vec![(1005, 1009, 1)]));
}

#[test]
fn a_series_that_begins_while_the_clock_is_behind_starts_at_the_last_report() {
    let mut sums = Sums::new(&by_port(), 1000);
    sums.report_with_wall_clock(1005, 5);
    sums.add([of_port(80)]);
    let points = counted(&sums.report_with_wall_clock(500, 10));
    assert_eq!(of(&points, &format!("{SERIES} 80"), &EVENTS), [(1005, 1005, 0), (1005, 1005, 1)]);
}

#[test]
fn a_step_of_the_clock_does_not_count_as_idle_time() {
    const DAY: u64 = 24 * 60 * 60;
    for wall_of in [|now| 2 * DAY + now, |now| 3 * DAY + now, |now| DAY + now] {
        let mut sums = Sums::new(&by_port(), 2 * DAY);
        sums.add([of_port(80)]);
        sums.report_with_wall_clock(2 * DAY + 5, 5);
        // In the second and the third round the clock steps here.
        for now in [10, 15, 20, 24] {
            let points = counted(&sums.report_with_wall_clock(wall_of(now), now));
            assert_eq!(
                of(&points, &format!("{SERIES} 80"), &EVENTS).len(),
                1,
                "the series has not ended at {now}"
            );
        }
        let points = counted(&sums.report_with_wall_clock(wall_of(25), 25));
        assert_eq!(of(&points, &format!("{SERIES} 80"), &EVENTS), [], "idle for 20 s");
        assert_eq!(of(&points, SERIES, &EVENTS).len(), 1);
    }
}
