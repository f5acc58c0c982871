//! When attempts are made, and when they end. The tests run on tokio's paused clock.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Kept, RetryConfig, send};
use crate::books::DropReason;
use crate::config::Interval;
use crate::delivery::Accepted;
use crate::delivery::fake::{Backend, accepted, permanent, request, retryable};

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The defaults without randomization.
fn exact() -> RetryConfig {
    RetryConfig { randomization_factor: 0.0, ..RetryConfig::default() }
}

/// `Err(None)`: it is kept on disk.
type Outcome = Result<Accepted, Option<DropReason>>;

/// Sends one request. Returns its outcome and the times of its attempts, in seconds from the start.
async fn run(config: RetryConfig, backend: Backend) -> (Outcome, Vec<f64>) {
    let (_never, shutdown) = watch::channel(None);
    run_until(config, backend, shutdown).await
}

async fn run_until(
    config: RetryConfig,
    backend: Backend,
    shutdown: watch::Receiver<Option<Instant>>,
) -> (Outcome, Vec<f64>) {
    run_kept(Kept::InMemory, config, backend, shutdown).await
}

async fn run_kept(
    kept: Kept,
    config: RetryConfig,
    backend: Backend,
    mut shutdown: watch::Receiver<Option<Instant>>,
) -> (Outcome, Vec<f64>) {
    let start = Instant::now();
    let request = request(1, 4);
    let outcome = send(&backend, (&request, kept), &config, |_, _| {}, &mut shutdown).await;
    let outcome = outcome.map_err(|failure| failure.drop_reason());
    assert!(backend.bodies().iter().all(|body| *body == request.body), "the same bytes every time");
    (outcome, backend.times().iter().map(|at| (*at - start).as_secs_f64()).collect())
}

/// A shutdown that begins at `at` and has its deadline at `deadline`, both from now.
fn shutdown(at: Duration, deadline: Duration) -> watch::Receiver<Option<Instant>> {
    let (begin, shutdown) = watch::channel(None);
    let start = Instant::now();
    tokio::spawn(async move {
        sleep_until(start + at).await;
        begin.send_replace(Some(start + deadline));
        begin.closed().await;
    });
    shutdown
}

#[tokio::test(start_paused = true)]
async fn intervals_grow_to_the_longest() {
    let (outcome, times) = run(exact(), Backend::new(vec![retryable(None); 7])).await;
    assert_eq!(outcome, Ok(Accepted::default()));
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let expected = [5.0, 7.5, 11.25, 16.875, 25.3125, 30.0, 30.0];
    assert_eq!(waits.len(), expected.len());
    for (wait, expected) in waits.iter().zip(expected) {
        assert!((wait - expected).abs() < 0.01, "{wait} is not {expected}");
    }
}

#[test]
fn waits_are_spread_around_the_interval() {
    let config = RetryConfig {
        initial_interval: s(10).into(),
        max_interval: s(10).into(),
        randomization_factor: 0.5,
        ..exact()
    };
    let waits: Vec<_> = config.waits().take(1000).map(|wait| wait.as_secs_f64()).collect();
    assert!(waits.iter().all(|wait| (5.0..=15.0).contains(wait)));
    // Each of these checks fails by chance once in 10^41 runs.
    assert!(waits.iter().any(|wait| *wait < 6.0), "none near the lower end");
    assert!(waits.iter().any(|wait| *wait > 14.0), "none near the upper end");
}

#[tokio::test(start_paused = true)]
async fn gives_up_after_the_elapsed_time() {
    let (outcome, times) = run(exact(), Backend::down()).await;
    assert_eq!(outcome, Err(Some(DropReason::RetriesExhausted)));
    let last = *times.last().unwrap();
    assert!(last <= 300.0 && last > 300.0 - 30.01, "the last attempt was at {last}");
}

#[tokio::test(start_paused = true)]
async fn zero_never_gives_up() {
    let config = RetryConfig { max_elapsed_time: Interval::ZERO, ..exact() };
    let (outcome, times) = run(config, Backend::new(vec![retryable(None); 2000])).await;
    assert_eq!((outcome, times.len()), (Ok(Accepted::default()), 2001));
}

