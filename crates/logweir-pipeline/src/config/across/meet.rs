//! Whether two patterns can mean the same.
//!
//! Both may have places where anything can stand, so neither can simply be tried on the other. They meet if some text
//! fits both, which a table tells: of what is left of the one and of the other, do those meet?

use glob::Pattern;

/// A piece of a pattern.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Piece {
    /// Just this character.
    One(char),
    /// Some one character: any, or one of a class.
    Some(Option<Pattern>),
    /// Any number of any characters.
    Many,
}

/// A part of a path between two `/`.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Part {
    Name(Vec<Piece>),
    /// Any number of directories.
    Many,
}

/// Returns whether some path fits both.
pub(super) fn paths_meet(a: &[Part], b: &[Part]) -> bool {
    let is_many = |part: &Part| *part == Part::Many;
    meet(a, b, is_many, |a, b| match (a, b) {
        (Part::Name(a), Part::Name(b)) => names_meet(a, b),
        _ => true,
    })
}

fn names_meet(a: &[Piece], b: &[Piece]) -> bool {
    let is_many = |piece: &Piece| *piece == Piece::Many;
    meet(a, b, is_many, |a, b| match (a, b) {
        (Piece::One(a), Piece::One(b)) => a == b,
        (Piece::One(one), Piece::Some(Some(class))) | (Piece::Some(Some(class)), Piece::One(one)) => {
            class.matches(&one.to_string())
        }
        _ => true,
    })
}

/// Returns whether two lists of pieces meet; `fit` says so of two that each stand for one thing.
fn meet<T>(a: &[T], b: &[T], is_many: impl Fn(&T) -> bool, fit: impl Fn(&T, &T) -> bool) -> bool {
    // What holds of what is left of `a` from here on, and of `b` from each of its places on; from the ends backwards.
    let mut below: Vec<bool> = (0..=b.len()).map(|from| b[from..].iter().all(&is_many)).collect();
    for first in a.iter().rev() {
        let mut row = vec![false; b.len() + 1];
        row[b.len()] = is_many(first) && below[b.len()];
        for (at, second) in b.iter().enumerate().rev() {
            row[at] = match (is_many(first), is_many(second)) {
                // It stands for nothing, or for one thing more of the other.
                (true, _) => below[at] || row[at + 1],
                (false, true) => row[at + 1] || below[at],
                (false, false) => below[at + 1] && fit(first, second),
            };
        }
        below = row;
    }
    below[0]
}

/// Returns the parts of a glob of one directory's worth: a path without `/`.
pub(super) fn glob_part(text: &str) -> Part {
    if text == "**" {
        return Part::Many;
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, n_bytes) = match first {
            '*' => (Piece::Many, 1),
            '?' => (Piece::Some(None), 1),
            '[' => class(rest),
            one => (Piece::One(one), one.len_utf8()),
        };
        pieces.push(piece);
        rest = &rest[n_bytes..];
    }
    Part::Name(pieces)
}

/// Returns the class that a text begins with, and its length in bytes; without an end the bracket is no class.
fn class(text: &str) -> (Piece, usize) {
    let n_negation = usize::from(text[1..].starts_with('!'));
    // Right behind the opening, `]` is one of the characters.
    let first = text[1 + n_negation..].chars().next().map_or(0, char::len_utf8);
    let end = text[1 + n_negation + first..].find(']').map(|at| 1 + n_negation + first + at + 1);
    match end.and_then(|end| Some((Pattern::new(&text[..end]).ok()?, end))) {
        Some((class, end)) => (Piece::Some(Some(class)), end),
        None => (Piece::One('['), 1),
    }
}

/// Returns a name in which nothing stands for anything else.
pub(super) fn plain_part(text: &str) -> Part {
    Part::Name(text.chars().map(Piece::One).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALPHABET: [char; 4] = ['a', 'b', '[', ']'];

    /// All texts of up to four characters.
    fn texts() -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..4 {
            let to = texts.len();
            for i in from..to {
                texts.extend(ALPHABET.map(|c| format!("{}{c}", texts[i])));
            }
            from = to;
        }
        texts
    }

    fn glob() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["a", "b", "]", "*", "?", "[ab]", "[!a]", "[]a]", "[[]"]);
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    /// A pattern of which only stars stand for something else.
    fn name() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["a", "b", "*"]);
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn two_patterns_meet_if_some_text_fits_both(a in glob(), b in name()) {
            // Two stars in one name are no glob.
            let (Ok(first), Ok(second)) = (Pattern::new(&a), Pattern::new(&b)) else { return Ok(()) };
            let expected = texts().iter().any(|text| first.matches(text) && second.matches(text));
            prop_assert_eq!(paths_meet(&[glob_part(&a)], &[glob_part(&b)]), expected, "{} {}", a, b);
            prop_assert_eq!(paths_meet(&[glob_part(&b)], &[glob_part(&a)]), expected, "{} {}", b, a);
        }
    }

    #[test]
    fn directories_meet_at_any_depth_only_where_any_is_asked_for() {
        let parts = |path: &str| path.split('/').map(glob_part).collect::<Vec<_>>();
        let meet = |a: &str, b: &str| paths_meet(&parts(a), &parts(b));
        assert!(meet("logs/**/*.gz", "logs/2026*/11/x.gz") && meet("logs/**/*.gz", "logs/x.gz"));
        assert!(meet("**", "a/b") && meet("a/**/b/**", "a/b") && !meet("a/**/b/*", "a/b"));
        assert!(!meet("logs/*.gz", "logs/2026*/x.gz") && !meet("logs/*", "out/*") && !meet("a/b", "a"));
    }
}
