//! The graph as a picture: nodes in columns side by side for a wide screen, or below each other for a narrow one.

use maud::{Markup, html};
use otel_tcpretrans_pipeline::text::grouped;

use super::format::bytes;
use super::number::Number;
use super::view::{Exporter, Pipeline, Receiver, Stated, View};

/// Which way the picture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From left to right.
    Wide,
    /// From top to bottom.
    Narrow,
}

/// Heights of the text, in units of the picture.
const TITLE: i32 = 28;
const LINE: i32 = 18;
/// Space below the last line of a node.
const FOOT: i32 = 8;
/// Space between nodes.
const GAP: i32 = 22;
/// Space between the ends of edges at a node.
const APART: i32 = 18;
const WIDE_NODE: i32 = 252;
const WIDE_COLUMN: i32 = 384;
const NARROW_NODE: i32 = 246;
const NARROW_WIDTH: i32 = 344;
/// Characters of a line that fit into a node.
const FIT: usize = 34;
const FIT_TITLE: usize = 18;

struct Node {
    kind: &'static str,
    title: String,
    status: Status,
    lines: Vec<String>,
    column: usize,
    x: i32,
    y: i32,
    /// Edges that come in, and that go out.
    ends: (i32, i32),
}

/// How a node is doing, in a word and by a class of the style sheet.
pub(super) struct Status {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
}

/// An edge between two nodes, by their indices.
struct Edge<'v> {
    from: usize,
    to: usize,
    /// What came over it.
    number: Option<&'v Number>,
    y: (i32, i32),
}

/// How something is doing.
pub(super) fn status(of: &Stated) -> Status {
    match (of.healthy, of.error.is_some(), of.status) {
        (_, _, "StatusStarting") => Status { class: "warn", word: "starting" },
        (_, _, "StatusStopping") => Status { class: "warn", word: "stopping" },
        (true, false, "StatusStopped") => Status { class: "idle", word: "finished" },
        (true, false, "StatusOK") => Status { class: "good", word: "OK" },
        (true, true, _) => Status { class: "warn", word: "failing" },
        (false, ..) => Status { class: "bad", word: "failing" },
        (true, ..) => Status { class: "idle", word: "stopped" },
    }
}

/// Draws the graph.
pub(super) fn picture(view: &View, way: Way) -> Markup {
    let mut nodes: Vec<Node> = Vec::new();
    let receivers: Vec<&Receiver> = view
        .receivers
        .iter()
        .filter(|receiver| view.pipelines.iter().any(|pipeline| pipeline.receivers.contains(&receiver.id)))
        .collect();
    nodes.extend(receivers.iter().map(|receiver| receiver_node(receiver)));
    let pipelines_at = nodes.len();
    nodes.extend(view.pipelines.iter().map(pipeline_node));
    let exporters_at = nodes.len();
    nodes.extend(view.exporters.iter().map(exporter_node));

    let mut edges = Vec::new();
    for (index, pipeline) in view.pipelines.iter().enumerate() {
        for (from, receiver) in receivers.iter().enumerate() {
            if pipeline.receivers.contains(&receiver.id) {
                let number = Some(&receiver.accepted);
                edges.push(Edge { from, to: pipelines_at + index, number, y: (0, 0) });
            }
        }
        for (to, exporter) in view.exporters.iter().enumerate() {
            if exporter.signal == pipeline.signal && pipeline.exporters.contains(&exporter.id) {
                let books = exporter.books.iter().find(|ledger| ledger.pipeline == pipeline.id);
                let number = books.map(|ledger| &ledger.accepted);
                edges.push(Edge { from: pipelines_at + index, to: exporters_at + to, number, y: (0, 0) });
            }
        }
    }
    let (width, height) = place(&mut nodes, &mut edges, way);
    let class = if way == Way::Wide { "graph wide" } else { "graph narrow" };
    html! {
        svg class=(class) viewBox=(format!("0 0 {width} {height}")) role="img" aria-label="The graph: receivers, pipelines, exporters" {
            @for edge in &edges { path class="edge" d=(curve(edge, &nodes, way)) {} }
            @for edge in &edges { (arrow(edge, &nodes, way)) }
            @for node in &nodes { (node.draw(way)) }
            @for edge in &edges { (label(edge, &nodes, way)) }
        }
    }
}

fn receiver_node(receiver: &Receiver) -> Node {
    let of = |name: &str| receiver.facts.iter().find(|(known, _)| *known == name);
    let facts = ["hook", "transport", "scope", "file"].into_iter().filter_map(of);
    let mut lines: Vec<String> = facts.map(|(name, value)| format!("{name}: {value}")).collect();
    lines.push(format!("makes {}", receiver.makes));
    Node::new("receiver", &receiver.id, &receiver.condition, lines, 0)
}

fn pipeline_node(pipeline: &Pipeline) -> Node {
    let mut lines: Vec<String> = pipeline.processors.iter().map(|id| format!("▸ {id}")).collect();
    if lines.is_empty() {
        lines.push("no processors".to_owned());
    }
    Node::new("pipeline", &pipeline.id, &pipeline.condition, lines, 1)
}

fn exporter_node(exporter: &Exporter) -> Node {
    let queue = exporter
        .queue
        .as_ref()
        .map(|queue| format!("queue: {} of {}", bytes(queue.size.value), bytes(queue.capacity.value)));
    let lines = [exporter.signal.to_owned()].into_iter().chain(queue).collect();
    Node::new("exporter", &exporter.id, &exporter.condition, lines, 2)
}

