//! The dashboard for Grafana, as the file that it loads.

mod panels;

use serde_json::{Value, json};

use crate::catalog::check_query;

/// Of the columns of a dashboard there are so many.
const COLUMNS: u32 = 24;

/// Panels about one thing.
#[derive(Debug, Clone, Copy)]
struct Row {
    title: &'static str,
    panels: &'static [Panel],
}

/// One panel.
#[derive(Debug, Clone, Copy)]
struct Panel {
    title: &'static str,
    /// What it shows, and what to make of it.
    about: &'static str,
    shape: Shape,
    unit: Unit,
    /// Columns that it takes.
    width: u32,
    /// Each with what its series are called.
    queries: &'static [(&'static str, &'static str)],
}

/// How a panel shows its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The newest value in large type, green below the first limit, yellow below the second, red from there on.
    Number(Limits),
    /// Lines over time.
    Lines,
    /// Areas over time, one upon the other.
    Areas,
    /// How many observations fell into which bucket, over time.
    Heat,
    /// The newest values, the greatest first.
    Table,
}

/// From where on a number is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limits {
    /// It is neither good nor bad.
    Neutral,
    /// Greater is worse: yellow from the first value on, red from the second, in thousandths.
    Above(u32, u32),
    /// One is good, less is bad.
    One,
}

/// What a number counts, by Grafana's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Count,
    PerSecond,
    Seconds,
    Share,
}

/// The text of `deploy/grafana/tasker.json`.
pub fn dashboard() -> String {
    let mut panels = Vec::new();
    let mut top = 0;
    for row in panels::ROWS {
        panels.push(json!({
            "id": panels.len() + 1, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": top, "w": COLUMNS, "h": 1 },
        }));
        top = put_row(&mut panels, &row, top + 1);
    }
    let board = json!({
        "uid": "tasker",
        "title": "Tasker",
        "description": "Written by `cargo xtask gen` from crates/tasker-monitor/src/dashboard/panels.rs.",
        "tags": ["tasker"],
        "schemaVersion": 39,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": { "from": "now-1h", "to": "now" },
        "timezone": "browser",
        "annotations": { "list": [] },
        "links": [],
        "templating": { "list": variables() },
        "panels": panels,
    });
    serde_json::to_string_pretty(&board).expect("invariant: names are texts") + "\n"
}

/// Puts the panels of a row from line `top` on, from left to right and then below, and says where the next row begins.
fn put_row(panels: &mut Vec<Value>, row: &Row, mut top: u32) -> u32 {
    let (mut left, mut height) = (0, 0);
    for panel in row.panels {
        if left + panel.width > COLUMNS {
            (top, left, height) = (top + height, 0, 0);
        }
        let place = json!({ "x": left, "y": top, "w": panel.width, "h": panel.shape.height() });
        panels.push(panel.json(panels.len() + 1, &place));
        left += panel.width;
        height = height.max(panel.shape.height());
    }
    top + height
}

