//! What is said in the log, and how often.

use super::*;
use crate::delivery::logged::logged;

#[test]
fn a_backend_that_always_has_something_to_say_is_quoted_once_until_it_is_content() {
    let health = Health::new("otlp".to_owned(), Signal::Logs);
    let lines = logged(|| {
        for _ in 0..3 {
            health.partial_success(0, "too old");
        }
        health.success();
        health.partial_success(2, "too new");
    });
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for (line, said) in lines.iter().zip(["too old", "too new"]) {
        assert_eq!(line.matches("\"message\":").count(), 1, "the backend's words are not ours: {line}");
        assert!(line.contains(&format!("\"said\":\"{said}\"")), "{line}");
    }
}

#[test]
fn an_outage_tells_when_its_retries_end_in_drops() {
    let health = Health::new("otlp".to_owned(), Signal::Logs);
    let lines = logged(|| {
        for _ in 0..3 {
            health.retrying("refused", Duration::from_millis(9500));
        }
        for _ in 0..3 {
            health.dropped("refused", "the next try would be after max_elapsed_time");
        }
        health.recovered();
        health.recovered();
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, said) in
        lines.iter().zip(["will be retried in 9.5s;", "dropped: the next try", "succeed again"])
    {
        assert!(line.contains(said), "{line}");
    }
}
