//! Every link of the texts leads to a file that is there, and to a heading that it has.

use std::path::{Component, Path, PathBuf};

use crate::markdown::Text;
use crate::{check_none, texts, workspace};

/// Returns what the links of a line lead to; what stands in backquotes is none.
fn targets(line: &str) -> Vec<String> {
    // Every second part is code.
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let parts = prose.split("](").skip(1).filter_map(|part| part.split_once(')'));
    parts.map(|(target, _)| target.to_owned()).collect()
}

/// Returns a path without `..` in it; `None` if it leads out of the workspace.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => plain.pop().then_some(())?,
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}

/// Returns what is wrong with a link of a text.
fn wrong(text: &Text, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = match file {
        "" => text.path.clone(),
        file => match plain(&text.path.parent()?.join(file)) {
            Some(path) => path,
            None => return Some(String::from("leads out of the project")),
        },
    };
    if !workspace().join(&path).exists() {
        return Some(format!("{} is not there", path.display()));
    }
    let is_chapter = |path: &Path| path.starts_with("docs");
    let is_text = path.extension().is_some_and(|ending| ending == "md");
    if is_text && is_chapter(&text.path) && !is_chapter(&path) {
        return Some(String::from("the book has no such chapter: name the file, and link nothing"));
    }
    let anchor = anchor.filter(|_| is_text)?;
    let has = Text::read(&workspace(), path.clone()).anchors().contains(anchor);
    (!has).then(|| format!("{} has no heading `#{anchor}`", path.display()))
}

#[test]
fn every_link_leads_somewhere() {
    let mut n_links = 0;
    let mut found = Vec::new();
    for text in ["", "docs", "docs/reference", "benches", "benches/peers"].into_iter().flat_map(texts) {
        for (line, prose) in text.prose() {
            for target in targets(&prose) {
                n_links += 1;
                found
                    .extend(wrong(&text, &target).map(|why| format!("{}: `{target}`: {why}", text.at(line))));
            }
        }
    }
    assert!(n_links > 150, "only {n_links} links");
    check_none(&found);
}

#[test]
fn the_book_has_every_chapter_once() {
    let summary = Text::read(&workspace(), PathBuf::from("docs/SUMMARY.md"));
    let mut named: Vec<_> = summary
        .prose()
        .iter()
        .filter_map(|(_, line)| summary_target(line))
        .map(|file| format!("docs/{file}"))
        .collect();
    named.sort_unstable();
    let mut there: Vec<_> = ["docs", "docs/reference"]
        .into_iter()
        .flat_map(texts)
        .map(|text| text.path.to_str().unwrap().to_owned())
        .filter(|path| path != "docs/SUMMARY.md")
        .collect();
    there.sort_unstable();
    assert_eq!(named, there);
}

/// Returns the chapter that a line of the summary names, whose title may have code in it.
fn summary_target(line: &str) -> Option<String> {
    Some(line.split_once("](")?.1.split_once(')')?.0.to_owned())
}
