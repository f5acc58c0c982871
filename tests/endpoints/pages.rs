//! The page of `zpages`, as a real browser shows it.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::browser::Browser;
use crate::e2e::agent::Agent;
use crate::e2e::harness::repository;
use crate::e2e::page;
use crate::e2e::support::namespace::{isolated, wait_for};
use crate::run::endless;

const URL: &str = "http://127.0.0.1:55679/";
/// What changes from one scrape to the next also while nothing happens.
const ALWAYS: &str = "otelcol_process_";
/// Sums over pipelines, and facts that are text. The page has their parts.
const NOT_SHOWN: [&str; 6] = [
    "otelcol_exporter_sent_",
    "otelcol_exporter_send_failed_",
    "otelcol_exporter_enqueue_failed_",
    "otelcol_tcpretrans_receiver_info",
    "otelcol_tcpretrans_config_info",
    "target_info",
];

/// The samples at `/metrics`, a line each.
fn samples() -> BTreeSet<String> {
    let (_, body) = page::get(8888, "/metrics");
    let lines = body.lines().filter(|line| !line.starts_with('#') && !line.starts_with(ALWAYS));
    lines.map(str::to_owned).collect()
}

pub fn a_browser_sees_what_is_at_metrics() {
    isolated(|| {
        let folder = tempfile::tempdir().unwrap();
        // Names with what must be escaped. Nobody listens at port 9.
        let mut agent = Agent::replaying(&format!(
            "receivers: {{ replay: {{ file: '{}' }}, replay/endless: {{ file: '{}', speed: realtime }} }}
processors: {{ aggregate: {{ interval: 10m }}, filter/some: {{ exclude: ['network.type == ipv6'] }} }}
exporters:
  'debug/<b>&\"quoted\"</b>':
  otlp: {{ endpoint: 'http://127.0.0.1:9', retry_on_failure: {{ initial_interval: 1h, max_interval: 1h, max_elapsed_time: 0 }} }}
extensions: {{ zpages: }}
service:
  extensions: [zpages]
  shutdown_timeout: 1s
  telemetry: {{ metrics: {{ prometheus: '127.0.0.1:8888' }} }}
  pipelines:
    logs: {{ receivers: [replay, replay/endless], processors: [filter/some], exporters: ['debug/<b>&\"quoted\"</b>', otlp] }}
    metrics: {{ receivers: [replay, replay/endless], exporters: [debug] }}
",
            repository().join("tests/replay/retransmits.otr").display(),
            endless(&folder).display()
        ));
        agent.wait_until_said("ready");
        agent
            .0
            .wait_until("the end of the recording", |agent| agent.stderr().contains("the end of the file"));
        let mut browser = Browser::start();
        for width in [360, 1600] {
            for scheme in ["light", "dark"] {
                // A page between two equal scrapes is of a moment with just these numbers.
                let mut scraped = BTreeSet::new();
                wait_for("two equal scrapes", Duration::from_secs(30), || {
                    scraped = samples();
                    browser.show(URL, width, scheme);
                    scraped == samples()
                });
                assert_same_numbers(&mut browser, &scraped);
                assert_readable(&mut browser, width, scheme);
            }
        }
        drop(browser);
        agent.0.signal(Signal::TERM);
        assert_eq!(agent.0.exit_code(Duration::from_secs(20)), Some(0));
    });
}

/// Each number has the value of its series, and each series that counts something is there.
fn assert_same_numbers(browser: &mut Browser, scraped: &BTreeSet<String>) {
    let shown = browser.evaluate(
        "[...document.querySelectorAll('[data-series]')].map(e => [e.dataset.series, e.dataset.value, e.textContent.trim()])",
    );
    let shown: Vec<[String; 3]> = serde_json::from_value(shown).expect("triples");
    assert!(shown.len() > 40, "{shown:?}");
    for [series, value, text] in &shown {
        assert_eq!(text.replace(',', ""), *value, "{series}");
        assert!(scraped.contains(&format!("{series} {value}")), "{series} {value} is not in {scraped:#?}");
    }
    let on_page: BTreeSet<&str> = shown.iter().map(|[series, ..]| series.as_str()).collect();
    for line in scraped {
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        let is_expected = value != "0" && !NOT_SHOWN.iter().any(|name| series.starts_with(name));
        assert!(!is_expected || on_page.contains(series), "the page lacks {line}");
    }
}

/// It fits the window, has the scheme, shows one of the two pictures, and has loaded nothing else.
fn assert_readable(browser: &mut Browser, width: u32, scheme: &str) {
    let at = format!("{width} {scheme}");
    let wide = browser.evaluate("document.documentElement.scrollWidth");
    assert!(wide.as_u64().expect("a number") <= u64::from(width), "{at}: {wide} wide");
    let outside = browser.evaluate(
        "[...document.body.querySelectorAll('*')].filter(e => { const r = e.getBoundingClientRect(); \
         return r.width > 2 && (r.right > innerWidth + 1 || r.left < -1) }).map(e => e.outerHTML.slice(0, 200))",
    );
    assert_eq!(outside, Value::Array(Vec::new()), "{at}");
    let pictures = browser.evaluate(
        "[...document.querySelectorAll('svg')].filter(e => getComputedStyle(e).display != 'none').map(e => e.classList[1])",
    );
    assert_eq!(pictures, serde_json::json!([if width == 360 { "narrow" } else { "wide" }]), "{at}");
    let smallest = browser.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text, dd, p, li')].filter(e => e.getClientRects().length && \
         !e.closest('.hidden')).map(e => e.getBoundingClientRect().height).filter(h => h > 0))",
    );
    assert!(smallest.as_f64().expect("a number") >= 11.0, "{at}: text {smallest} high");
    let back =
        browser.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]");
    assert_eq!(back.as_u64().expect("a number") > 128, scheme == "light", "{at}");
    let loaded =
        browser.evaluate("performance.getEntriesByType('resource').length + document.scripts.length");
    assert_eq!(loaded, 0, "{at}");
    let text = browser.evaluate("document.body.textContent");
    let text = text.as_str().expect("a text");
    for part in [
        "replay/endless",
        "filter/some",
        "debug/<b>&\"quoted\"</b>",
        "kernel release",
        "refused",
        "Last warnings",
    ] {
        assert!(text.contains(part), "{at}: no {part}");
    }
}
