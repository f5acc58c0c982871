//! The screen as it is drawn, on terminals of all sizes.

use std::net::SocketAddr;

use otel_tcpretrans_pipeline::record::{Amounts, Flow, Record};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyCode;

use super::*;
use crate::fixtures::{gap, record};
use crate::top::model::{By, Model};

/// The second after the records of the fixtures.
const NOW: u64 = 1_700_000_006;
const UNICODE: Look = Look { unicode: true, colours: true };

/// Three connections, and a gap.
fn model() -> Model {
    let mut model = Model::new(100, Some(13));
    let to = |peer: u8, segments| Record {
        amounts: Amounts { segments, ..record().amounts },
        flow: record().flow.map(|flow| Flow { peer: SocketAddr::from(([192, 0, 2, peer], 443)), ..flow }),
        ..record()
    };
    model.add([to(1, 1), to(2, 1234), to(3, 20), gap()].iter());
    model
}

fn facts(verdict: Verdict, counted: u64) -> Facts {
    Facts {
        now: NOW,
        source: Source::Live(Some(Compared { kernel: 1255, counted, verdict })),
        elapsed: 83,
        lost: 0,
        dropped: 0,
        warning: None,
    }
}

fn drawn_with(
    width: u16,
    height: u16,
    look: Look,
    state: &mut State,
    facts: &Facts,
    model: &Model,
) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| {
            let area = frame.area();
            draw(frame.buffer_mut(), area, look, state, facts, model);
        })
        .unwrap();
    terminal
}

/// The lines of the screen.
fn lines(terminal: &Terminal<TestBackend>) -> Vec<String> {
    let buffer = terminal.backend().buffer();
    let width = usize::from(buffer.area.width);
    let symbols: Vec<&str> = buffer.content().iter().map(|cell| cell.symbol()).collect();
    symbols.chunks(width).map(|line| line.concat().trim_end().to_owned()).collect()
}

fn drawn(width: u16, height: u16, look: Look, state: &mut State) -> Vec<String> {
    lines(&drawn_with(width, height, look, state, &facts(Verdict::Equal, 1255), &model()))
}

#[test]
fn a_usual_screen_shows_everything() {
    let mut state = State::new(By::Peer);
    let shown = drawn(80, 24, UNICODE, &mut state);
    assert_eq!(shown[0], "otel-tcpretrans top by peer  live, 0:01:23");
    assert_eq!(shown[1], "1,455 segments  291.0/s  15 events  1 failed");
    assert_eq!(shown[2], "kernel 1,255, counted 1,255 in this namespace: equal");
    assert_eq!(shown[3], "0 events lost  0 records dropped");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&shown[4])[..5], ["PEER", "SEGS/S", "SEGMENTS", "SHARE", "EVENTS"]);
    assert_eq!(words(&shown[5])[..5], ["192.0.2.2", "246.8", "1,234", "84.8%", "1"]);
    assert!(shown[5].ends_with('█'), "{}", shown[5]);
    assert!(shown[6].starts_with("(not known)"), "{}", shown[6]);
    assert_eq!(words(&shown[8])[..4], ["192.0.2.1", "0.2", "1", "0.1%"]);
    assert!(
        shown[23].starts_with("4 rows by segs/s | ? help  q quit") && shown[23].chars().count() <= 80,
        "{}",
        shown[23]
    );
}

#[test]
fn a_connection_has_its_share_of_what_it_sent() {
    let shown = drawn(100, 24, UNICODE, &mut State::new(By::Connection));
    let header = &shown[4];
    assert!(header.contains("OF SENT"), "{header}");
    assert!(
        shown[5].contains("10.0.0.1:43210 > 192.0.2.2:443") && shown[5].contains(" 10.0%"),
        "{}",
        shown[5]
    );
}

#[test]
fn a_narrow_screen_keeps_what_is_important() {
    let shown = drawn(40, 10, UNICODE, &mut State::new(By::Peer));
    assert_eq!(shown.len(), 10);
    assert!(shown[4].split_whitespace().eq(["PEER", "SEGS/S", "SEGMENTS"]), "{}", shown[4]);
    assert!(shown[5].split_whitespace().eq(["192.0.2.2", "246.8", "1,234"]), "{}", shown[5]);
    assert!(shown[2].ends_with('…'), "{}", shown[2]);
}

#[test]
fn a_terminal_without_utf8_gets_ascii_only() {
    let look = Look { unicode: false, colours: false };
    for (width, height) in [(80, 24), (40, 10)] {
        for by in [By::Peer, By::Connection] {
            let shown = drawn(width, height, look, &mut State::new(by)).concat();
            assert!(shown.is_ascii(), "{shown}");
            assert!(shown.contains('#') || width < 80, "{shown}");
        }
    }
}

