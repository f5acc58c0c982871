//! Parses YAML into a tree that has the position of each key and value.
//!
//! It uses saphyr's events. saphyr's own trees report only the first duplicate key of a file.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

/// The deepest nesting that is accepted, so that no input exhausts the stack.
const MAX_DEPTH: usize = 64;
/// The most nodes that are accepted, so that no input exhausts the memory. Aliases multiply nodes.
const MAX_NODES: usize = 100_000;
const TOO_LARGE: &str = "too deep or too large for a configuration";

/// Line and column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it starts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// `plain` is true for a scalar without quotes: its type follows from its text.
    Scalar {
        text: String,
        plain: bool,
    },
    Sequence(Vec<Node>),
    /// In the order of the text, duplicates included.
    Mapping(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) position: Position,
    pub(super) name: String,
}

/// Why a text can't be parsed.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) position: Position,
    pub(super) message: String,
}

/// Parses one document. `None` for a text without a document.
pub(super) fn parse(text: &str) -> Result<Option<Node>, SyntaxError> {
    let mut builder = Builder { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    builder.document().map_err(|error| {
        tab_in_indentation(text, error.position.line)
            .or_else(|| reference_in_flow(text, error.position))
            .unwrap_or(error)
    })
}

impl From<Marker> for Position {
    fn from(mark: Marker) -> Self {
        Position { line: mark.line(), column: mark.col() + 1 }
    }
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> Self {
        error_at(*error.marker(), error.info())
    }
}

fn error_at(mark: Marker, message: &str) -> SyntaxError {
    SyntaxError { position: mark.into(), message: message.to_owned() }
}

/// Finds a tab in an indentation. It is the usual cause of an error that the parser reports at the start of the
/// previous value.
fn tab_in_indentation(text: &str, error_line: usize) -> Option<SyntaxError> {
    let said = |(index, line): &(usize, &str)| *index < error_line || line.trim().is_empty();
    let upto = text.lines().enumerate().skip_while(said).map(|(index, _)| index + 1).next();
    text.lines().take(upto.unwrap_or(error_line)).enumerate().find_map(|(index, line)| {
        let indentation = line.len() - line.trim_start().len();
        let column = line[..indentation].find('\t')? + 1;
        let message = "a tab can't indent YAML; use spaces".to_owned();
        Some(SyntaxError { position: Position { line: index + 1, column }, message })
    })
}

/// Finds a reference in a flow mapping. In `{ key: ${env:NAME} }`, the brace after the dollar opens a mapping.
fn reference_in_flow(text: &str, at: Position) -> Option<SyntaxError> {
    let line = text.lines().nth(at.line.checked_sub(1)?)?;
    let mut around = line.chars().skip(at.column.checked_sub(2)?);
    let reference = around.next() == Some('$') && around.next() == Some('{');
    reference.then(|| SyntaxError {
        position: Position { column: at.column - 1, ..at },
        message: "${…} between braces or brackets must stand in quotes".to_owned(),
    })
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'t> Builder<'t> {
    fn document(&mut self) -> Result<Option<Node>, SyntaxError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(error_at(
                        span.start,
                        "a second YAML document; put it into a file of its own",
                    ));
                }
                Event::DocumentStart(_) => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), SyntaxError> {
        Ok(self.parser.next_event().unwrap_or(Ok((Event::StreamEnd, Span::default())))?)
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, SyntaxError> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(error_at(span.start, TOO_LARGE));
        }
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = !is_text(tag.as_deref(), span)? && style == ScalarStyle::Plain;
                (Content::Scalar { text: text.into_owned(), plain }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                is_text(tag.as_deref(), span)?;
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                is_text(tag.as_deref(), span)?;
                (self.mapping(depth)?, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, span, depth),
            _ => return Err(error_at(span.start, "expected a value")),
        };
        let node = Node { position: span.start.into(), content };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Content, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::Sequence(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Content, SyntaxError> {
        let mut entries = Vec::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Content::Mapping(entries)),
                (Event::Scalar(name, ..), span) => {
                    Key { position: span.start.into(), name: name.into_owned() }
                }
                (_, span) => return Err(error_at(span.start, "a key must be a plain word or a quoted text")),
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            entries.push((key, value));
        }
    }

    fn alias(&mut self, anchor: usize, span: Span, depth: usize) -> Result<Node, SyntaxError> {
        // The parser has already refused aliases without an anchor. If a node is missing here, its alias is inside of
        // it.
        let node = self.anchors.get(&anchor).cloned();
        let node =
            node.ok_or_else(|| error_at(span.start, "an alias inside of the value that it stands for"))?;
        self.nodes += node.size();
        if depth + node.depth() > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(error_at(span.start, TOO_LARGE));
        }
        Ok(node)
    }
}

impl Node {
    fn children(&self) -> impl Iterator<Item = &Node> {
        let (items, entries) = match &self.content {
            Content::Scalar { .. } => (&[][..], &[][..]),
            Content::Sequence(items) => (&items[..], &[][..]),
            Content::Mapping(entries) => (&[][..], &entries[..]),
        };
        items.iter().chain(entries.iter().map(|(_, value)| value))
    }

    fn size(&self) -> usize {
        1 + self.children().map(Node::size).sum::<usize>()
    }

    /// Levels below it.
    fn depth(&self) -> usize {
        self.children().map(|child| 1 + child.depth()).max().unwrap_or(0)
    }
}

/// Whether the tag makes a plain scalar a text. Other tags have no meaning here and are refused.
fn is_text(tag: Option<&Tag>, span: Span) -> Result<bool, SyntaxError> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(true),
        Some(tag) => Err(error_at(span.start, &format!("unknown tag {tag}; only !!str is known"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_is_named_where_it_stands() {
        for (text, line, column) in [
            ("receivers:\n  a: 1\n\tb: 2\n", 3, 1),
            ("receivers:\n\ta: 1\n", 2, 1),
            ("receivers:\n  a:\n  \tb: 1\n  \tc: 1\n", 3, 3),
            ("receivers:\n  a: 1\n\n\tb: 2\n", 4, 1),
            ("receivers:\n  - a\n\t- b: 1\n", 3, 1),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.message.contains("tab"), "{text:?}: {error:?}");
            assert_eq!((error.position.line, error.position.column), (line, column), "{text:?}");
        }
    }

    #[test]
    fn duplicates_stay_in_the_tree_with_their_positions() {
        let root = parse("a: 1\n\"a\": 2\n").expect("yaml").expect("document");
        let Content::Mapping(entries) = root.content else { panic!("mapping") };
        let lines: Vec<_> = entries.iter().map(|(key, _)| (key.name.as_str(), key.position.line)).collect();
        assert_eq!(lines, [("a", 1), ("a", 2)]);
    }

    #[test]
    fn aliases_can_neither_loop_nor_explode() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            text += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
        }
        assert!(parse(&text).is_err());
        assert!(parse(&"[".repeat(10_000)).is_err());
        let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(40), "]".repeat(40));
        assert!(parse(&format!("a: &a {}\nb: [*a]\n", nested("x"))).is_ok());
        assert!(parse(&format!("a: &a {}\nb: {}\n", nested("x"), nested("*a"))).is_err());
        assert!(parse("a: &a [*a]").is_err());
    }
}
