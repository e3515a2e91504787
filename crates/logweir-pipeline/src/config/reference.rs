//! The reference of a pipeline file: a page for each part, made from the table of keys.
//!
//! What the table knows (what a key takes, its bounds, its default, what excludes what) is written by it, so that a page
//! cannot say anything else than what is checked. What it cannot know, and an example, stand in [`pages`].

use std::fmt::Write as _;

use super::shape::{Key, MapShape, Rule, Shape, TextShape, listed};

mod pages;

use pages::{PAGES, Page};

/// One page of the reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReferencePage {
    /// The name of its file, as `source-file.md`.
    pub file: &'static str,
    /// What it is about, as a list of pages names it.
    pub title: &'static str,
    /// A pipeline that shows it, as YAML; `None` where the page is about all of a file.
    pub example: Option<&'static str>,
    /// All of it, as Markdown.
    pub text: String,
}

/// Returns the reference of a pipeline file, in the order in which it is read.
pub fn reference() -> Vec<ReferencePage> {
    let page = |page: &Page| ReferencePage {
        file: page.file,
        title: page.title,
        example: page.example,
        text: text(page),
    };
    PAGES.iter().map(page).collect()
}

fn text(page: &Page) -> String {
    let mut text = format!("# {}\n\n{}\n", page.title, page.about);
    if let Some(example) = page.example {
        // Writing to a text does not fail, here and below.
        let _ = write!(text, "\n```yaml\n{}\n```\n", example.trim());
    }
    if let Some(shape) = page.shape {
        let mut sections = vec![(String::from("Keys"), shape)];
        // Parts of it that have no page follow; a shape that stands in two places is told of once.
        let mut at = 0;
        while let Some((title, shape)) = sections.get(at).cloned() {
            section(&mut text, &title, shape);
            for (title, inner) in inner_maps(shape) {
                let is_known = sections.iter().any(|(_, known)| std::ptr::eq(*known, inner));
                if !is_known && page_of(inner).is_none() {
                    sections.push((title, inner));
                }
            }
            at += 1;
        }
    }
    text
}

/// Returns the maps that the keys of a map take, each with the title of its section.
fn inner_maps(shape: &MapShape) -> Vec<(String, &'static MapShape)> {
    let inner = |key: &Key| match &key.shape {
        Shape::Map(inner) => Some((format!("Keys of `{}`", key.name), *inner)),
        Shape::List(list) | Shape::Tests(list) => match &list.item {
            Shape::Map(inner) => Some((format!("Keys of an item of `{}`", key.name), *inner)),
            _ => None,
        },
        _ => None,
    };
    shape.keys.iter().filter_map(inner).collect()
}

fn section(text: &mut String, title: &str, shape: &MapShape) {
    if shape.keys.is_empty() {
        text.push_str("\nIt has no options: write `{}`.\n");
        return;
    }
    let _ = write!(text, "\n## {title}\n");
    let rules = rules(shape);
    if !rules.is_empty() {
        let _ = write!(text, "\n{}\n", rules.join(" "));
    }
    for key in shape.keys {
        let need = if key.required { "**required** · " } else { "" };
        let default =
            key.default.map_or_else(String::new, |default| format!(" · default: {}", default.shown()));
        let takes = takes(&key.shape);
        let _ = write!(text, "\n### `{}`\n\n{need}{takes}{default}\n\n{}\n", key.name, key.doc);
    }
}

/// Returns what holds between the keys of a map, each as a sentence.
fn rules(shape: &MapShape) -> Vec<String> {
    let names = |names: &[&str], word: &str| listed(names.iter().copied(), word);
    let mut rules = match shape.rule {
        Rule::Free => Vec::new(),
        Rule::NullsLeftOut => vec![String::from("A key whose value is `null` counts as left out.")],
        Rule::ExactlyOne => vec![String::from("Exactly one of these is given.")],
        Rule::AtLeastOne => vec![String::from("One of these at least is given.")],
        Rule::SinkOrOutputs => vec![String::from(
            "One of `sink`, `outputs` and `jobs` is given. `encode` goes with `sink` alone; beside `jobs` there are no \
             `stages` and no `dead_letter`.",
        )],
        Rule::EachOne(groups) => {
            groups.iter().map(|group| format!("Exactly one of {} is given.", names(group, "and"))).collect()
        }
    };
    rules.extend(shape.only.iter().map(|only| {
        format!("`{}` goes only with `{}` {}.", only.key, only.beside, names(only.values, "or"))
    }));
    rules
}

/// Returns what a key takes, in words.
fn takes(shape: &Shape) -> String {
    match shape {
        Shape::Map(map) => match page_of(map) {
            Some(page) => format!("a map: [{}]({})", page.title, page.file),
            None if map.keys.is_empty() => String::from("`{}`"),
            None => format!("a map with {}", map.names()),
        },
        Shape::List(list) | Shape::Tests(list) => {
            let least = usize::from(!list.may_be_empty);
            let distinct = if list.distinct { ", all different" } else { "" };
            format!("a list of {least} to {}{distinct}, each: {}", list.most, takes(&list.item))
        }
        Shape::Pairs(pairs) => {
            format!("a map of names and texts, {} at most, as `{}`", pairs.most, pairs.example)
        }
        Shape::Text(TextShape::Secret) => String::from("a text that no log, problem or metric ever shows"),
        Shape::Text(TextShape::Any) => String::from("a text that is not empty"),
        Shape::Text(TextShape::Literal) => String::from("a text"),
        Shape::Text(TextShape::Name) => String::from("a name of letters, digits, `_`, `.` and `-`"),
        Shape::Unavailable(_) => String::from("`null` alone"),
        Shape::Destination => format!("{}; secrets in it are never shown", shape.help()),
        _ => shape.help(),
    }
}

/// Returns the page that is about a map.
fn page_of(map: &MapShape) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.shape.is_some_and(|shape| std::ptr::eq(shape, map)))
}
