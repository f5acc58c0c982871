//! The real binary on the real kernel: its numbers, its privileges, its signals, its own telemetry. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod audit;
mod cgroups;
mod clock;
mod containers;
mod counts;
mod descriptors;
mod disk;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod ends;
mod file;
mod idle;
mod journal;
mod own_telemetry;
mod paranoid;
mod privileges;
mod recording;
mod reloads;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../delivery/run.rs"]
mod run;
mod sandbox;
mod stopped;
mod tcp_stats;
mod trace;
mod watchdog;

use std::process::ExitCode;

use e2e::support::harness::{Case, main_where};
use rustix::process::Signal;

/// The one case that needs more than root.
const IN_A_USER_NAMESPACE: &str = "in_a_user_namespace_it_exits_with_77";

fn main() -> ExitCode {
    let cases: &[Case] = &[
        ("cumulative_metrics_and_logs_equal_the_kernel", || counts::equal_the_kernel("cumulative")),
        ("delta_metrics_and_logs_equal_the_kernel", || counts::equal_the_kernel("delta")),
        ("an_aggregated_series_per_peer_equals_the_kernel", counts::a_series_per_peer),
        ("a_storm_loses_nothing_by_ringbuf", || counts::a_storm_loses_nothing("ringbuf")),
        ("a_storm_loses_nothing_by_perf", || counts::a_storm_loses_nothing("perf")),
        ("capabilities_are_enough_without_root", privileges::capabilities_are_enough),
        (
            "capabilities_are_enough_where_perf_is_for_root",
            privileges::capabilities_are_enough_where_paranoid,
        ),
        ("without_btf_it_exits_with_77", privileges::without_btf),
        ("check_as_root_prints_the_plan", privileges::check_as_root),
        (IN_A_USER_NAMESPACE, privileges::in_a_user_namespace),
        ("in_a_time_namespace_events_have_wall_time", clock::in_a_time_namespace),
        ("sigterm_drains", || ends::drains_on(Signal::TERM)),
        ("sigint_drains", || ends::drains_on(Signal::INT)),
        ("a_second_signal_ends_a_hanging_drain", ends::a_second_signal_ends_a_hanging_drain),
        ("a_drain_without_a_backend_ends_at_its_deadline", ends::a_drain_ends_at_its_deadline),
        ("sighup_is_ignored_in_a_drain", ends::sighup_is_ignored_in_a_drain),
        ("ten_reloads_in_a_storm_change_no_count", reloads::in_a_storm),
        ("a_reload_that_is_refused_changes_nothing", reloads::refused),
        ("a_reload_replaces_a_receiver_that_has_changed", reloads::of_a_receiver),
        ("every_thread_is_confined", sandbox::every_thread_is_confined),
        ("tcp_stats_keeps_one_capability", sandbox::tcp_stats_keeps_one_capability),
        ("files_elsewhere_stay_closed", sandbox::files_elsewhere_stay_closed),
        ("the_watchdog_is_not_fed_while_the_reader_hangs", watchdog::is_not_fed_while_the_reader_hangs),
        ("the_journal_has_fields_and_priorities", journal::has_fields_and_priorities),
        ("a_closed_stdout_is_counted_and_survived", ends::a_closed_stdout_is_survived),
        ("a_recording_replayed_equals_the_kernel", || recording::replayed_equals_the_kernel(16)),
        ("a_small_recording_replayed_equals_the_kernel", || recording::replayed_equals_the_kernel(8)),
        ("a_recording_on_a_full_disk_is_readable_and_exits_with_1", recording::on_a_full_disk),
        ("a_file_on_a_full_disk_has_whole_requests_and_goes_on", file::on_a_full_disk),
        ("a_queue_on_a_full_disk_is_in_the_books_and_goes_on", disk::a_queue_on_a_full_disk),
        ("a_queue_on_a_read_only_disk_is_an_error_at_the_start", disk::a_queue_on_a_read_only_disk),
        ("a_recording_ends_in_time_and_overwrites_by_force_alone", recording::ends_in_time),
        ("stopped_in_a_storm_the_sums_equal_the_kernel_by_ringbuf", || {
            stopped::sums_equal_the_kernel("ringbuf")
        }),
        ("stopped_in_a_storm_the_sums_equal_the_kernel_by_perf", || stopped::sums_equal_the_kernel("perf")),
        ("no_descriptor_is_used_after_it_is_closed", descriptors::none_is_used_after_its_close),
        ("idle_it_sleeps_by_ringbuf", idle::it_sleeps),
        ("idle_it_hardly_wakes_by_perf", idle::it_hardly_wakes_by_perf),
        ("short_lived_containers_and_units_are_named", cgroups::are_named),
        ("containers_of_a_real_runtime_are_named", containers::are_named),
        ("the_kernels_counters_are_those_of_the_kernel", tcp_stats::equal_the_kernel),
        ("the_audit_finds_no_difference_in_a_storm", audit::finds_no_difference_in_a_storm),
        ("trace_of_a_namespace_equals_the_kernel", || trace::equals_the_kernel("netns")),
        ("trace_of_the_host_equals_the_kernel_in_a_namespace", || trace::equals_the_kernel("host")),
        ("trace_ends_when_its_reader_or_its_terminal_is_gone", trace::ends_when_nobody_reads),
        ("trace_tells_what_a_slow_output_has_cost", trace::tells_what_a_slow_output_has_cost),
        ("a_scrape_shows_balanced_books", own_telemetry::a_scrape_shows_balanced_books),
    ];
    main_where(cases, |name| (name == IN_A_USER_NAMESPACE).then(privileges::no_user_namespace).flatten())
}
