//! What is logged, and how often.

use super::*;
use crate::delivery::logged::logged;

fn remark(rejected: u64, message: &str) -> Accepted {
    Accepted { rejected, message: message.to_owned() }
}

#[test]
fn a_partial_success_is_logged_once_until_a_request_is_taken_as_a_whole() {
    let log = DeliveryLog::new("otlp".to_owned(), Signal::Logs);
    let lines = logged(|| {
        for _ in 0..3 {
            log.taken(&remark(0, "too old"));
        }
        log.taken(&Accepted::default());
        log.taken(&remark(2, "too new"));
    });
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for (line, said) in lines.iter().zip(["too old", "too new"]) {
        assert_eq!(line.matches("\"message\":").count(), 1, "the backend's text has its own field: {line}");
        assert!(line.contains(&format!("\"said\":\"{said}\"")), "{line}");
    }
}

#[test]
fn an_outage_logs_its_first_retry_its_first_drop_and_its_end() {
    let log = DeliveryLog::new("otlp".to_owned(), Signal::Logs);
    let lines = logged(|| {
        for _ in 0..3 {
            log.will_retry("refused", Duration::from_millis(9500));
        }
        for _ in 0..3 {
            log.dropped("refused", "the next attempt would be after max_elapsed_time");
        }
        log.taken(&Accepted::default());
        log.taken(&Accepted::default());
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, said) in
        lines.iter().zip(["will be retried in 9.5s;", "is dropped: the next attempt", "succeed again"])
    {
        assert!(line.contains(said), "{line}");
    }
    assert!(lines[2].contains("\"failures\":6"), "{}", lines[2]);
}
