//! As much of Markdown as the texts of this project use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A text.
pub(crate) struct Text {
    /// Its path from the workspace.
    pub(crate) path: PathBuf,
    pub(crate) source: String,
}

/// A fenced block, which begins at the start of a line or, in a list, behind spaces.
#[derive(Debug)]
pub(crate) struct Block {
    /// The number of the line with the fence, from 1.
    pub(crate) line: usize,
    /// What stands behind the fence.
    pub(crate) language: String,
    /// What the comment right before it says, as `not run: it needs root`; one item for each of its lines.
    pub(crate) notes: Vec<String>,
    pub(crate) body: String,
}

impl Block {
    /// Returns what a note of this name says.
    pub(crate) fn note(&self, name: &str) -> Option<&str> {
        self.notes.iter().find_map(|note| note.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    }
}

impl Text {
    pub(crate) fn read(root: &Path, path: PathBuf) -> Self {
        let source = fs::read_to_string(root.join(&path)).unwrap();
        Self { path, source }
    }

    /// Returns where something is, for messages.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// Returns the fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(Block, &str)> = None;
        let mut before: Vec<&str> = Vec::new();
        for (index, line) in self.source.lines().enumerate() {
            let rest = line.trim_start();
            match open.take() {
                Some((block, _)) if rest.trim_end() == "```" => blocks.push(block),
                Some((mut block, indent)) => {
                    block.body.push_str(line.strip_prefix(indent).unwrap_or(rest));
                    block.body.push('\n');
                    open = Some((block, indent));
                }
                None => match rest.strip_prefix("```") {
                    Some(language) => {
                        let indent = &line[..line.len() - rest.len()];
                        let (notes, language) = (notes(&before), language.trim().to_owned());
                        open =
                            Some((Block { line: index + 1, language, notes, body: String::new() }, indent));
                        before.clear();
                    }
                    None => before.push(rest),
                },
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.path.display());
        blocks
    }

    /// Returns the lines outside of blocks, each with its number, and with what is code in them left out.
    pub(crate) fn prose(&self) -> Vec<(usize, String)> {
        let mut is_code = false;
        let mut prose = Vec::new();
        for (index, line) in self.source.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
            } else if !is_code {
                prose.push((index + 1, line.to_owned()));
            }
        }
        prose
    }

    /// Returns the anchors of its headings, as forges and mdBook make them.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut anchors = BTreeSet::new();
        for (_, line) in self.prose() {
            let title = line.trim_start_matches('#');
            if title.len() == line.len() || !title.starts_with(' ') {
                continue;
            }
            let anchor = anchor(&shown(title.trim()));
            let again = seen.entry(anchor.clone()).or_insert(0);
            anchors.insert(if *again == 0 { anchor } else { format!("{anchor}-{again}") });
            *again += 1;
        }
        anchors
    }
}

/// Returns the lines of the comment that ends right before a block.
fn notes(before: &[&str]) -> Vec<String> {
    let Some(end) = before.last().and_then(|line| line.strip_suffix("-->")) else { return Vec::new() };
    let mut lines = vec![end];
    let mut earlier = before[..before.len() - 1].iter().rev();
    while !lines[lines.len() - 1].starts_with("<!--") {
        let Some(line) = earlier.next() else { return Vec::new() };
        lines.push(line);
    }
    let shown = |line: &&str| line.trim_start_matches("<!--").trim().to_owned();
    lines.iter().rev().map(shown).filter(|line| !line.is_empty()).collect()
}

/// Returns a heading without its markup: what stands in the brackets of a link, and no backquotes.
fn shown(title: &str) -> String {
    let mut shown = String::new();
    let mut rest = title;
    while let Some((before, link)) = rest.split_once("](") {
        shown.push_str(before);
        rest = link.split_once(')').map_or("", |(_, behind)| behind);
    }
    shown.push_str(rest);
    shown.replace(['`', '[', ']'], "")
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn blocks_and_their_notes_are_found() {
    let source = "a\n<!-- not run: it needs root -->\n```sh\nx\n```\n<!--\nfile: a b\nbefore: c\n-->\n```yaml\ny: 1\n```\n\n- b\n  ```\n  z\n  ```\n";
    let text = Text { path: PathBuf::from("a.md"), source: source.to_owned() };
    let blocks = text.blocks();
    let shown: Vec<_> = blocks.iter().map(|block| (block.line, &*block.language, &*block.body)).collect();
    assert_eq!(shown, [(3, "sh", "x\n"), (10, "yaml", "y: 1\n"), (15, "", "z\n")]);
    assert_eq!(blocks[0].note("not run"), Some("it needs root"));
    assert_eq!((blocks[1].note("file"), blocks[1].note("before")), (Some("a b"), Some("c")));
    assert!(blocks[2].notes.is_empty());
}

#[test]
fn anchors_are_those_that_links_name() {
    let source = "# What is `a`?\n## [B](c.md), d\n```\n# no heading\n```\n## B, d\n#none\n";
    let text = Text { path: PathBuf::from("a.md"), source: source.to_owned() };
    assert_eq!(text.anchors(), ["b-d", "b-d-1", "what-is-a"].map(str::to_owned).into());
}
