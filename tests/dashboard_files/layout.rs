//! What the schema can't say: ids, the data source, texts, units, and a grid without overlaps and holes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{dashboards, panels};

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

#[test]
fn a_dashboard_can_be_imported_anywhere() {
    let mut uids = BTreeSet::new();
    for (name, dashboard) in dashboards() {
        assert_eq!(dashboard["uid"], name, "the uid is the file's name");
        assert!((8..=40).contains(&name.len()) && uids.insert(name.clone()));
        assert_eq!(dashboard.get("id"), None, "{name}: an id is of one Grafana only");
        for text in ["title", "description"] {
            assert!(dashboard[text].as_str().is_some_and(|text| text.len() > 5), "{name}: {text}");
        }
        let variables = dashboard["templating"]["list"].as_array().expect("variables");
        assert_eq!(
            (&variables[0]["type"], &variables[0]["name"]),
            (&"datasource".into(), &"datasource".into())
        );
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{name}: {}", panel["title"]);
        }
        // Every data source is the variable.
        let text = dashboard.to_string();
        let sources = text.matches("\"datasource\":{").count();
        let by_variable = text.matches(r#""datasource":{"type":"prometheus","uid":"${datasource}"}"#).count();
        assert_eq!(sources, by_variable, "{name}");
    }
}

#[test]
fn each_panel_has_a_query_a_text_a_unit_and_thresholds() {
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard).iter().filter(|panel| panel["type"] != "row") {
            let title = panel["title"].as_str().expect("a title");
            let place = format!("{name}: {title}");
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{place}");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(defaults["unit"].as_str().is_some_and(|unit| !unit.is_empty()), "{place}");
            assert!(!defaults["thresholds"]["steps"].as_array().expect("steps").is_empty(), "{place}");
            let letters: Vec<_> = panel["targets"]
                .as_array()
                .expect("queries")
                .iter()
                .map(|target| {
                    assert!(
                        target["expr"].as_str().is_some_and(|query| query.contains("$host_label")),
                        "{place}"
                    );
                    target["refId"].as_str().expect("a letter")
                })
                .collect();
            assert!(
                !letters.is_empty() && letters.is_sorted_by(|one, other| one < other),
                "{place}: {letters:?}"
            );
        }
    }
}

/// Colours are by name or by palette, so that they fit a dark and a light background.
#[test]
fn no_colour_is_fixed() {
    for (name, dashboard) in dashboards() {
        let text = dashboard.to_string();
        assert!(!text.contains("\"#") && !text.contains("rgb"), "{name}");
    }
}

#[test]
fn panels_fill_the_grid_and_do_not_overlap() {
    for (name, dashboard) in dashboards() {
        let mut taken: BTreeMap<(u64, u64), &str> = BTreeMap::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().expect("a title");
            let of = |key: &str| panel["gridPos"][key].as_u64().expect("a number");
            let (x, y, width, height) = (of("x"), of("y"), of("w"), of("h"));
            assert!(width > 0 && height > 0 && x + width <= COLUMNS, "{name}: {title}");
            for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (y, x))) {
                if let Some(other) = taken.insert(cell, title) {
                    panic!("{name}: {title} is over {other}");
                }
            }
        }
        let height = taken.keys().map(|(y, _)| y + 1).max().expect("panels");
        let holes: Vec<_> = (0..height)
            .flat_map(|y| (0..COLUMNS).map(move |x| (y, x)))
            .filter(|cell| !taken.contains_key(cell))
            .collect();
        assert!(holes.is_empty(), "{name}: nothing at {holes:?} (row, column)");
    }
}

/// The dashboards link to each other by their tag.
#[test]
fn they_are_linked() {
    for (name, dashboard) in dashboards() {
        let tag = &dashboard["tags"][0];
        let links: &Value = &dashboard["links"];
        assert_eq!((&links[0]["type"], &links[0]["tags"][0]), (&"dashboards".into(), tag), "{name}");
    }
}
