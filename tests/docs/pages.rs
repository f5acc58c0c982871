//! The pages, their blocks, headings and links.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that have no pages of ours.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// A Markdown file.
pub(crate) struct Page {
    /// Relative to the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// What is between two fences.
pub(crate) struct Block {
    /// The words behind the first fence.
    pub(crate) kind: String,
    /// The number of the line of the first fence.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A link in the text of a page.
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) target: String,
}

/// The folder of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All pages of the repository.
pub(crate) fn pages() -> Vec<Page> {
    let mut files = Vec::new();
    find(repository(), &mut files);
    assert!(files.len() > 20, "{files:?}");
    files.iter().map(|file| Page::read(&file.to_string_lossy())).collect()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                find(&path, files);
            }
        } else if name.ends_with(".md") {
            files.push(path.strip_prefix(repository()).expect("a path below").to_owned());
        }
    }
}

impl Page {
    pub(crate) fn read(path: &str) -> Page {
        let text = fs::read_to_string(repository().join(path)).expect(path);
        Page { path: path.to_owned(), text }
    }

    /// The blocks. The indentation of the first fence is taken from each line.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(Block, usize)> = None;
        for (index, line) in self.text.lines().enumerate() {
            let trimmed = line.trim_start();
            match (&mut open, trimmed.strip_prefix("```")) {
                (None, Some(kind)) => {
                    let block = Block { kind: kind.to_owned(), line: index + 1, text: String::new() };
                    open = Some((block, line.len() - trimmed.len()));
                }
                (Some((_, _)), Some(_)) => blocks.extend(open.take().map(|(block, _)| block)),
                (Some((block, indented)), None) => {
                    block.text.push_str(line.get(*indented..).unwrap_or_default());
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block has no end", self.path);
        blocks
    }

    /// The lines that are in no block, with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut inside = false;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            let is_fence = line.trim_start().starts_with("```");
            inside ^= is_fence;
            (!inside && !is_fence).then_some((index + 1, line))
        })
    }

    /// All links, those to other sites, too.
    pub(crate) fn links(&self) -> impl Iterator<Item = Link> {
        self.lines().flat_map(|(line, text)| {
            let text = without_code(text);
            let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            targets.map(|target| Link { line, target: target.to_owned() }).collect::<Vec<_>>()
        })
    }

    /// The ids of the headings, as GitHub and mdBook make them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for (_, line) in self.lines().filter(|(_, line)| line.starts_with('#')) {
            let heading = line.trim_start_matches('#').trim();
            let kept = |letter: &char| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter);
            let id: String = heading.chars().filter(kept).collect();
            let id = id.to_lowercase().replace(' ', "-");
            let before = anchors.iter().filter(|other| **other == id).count();
            anchors.push(if before == 0 { id } else { format!("{id}-{before}") });
        }
        anchors
    }
}

/// A line without what is between backquotes: that is no link.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}
