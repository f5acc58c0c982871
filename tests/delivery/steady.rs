//! 10,000 events per second to a backend that takes them: all arrive, and memory does not grow.

use std::env;
use std::time::{Duration, Instant};

use otlp_backend::Backend;
use rustix::process::Signal;

use crate::memory::resident;
use crate::run::{Run, ended, slow_recording};

/// Between two events.
const PAUSE: Duration = Duration::from_micros(100);
/// How long the recording is. It is replayed again and again.
const RECORDED: Duration = Duration::from_secs(5);
/// How long it lasts in the gate. `make soak` sets [`SECONDS`] to half an hour.
const LASTS: Duration = Duration::from_secs(10);
const SECONDS: &str = "OTEL_TCPRETRANS_STEADY_SECONDS";
/// Memory may take so long to settle, as a share of the time.
const WARM_UP: f64 = 0.2;
/// It is not asked for a slope if it lasts for less: noise of some pages would be many MiB per hour.
const LONG: Duration = Duration::from_secs(600);
/// How fast memory may grow then, in MiB per hour.
const SLOPE: f64 = 1.0;
/// What all of it may take, in MiB.
const MOST: f64 = 40.0;

#[test]
fn ten_thousand_events_per_second_take_no_more_memory_with_time() {
    let folder = tempfile::tempdir().unwrap();
    let count = u32::try_from(RECORDED.as_micros() / PAUSE.as_micros()).unwrap();
    let recording = slow_recording(&folder, 0, count, PAUSE);
    let backend = Backend::start();
    let lasts = env::var(SECONDS).map_or(LASTS, |text| Duration::from_secs(text.parse().unwrap()));
    let url = backend.url();
    let mut agent =
        Run { receiver: ", speed: realtime, loop: true", ..Run::new(&recording, "otlp", &url) }.start();
    agent.wait_until_said("ready");
    let (start, mut points) = (Instant::now(), Vec::new());
    while start.elapsed() < lasts {
        std::thread::sleep(Duration::from_millis(500));
        points.push((start.elapsed().as_secs_f64(), resident(agent.0.pid()) as f64 / 1024.0));
    }
    agent.0.signal(Signal::TERM);
    let books = ended(agent);
    let number = |name| books.exporter("logs", "otlp", name);
    let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let tenths: Vec<_> = points.chunks(points.len().div_ceil(10)).map(mean).collect();
    points.retain(|point| point.0 > lasts.as_secs_f64() * WARM_UP);
    let slope = slope(&points) * 3600.0;
    println!("{} records in {lasts:?}; at most {most:.1} MiB; {slope:.2} MiB per hour", number("accepted"));
    println!("MiB by tenths of the time: {tenths:.2?}");
    assert_eq!(number("delivered"), number("accepted"), "{books:?}");
    assert!(number("accepted") >= u64::from(count), "it replayed the recording at least once: {books:?}");
    assert!(most <= MOST, "{most} MiB");
    assert!(lasts < LONG || slope < SLOPE, "{slope} MiB per hour");
}

/// The mean memory of these points.
fn mean(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64
}

/// The slope of the line through these points that has the least squares of distances.
fn slope(points: &[(f64, f64)]) -> f64 {
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for point in points {
        covariance += (point.0 - x) * (point.1 - y);
        variance += (point.0 - x).powi(2);
    }
    covariance / variance
}

#[test]
fn a_leak_has_a_slope() {
    let line = |of: fn(f64) -> f64| (0..100).map(|x| (f64::from(x), of(f64::from(x)))).collect::<Vec<_>>();
    assert!((slope(&line(|x| 7.0 + x / 3600.0)) * 3600.0 - 1.0).abs() < 1e-9);
    assert!(slope(&line(|_| 7.0)).abs() < 1e-9);
}