/// What the reader chooses.
fn variables() -> Value {
    let chosen = |name: &str, label: &str, query: &str| {
        check_query(query).unwrap_or_else(|error| panic!("invariant: variables name what there is: {error}"));
        json!({
            "name": name, "label": label, "type": "query", "datasource": source(),
            "query": { "query": format!("label_values({query}, {name})"), "refId": name },
            "definition": format!("label_values({query}, {name})"),
            "includeAll": true, "allValue": ".*", "multi": true, "current": { "text": "All", "value": ["$__all"] },
            "refresh": 2, "sort": 1,
        })
    };
    json!([
        { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1 },
        chosen("namespace", "Namespace", "tasker_tasks_total"),
        chosen("task", "Task", r#"tasker_tasks_total{namespace=~"$namespace"}"#),
    ])
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

impl Panel {
    fn json(&self, id: usize, place: &Value) -> Value {
        let targets = ('A'..).zip(self.queries).map(|(name, (legend, query))| {
            check_query(query)
                .unwrap_or_else(|error| panic!("invariant: panels name what there is: {error}"));
            json!({
                "refId": name.to_string(), "datasource": source(), "expr": query, "legendFormat": legend,
                "instant": self.shape.is_instant(), "range": !self.shape.is_instant(),
                "format": self.shape.format(),
            })
        });
        json!({
            "id": id, "type": self.shape.kind(), "title": self.title, "description": self.about,
            "datasource": source(), "gridPos": place, "targets": targets.collect::<Vec<_>>(),
            "fieldConfig": { "defaults": self.defaults(), "overrides": [] },
            "options": self.shape.options(), "transformations": self.shape.transformations(),
        })
    }

    fn defaults(&self) -> Value {
        let mut defaults = json!({ "unit": self.unit.name(), "min": 0, "custom": self.shape.custom() });
        if let Shape::Number(limits) = self.shape {
            defaults["thresholds"] = json!({ "mode": "absolute", "steps": limits.steps() });
            defaults["color"] = json!({ "mode": "thresholds" });
        }
        defaults
    }
}

impl Shape {
    fn kind(self) -> &'static str {
        match self {
            Self::Number(_) => "stat",
            Self::Lines | Self::Areas => "timeseries",
            Self::Heat => "heatmap",
            Self::Table => "table",
        }
    }

    fn height(self) -> u32 {
        match self {
            Self::Number(_) => 4,
            Self::Lines | Self::Areas | Self::Heat | Self::Table => 8,
        }
    }

    fn is_instant(self) -> bool {
        self == Self::Table
    }

    fn format(self) -> &'static str {
        match self {
            Self::Heat => "heatmap",
            Self::Table => "table",
            Self::Number(_) | Self::Lines | Self::Areas => "time_series",
        }
    }

    fn custom(self) -> Value {
        match self {
            Self::Areas => json!({ "fillOpacity": 40, "lineWidth": 1, "stacking": { "mode": "normal" } }),
            Self::Lines => json!({ "fillOpacity": 5, "lineWidth": 1, "showPoints": "never" }),
            Self::Number(_) | Self::Heat | Self::Table => json!({}),
        }
    }

    fn options(self) -> Value {
        match self {
            Self::Number(_) => json!({
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
                "colorMode": "value", "graphMode": "area", "textMode": "auto",
            }),
            Self::Lines | Self::Areas => json!({
                "legend": { "displayMode": "table", "placement": "bottom", "calcs": ["mean", "max"] },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Self::Heat => json!({
                "calculate": false, "yAxis": { "unit": "s" }, "color": { "mode": "scheme", "scheme": "Blues" },
                "cellGap": 1, "tooltip": { "mode": "single" },
            }),
            Self::Table => {
                json!({ "showHeader": true, "sortBy": [{ "displayName": "Value", "desc": true }] })
            }
        }
    }

    /// A table shows labels and value, not when it was asked.
    fn transformations(self) -> Value {
        match self {
            Self::Table => json!([{ "id": "organize", "options": { "excludeByName": { "Time": true } } }]),
            Self::Number(_) | Self::Lines | Self::Areas | Self::Heat => json!([]),
        }
    }
}

impl Limits {
    fn steps(self) -> Value {
        let thousandths = |value: u32| f64::from(value) / 1000.0;
        match self {
            Self::Neutral => json!([{ "color": "blue", "value": null }]),
            Self::Above(yellow, red) => json!([
                { "color": "green", "value": null },
                { "color": "yellow", "value": thousandths(yellow) },
                { "color": "red", "value": thousandths(red) },
            ]),
            Self::One => json!([{ "color": "red", "value": null }, { "color": "green", "value": 1 }]),
        }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::PerSecond => "ops",
            Self::Seconds => "s",
            Self::Share => "percentunit",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn board() -> Value {
        serde_json::from_str(&dashboard()).expect("JSON")
    }

    /// The cells that a panel covers.
    fn cells(panel: &Value) -> impl Iterator<Item = (u64, u64)> {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a number"));
        (x..x + w).flat_map(move |column| (y..y + h).map(move |line| (column, line)))
    }

    #[test]
    fn no_panel_lies_upon_another_or_leaves_the_board() {
        let board = board();
        let mut taken = BTreeSet::new();
        for panel in board["panels"].as_array().expect("panels") {
            for cell in cells(panel) {
                assert!(cell.0 < u64::from(COLUMNS) && taken.insert(cell), "{} at {cell:?}", panel["title"]);
            }
        }
    }

    #[test]
    fn every_panel_has_an_id_of_its_own_and_says_what_it_shows() {
        let board = board();
        let panels = board["panels"].as_array().expect("panels");
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].to_string()).collect();
        assert_eq!(ids.len(), panels.len());
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            assert!(
                panel["description"].as_str().is_some_and(|about| about.ends_with('.')),
                "{}",
                panel["title"]
            );
            assert!(panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()));
        }
    }

    #[test]
    fn the_rows_are_those_an_operator_looks_for() {
        let titles = panels::ROWS.map(|row| row.title);
        assert_eq!(titles, ["Overview", "Queues", "Steps", "Workers", "Store", "Events"]);
    }
}
