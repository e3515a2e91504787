//! JSON as of RFC 8259, read in the plainest way.
//!
//! The parser walks the text once, character by character, with a list of the arrays and objects still open in the
//! place of recursion. What it finds lies in one flat list, so that neither reading nor dropping a text nested
//! 20,000 deep costs stack. It keeps what byte-exact work needs: where everything is written, members in order with
//! their duplicates, and for strings every code point with its spelling, lone surrogates included.

mod parse;
mod text;

use std::ops::Range;
use std::sync::Arc;

pub use parse::{Illegal, is_number, parse};
pub use text::{Character, Text};

/// What kind of value a [`Node`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, of which only the spelling is kept.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A value in a JSON text: a handle, cheap to clone, that keeps the whole text alive.
#[derive(Clone, Debug)]
pub struct Node {
    tree: Arc<Tree>,
    /// Which of the tree's values.
    index: usize,
}

#[derive(Debug)]
struct Tree {
    text: String,
    /// All values; one that holds others stands behind them.
    values: Vec<Value>,
}

#[derive(Debug)]
struct Value {
    span: Range<usize>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Null,
    Bool,
    Number,
    String(Vec<Character>),
    Array(Vec<usize>),
    Object(Vec<(Text, usize)>),
}

impl Node {
    /// Returns what kind of value it is.
    pub fn kind(&self) -> Kind {
        match self.content() {
            Content::Null => Kind::Null,
            Content::Bool => Kind::Bool,
            Content::Number => Kind::Number,
            Content::String(_) => Kind::String,
            Content::Array(_) => Kind::Array,
            Content::Object(_) => Kind::Object,
        }
    }

    /// Returns where it is written, in bytes of the parsed text, a string with its quotes.
    pub fn span(&self) -> Range<usize> {
        self.tree.values[self.index].span.clone()
    }

    /// Returns the text it is written with.
    pub fn raw(&self) -> &str {
        &self.tree.text[self.span()]
    }

    /// Returns a string's code points with their spelling, `None` for any other value.
    pub fn characters(&self) -> Option<&[Character]> {
        match self.content() {
            Content::String(characters) => Some(characters),
            _ => None,
        }
    }

    /// Returns a string's decoded text, `None` for any other value.
    pub fn text(&self) -> Option<Text> {
        self.characters().map(|characters| Text(characters.iter().map(|character| character.code).collect()))
    }

    /// Returns an array's elements in order; none for any other value.
    pub fn elements(&self) -> Vec<Self> {
        match self.content() {
            Content::Array(elements) => elements.iter().map(|&index| self.at(index)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns an object's members in order, duplicates included; none for any other value.
    pub fn members(&self) -> Vec<(Text, Self)> {
        match self.content() {
            Content::Object(members) => {
                members.iter().map(|(name, index)| (name.clone(), self.at(*index))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the member of that (decoded) name, of duplicates the last; `None` where there is none.
    pub fn get(&self, name: impl Into<Text>) -> Option<Self> {
        let Content::Object(members) = self.content() else { return None };
        let wanted = name.into();
        members.iter().rfind(|(name, _)| *name == wanted).map(|(_, index)| self.at(*index))
    }

    /// Returns the field that a key names: a member of that very name or, if there is no such member, what the
    /// dotted path leads to through nested objects, every dot a step.
    pub fn path(&self, key: impl Into<Text>) -> Option<Self> {
        let key = key.into();
        if let Some(field) = self.get(key.clone()) {
            return Some(field);
        }
        let mut steps = key.0.split(|&code| code == u32::from('.')).map(|step| Text(step.to_vec()));
        steps.try_fold(self.clone(), |node, step| node.get(step))
    }

    fn content(&self) -> &Content {
        &self.tree.values[self.index].content
    }

    fn at(&self, index: usize) -> Self {
        Self { tree: Arc::clone(&self.tree), index }
    }
}