#[test]
fn without_colours_none_is_used() {
    let colours = |look| {
        let terminal =
            drawn_with(80, 24, look, &mut State::new(By::Peer), &facts(Verdict::Different, 1), &model());
        let cells = terminal.backend().buffer().content().iter();
        cells.filter(|cell| cell.fg != ratatui::style::Color::Reset).count()
    };
    assert_eq!(colours(Look { unicode: true, colours: false }), 0);
    assert!(colours(UNICODE) > 0);
}

#[test]
fn no_size_and_no_state_makes_it_panic() {
    for (width, height) in [(1, 1), (1, 24), (80, 1), (80, 2), (2, 3), (7, 5), (300, 100)] {
        for keys in ["", "?", "/x", "j\n", "4\n", "s", "S", "G"] {
            let mut state = State::new(By::Connection);
            drawn(width, height, UNICODE, &mut state);
            for key in keys.chars() {
                let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
                press(&mut state, code.into());
            }
            drawn(width, height, UNICODE, &mut state);
        }
    }
}

#[test]
fn what_differs_is_said() {
    let shown = |verdict, counted| {
        lines(&drawn_with(80, 24, UNICODE, &mut State::new(By::Peer), &facts(verdict, counted), &model()))[2]
            .clone()
    };
    assert_eq!(shown(Verdict::Different, 1250), "kernel 1,255, counted 1,250 in this namespace: 5 differ");
    assert_eq!(shown(Verdict::OnTheWay, 1254), "kernel 1,255, counted 1,254 in this namespace: 1 on the way");
}

#[test]
fn an_opened_row_shows_its_last_records() {
    let mut state = State::new(By::Peer);
    drawn(120, 24, UNICODE, &mut state);
    press(&mut state, KeyCode::Enter.into());
    let shown = drawn(120, 24, UNICODE, &mut state);
    assert_eq!(shown[4], "192.0.2.2");
    assert!(shown[5].starts_with("TIME (UTC)   SEGMENTS REASON"), "{}", shown[5]);
    let record: Vec<_> = shown[6].split_whitespace().collect();
    assert_eq!(
        record,
        [
            "22:13:25.000",
            "1,234",
            "fast",
            "1.500",
            "10",
            "10.0.0.1:43210",
            ">",
            "192.0.2.2:443",
            "established"
        ]
    );
    press(&mut state, KeyCode::Esc.into());
    assert!(drawn(120, 24, UNICODE, &mut state)[4].starts_with("PEER"));
}

#[test]
fn the_others_are_shown_last_and_nothing_is_missing() {
    let mut model = Model::new(2, None);
    let to = |peer: u8| Record {
        flow: record().flow.map(|flow| Flow { peer: SocketAddr::from(([192, 0, 2, peer], 443)), ..flow }),
        ..record()
    };
    model.add((1..=5).map(to).collect::<Vec<_>>().iter());
    let mut state = State::new(By::Peer);
    let shown = lines(&drawn_with(80, 24, UNICODE, &mut state, &facts(Verdict::Equal, 10), &model));
    let others: Vec<_> = shown[7].split_whitespace().collect();
    assert_eq!(others[..5], ["others:", "3", "rows", "1.2", "6"]);
    assert_eq!(shown[1].split_whitespace().next(), Some("10"));
}

#[test]
fn a_screen_scrolls_with_the_mark() {
    let mut model = Model::new(100, None);
    let to = |peer: u8| Record {
        amounts: Amounts { segments: u64::from(100 - peer), ..record().amounts },
        flow: record().flow.map(|flow| Flow { peer: SocketAddr::from(([192, 0, 2, peer], 443)), ..flow }),
        ..record()
    };
    model.add((1..=50).map(to).collect::<Vec<_>>().iter());
    let mut state = State::new(By::Peer);
    let mut shown = |keys: &[KeyCode]| {
        let draw = |state: &mut State| {
            lines(&drawn_with(80, 15, UNICODE, state, &facts(Verdict::Equal, 10), &model))
        };
        let mut last = draw(&mut state);
        for key in keys {
            press(&mut state, (*key).into());
            last = draw(&mut state);
        }
        (last[5].clone(), last[13].clone())
    };
    let (first, last) = shown(&[]);
    assert!(first.starts_with("192.0.2.1 ") && last.starts_with("192.0.2.9 "), "{first} {last}");
    let (first, last) = shown(&[KeyCode::End]);
    assert!(first.starts_with("192.0.2.42 ") && last.starts_with("192.0.2.50 "), "{first} {last}");
    let (first, _) = shown(&[KeyCode::Up; 8]);
    assert!(first.starts_with("192.0.2.42 "), "{first}");
    let (first, _) = shown(&[KeyCode::Up]);
    assert!(first.starts_with("192.0.2.41 "), "{first}");
}

#[test]
fn the_help_has_all_keys() {
    let mut state = State::new(By::Peer);
    press(&mut state, KeyCode::Char('?').into());
    let shown = drawn(80, 24, UNICODE, &mut state);
    for (key, _) in keys::KEYS {
        assert!(shown.iter().any(|line| line.trim_start().starts_with(key)), "{key}: {shown:#?}");
    }
}
