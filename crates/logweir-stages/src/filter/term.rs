//! What a filter is written in, before it is understood.

/// A value of a configuration file or of a JSON text, with its place.
///
/// A filter comes in YAML or as JSON text; both become terms, so that one reader understands both and each problem
/// names the place where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Term {
    /// Where it starts; whoever made the term knows in what.
    pub at: usize,
    /// What it is.
    pub kind: TermKind,
}

/// The kinds of JSON value.
#[derive(Clone, PartialEq, Debug)]
pub enum TermKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written, by JSON's grammar.
    Number(String),
    /// A string: UTF-8, save for lone surrogates, which are in WTF-8.
    Text(Vec<u8>),
    /// An array.
    List(Vec<Term>),
    /// An object: each name's place, the name, its value, in the order written.
    Map(Vec<(usize, Vec<u8>, Term)>),
}