impl Node {
    fn new(kind: &'static str, title: &str, of: &Stated, lines: Vec<String>, column: usize) -> Node {
        Node { kind, title: title.to_owned(), status: status(of), lines, column, x: 0, y: 0, ends: (0, 0) }
    }

    fn width(way: Way) -> i32 {
        if way == Way::Wide { WIDE_NODE } else { NARROW_NODE }
    }

    fn height(&self, way: Way) -> i32 {
        let text = TITLE + LINE * i32::try_from(self.lines.len()).unwrap_or(0) + FOOT;
        let ends = if way == Way::Wide { self.ends.0.max(self.ends.1) } else { self.ends.0 + self.ends.1 };
        text.max((ends + 1) * APART)
    }

    fn draw(&self, way: Way) -> Markup {
        let (x, y, width) = (self.x, self.y, Node::width(way));
        let status = &self.status;
        html! {
            g {
                title { (self.kind) " " (self.title) ": " (status.word) }
                rect class=(format!("node {}", status.class)) x=(x) y=(y) width=(width) height=(self.height(way)) rx="7" {}
                rect class=(format!("mark {}", status.class)) x=(x) y=(y) width="6" height=(self.height(way)) rx="3" {}
                text class="title" x=(x + 16) y=(y + 20) { (cut(&self.title, FIT_TITLE)) }
                text class=(format!("word {}", status.class)) x=(x + width - 10) y=(y + 20) { (status.word) }
                @for (index, line) in (1..).zip(&self.lines) {
                    text class="line" x=(x + 16) y=(y + 20 + LINE * index) { (cut(line, FIT)) }
                }
            }
        }
    }
}

/// Gives each node and each end of an edge its place. Returns the size of the picture.
fn place(nodes: &mut [Node], edges: &mut [Edge<'_>], way: Way) -> (i32, i32) {
    for edge in edges.iter() {
        nodes[edge.from].ends.1 += 1;
        nodes[edge.to].ends.0 += 1;
    }
    let (width, height) = match way {
        Way::Wide => {
            let mut heights = [0; 3];
            for node in nodes.iter() {
                heights[node.column] += node.height(way) + GAP;
            }
            let tallest = heights.into_iter().max().unwrap_or(0);
            let mut next = heights.map(|height| (tallest - height) / 2);
            for node in nodes.iter_mut() {
                let column = i32::try_from(node.column).unwrap_or(0);
                (node.x, node.y) = (1 + column * WIDE_COLUMN, 1 + next[node.column]);
                next[node.column] += node.height(way) + GAP;
            }
            (2 * WIDE_COLUMN + WIDE_NODE + 2, (tallest - GAP).max(0) + 2)
        }
        Way::Narrow => {
            let mut next = 1;
            for node in nodes.iter_mut() {
                (node.x, node.y) = (1, next);
                next += node.height(way) + GAP;
            }
            (NARROW_WIDTH, (next - GAP).max(0) + 2)
        }
    };
    // The ends at a node are in the order of the edges. On a narrow screen those that come in are above.
    let mut used = vec![(0, 0); nodes.len()];
    for edge in edges {
        let end = |node: &Node, index: i32, count: i32| node.y + node.height(way) * (index + 1) / (count + 1);
        let (from, to) = (&nodes[edge.from], &nodes[edge.to]);
        edge.y = match way {
            Way::Wide => (end(from, used[edge.from].1, from.ends.1), end(to, used[edge.to].0, to.ends.0)),
            Way::Narrow => (
                end(from, from.ends.0 + used[edge.from].1, from.ends.0 + from.ends.1),
                end(to, used[edge.to].0, to.ends.0 + to.ends.1),
            ),
        };
        used[edge.from].1 += 1;
        used[edge.to].0 += 1;
    }
    (width, height)
}

fn curve(edge: &Edge<'_>, nodes: &[Node], way: Way) -> String {
    let ((y1, y2), from) = (edge.y, &nodes[edge.from]);
    let x1 = from.x + Node::width(way);
    match way {
        Way::Wide => {
            let x2 = nodes[edge.to].x - 7;
            let middle = (x1 + x2) / 2;
            format!("M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}")
        }
        Way::Narrow => {
            let bend = x1 + (18 + (y2 - y1).abs() / 5).min(88);
            format!("M{x1},{y1} C{bend},{y1} {bend},{y2} {},{y2}", x1 + 7)
        }
    }
}

fn arrow(edge: &Edge<'_>, nodes: &[Node], way: Way) -> Markup {
    let y = edge.y.1;
    let (tip, back) = match way {
        Way::Wide => (nodes[edge.to].x, nodes[edge.to].x - 8),
        Way::Narrow => (1 + NARROW_NODE, 1 + NARROW_NODE + 8),
    };
    html! { path class="arrow" d=(format!("M{tip},{y} L{back},{} L{back},{} Z", y - 4, y + 4)) {} }
}

fn label(edge: &Edge<'_>, nodes: &[Node], way: Way) -> Markup {
    let Some(number) = edge.number else { return html! {} };
    let (y1, y2) = edge.y;
    let (x, y) = match way {
        // Near its end, where the edges of a node are apart.
        Way::Wide => {
            let (x1, x2) = (nodes[edge.from].x + WIDE_NODE, nodes[edge.to].x);
            (x1 + (x2 - x1) * 68 / 100, (y1 * 18 + y2 * 82) / 100 + 4)
        }
        Way::Narrow => (NARROW_WIDTH - 2, y2 + 4),
    };
    html! {
        text class="number" x=(x) y=(y) data-series=(number.series) data-value=(number.value) { (grouped(number.value)) }
    }
}

/// A text of at most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}