#[tokio::test(start_paused = true)]
async fn waits_as_long_as_the_backend_asks() {
    let script = [retryable(Some(s(60))), retryable(Some(s(1)))];
    let (outcome, times) = run(exact(), Backend::new(script)).await;
    assert_eq!(outcome, Ok(Accepted::default()));
    assert_eq!(times[1].round(), 60.0, "longer than the interval");
    assert_eq!((times[2] - times[1]).round(), 8.0, "a wait is never shorter than the interval of 7.5 s");
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_elapsed_time_is_not_begun() {
    for after in [s(301), Duration::MAX] {
        let (outcome, times) = run(exact(), Backend::new([retryable(Some(after))])).await;
        assert_eq!((outcome, times), (Err(Some(DropReason::RetriesExhausted)), vec![0.0]));
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_errors_are_not_retried_and_disabled_retries_retry_nothing() {
    let (outcome, times) = run(exact(), Backend::new([permanent()])).await;
    assert_eq!((outcome, times), (Err(Some(DropReason::PermanentError)), vec![0.0]));
    let disabled = RetryConfig { enabled: false, ..exact() };
    let (outcome, times) = run(disabled, Backend::new([retryable(None)])).await;
    assert_eq!((outcome, times), (Err(Some(DropReason::RetriesExhausted)), vec![0.0]));
}

#[tokio::test(start_paused = true)]
async fn shutdown_cuts_a_wait_short_and_retries_until_its_deadline() {
    let signal = shutdown(s(1), s(30));
    let (outcome, times) = run_until(exact(), Backend::new([retryable(None), accepted()]), signal).await;
    assert_eq!((outcome, times), (Ok(Accepted::default()), vec![0.0, 1.0]));

    let (start, signal) = (Instant::now(), shutdown(s(1), s(10)));
    let (outcome, times) = run_until(exact(), Backend::down(), signal).await;
    assert_eq!(outcome, Err(Some(DropReason::Shutdown)));
    let seconds: Vec<_> = times.iter().map(|at| at.round() as u64).collect();
    assert_eq!(seconds, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "waits of 5 s and more became 1 s");
    assert_eq!((Instant::now() - start).as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_change_waits_that_are_short() {
    let config = RetryConfig { initial_interval: (s(1) / 10).into(), multiplier: 2.0, ..exact() };
    let (_keep, signal) = watch::channel(Some(Instant::now() + s(30)));
    let (outcome, times) = run_until(config, Backend::new(vec![retryable(None); 6]), signal).await;
    assert_eq!(outcome, Ok(Accepted::default()));
    let tenths: Vec<_> = times.windows(2).map(|pair| ((pair[1] - pair[0]) * 10.0).round() as u64).collect();
    assert_eq!(tenths, [1, 2, 4, 8, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn in_shutdown_waits_are_shorter_than_the_backend_asks_and_end_at_the_deadline() {
    let (_keep, signal) = watch::channel(Some(Instant::now() + s(30)));
    let script = [retryable(Some(s(60)))];
    let (outcome, times) = run_until(exact(), Backend::new(script), signal).await;
    assert_eq!((outcome, times.last().unwrap().round()), (Ok(Accepted::default()), 1.0));

    let start = Instant::now();
    let (_keep, signal) = watch::channel(Some(start + s(1) / 2));
    let (outcome, times) = run_until(exact(), Backend::down(), signal).await;
    assert_eq!((outcome, times), (Err(Some(DropReason::Shutdown)), vec![0.0]));
    assert_eq!((Instant::now() - start).as_millis(), 500);
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_retries_also_hold_in_shutdown() {
    let config = RetryConfig { max_elapsed_time: s(5).into(), ..exact() };
    let (outcome, times) = run_until(config, Backend::down(), shutdown(s(1), s(30))).await;
    assert_eq!((outcome, times.last().unwrap().round()), (Err(Some(DropReason::RetriesExhausted)), 5.0));
    let (_keep, signal) = watch::channel(Some(Instant::now() + s(30)));
    let disabled = RetryConfig { enabled: false, ..exact() };
    let (outcome, times) = run_until(disabled, Backend::down(), signal).await;
    assert_eq!((outcome, times), (Err(Some(DropReason::RetriesExhausted)), vec![0.0]));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_while_shutdown_begins_is_not_the_last() {
    let backend = Backend::gated([retryable(None)]);
    let (gate, start) = (backend.gate.clone(), Instant::now());
    tokio::spawn(async move {
        sleep_until(start + s(2)).await;
        gate.add_permits(10);
    });
    let (outcome, times) = run_until(exact(), backend, shutdown(s(1), s(30))).await;
    let seconds: Vec<_> = times.iter().map(|at| at.round() as u64).collect();
    assert_eq!((outcome, seconds), (Ok(Accepted::default()), vec![0, 3]));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_cuts_a_hanging_attempt() {
    let start = Instant::now();
    let (outcome, times) = run_until(exact(), Backend::gated([]), shutdown(s(1), s(30))).await;
    assert_eq!((outcome, times), (Err(Some(DropReason::Shutdown)), vec![0.0]));
    assert_eq!((Instant::now() - start).as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline() {
    let (_keep, signal) = watch::channel(Some(Instant::now()));
    let (outcome, times) = run_until(exact(), Backend::new([]), signal).await;
    assert_eq!((outcome, times), (Err(Some(DropReason::Shutdown)), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_closed_shutdown_channel_is_not_a_shutdown() {
    let (dropped, signal) = watch::channel(None);
    drop(dropped);
    let (outcome, times) = run_until(exact(), Backend::new([retryable(None)]), signal).await;
    assert_eq!((outcome, times.len()), (Ok(Accepted::default()), 2));
}

#[test]
fn configuration() {
    let defaults: RetryConfig = serde_yaml::from_str("{}").unwrap();
    assert_eq!(defaults, RetryConfig::default());
    assert!(defaults.validate().is_empty());
    let written = "enabled: true\ninitial_interval: 5s\nmax_interval: 30s\nmultiplier: 1.5\n\
                   randomization_factor: 0.5\nmax_elapsed_time: 5m\n";
    assert_eq!(serde_yaml::to_string(&defaults).unwrap(), written);
    assert!(serde_yaml::from_str::<RetryConfig>("max_retries: 3").is_err());
    let never: RetryConfig = serde_yaml::from_str("max_elapsed_time: 0s").unwrap();
    assert!(never.validate().is_empty());
}

#[test]
fn wrong_values_are_problems() {
    let wrong = RetryConfig {
        enabled: true,
        initial_interval: Interval::ZERO,
        max_interval: Interval::ZERO,
        multiplier: f64::NAN,
        randomization_factor: 1.5,
        max_elapsed_time: s(300).into(),
    };
    let paths: Vec<_> = wrong.validate().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["initial_interval", "max_interval", "multiplier", "randomization_factor"]);
    assert!(RetryConfig { enabled: false, ..wrong }.validate().is_empty(), "it is not used");
    let short = RetryConfig { max_elapsed_time: s(1).into(), ..RetryConfig::default() };
    assert_eq!(short.validate()[0].path, "max_elapsed_time");
}

#[tokio::test(start_paused = true)]
async fn a_stored_request_is_retried_as_long_as_it_is_kept() {
    let config = RetryConfig { max_elapsed_time: Interval::from_secs(10), ..exact() };
    let (_never, shutdown) = watch::channel(None);
    let kept = Kept::OnDisk(s(3600));
    let (outcome, times) = run_kept(kept, config, Backend::down(), shutdown).await;
    assert_eq!(outcome, Err(Some(DropReason::Expired)));
    assert!(times.last().is_some_and(|last| (3500.0..=3600.0).contains(last)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn after_shutdown_has_begun_a_stored_request_has_one_attempt() {
    // The second attempt would be at 5 s.
    let (outcome, times) =
        run_kept(Kept::OnDisk(s(3600)), exact(), Backend::down(), shutdown(s(2), s(30))).await;
    assert_eq!((outcome, times), (Err(None), vec![0.0, 2.0]));
    // One that hangs stays on disk when the deadline passes.
    let (outcome, times) =
        run_kept(Kept::OnDisk(s(3600)), exact(), Backend::gated([]), shutdown(s(2), s(30))).await;
    assert_eq!((outcome, times), (Err(None), vec![0.0]));
}
