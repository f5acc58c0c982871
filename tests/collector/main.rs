//! End to end to the real OpenTelemetry Collector, which receives what the kernel counted. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub, missing_docs)]

mod cases;
#[allow(dead_code)] // each test that shares it uses a part of it
#[path = "../e2e/mod.rs"]
mod e2e;
mod output;
mod peer;

use std::process::ExitCode;

fn main() -> ExitCode {
    e2e::support::harness::main(&[
        ("gzip_arrives_whole", || cases::arrives_whole("gzip", "cumulative")),
        ("zstd_arrives_whole", || cases::arrives_whole("zstd", "delta")),
        ("uncompressed_arrives_whole", || cases::arrives_whole("none", "cumulative")),
        ("over_http_gzip_arrives_whole", || cases::arrives_whole_over_http("compression: gzip")),
        ("over_http_json_arrives_whole", || {
            cases::arrives_whole_over_http("encoding: json, compression: zstd")
        }),
        ("thousands_of_records_in_many_requests_arrive_whole", cases::many_requests_arrive_whole),
        ("a_collector_that_comes_late_gets_what_was_before", cases::a_late_collector_gets_what_was_before),
        ("a_collector_that_comes_back_loses_nothing", cases::a_collector_that_comes_back_loses_nothing),
        (
            "a_collector_that_comes_back_over_http_loses_nothing_of_a_queue_on_disk",
            cases::a_collector_that_comes_back_over_http_loses_nothing_of_a_queue_on_disk,
        ),
    ])
}
