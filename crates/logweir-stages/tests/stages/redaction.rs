//! What is hidden from who watches is nowhere in what he is shown, however it is written; all else is.

use logweir_json::check;
use logweir_stages::Redaction;
use proptest::prelude::*;

/// What must not be seen; it is put below the hidden names only.
const SECRET: &str = "s3cret";

/// The names there are.
const NAMES: [&str; 3] = ["a", "b", "a.b"];

/// A value, as it is to be written.
#[derive(Clone, Debug)]
enum Tree {
    Leaf,
    Array(Vec<Tree>),
    /// Each name with whether it is written with an escape; names may come twice.
    Object(Vec<(usize, bool, Tree)>),
}

fn tree() -> impl Strategy<Value = Tree> {
    Just(Tree::Leaf).prop_recursive(5, 40, 4, |inside| {
        prop_oneof![prop::collection::vec(inside.clone(), 0..4).prop_map(Tree::Array), object(inside),]
    })
}

fn object(inside: impl Strategy<Value = Tree>) -> impl Strategy<Value = Tree> {
    prop::collection::vec((0..NAMES.len(), any::<bool>(), inside), 0..4).prop_map(Tree::Object)
}

/// The naive definition. `at` are the names that lead to the value; `is_below` says whether something around it is hidden.
fn write(tree: &Tree, at: &[&str], is_below: bool, hidden: &[&str], is_shown: bool, text: &mut String) {
    let leads_here = |key: &&str| at == [*key] || at.iter().copied().eq(key.split('.'));
    let is_hidden = is_below || hidden.iter().any(leads_here);
    match tree {
        _ if is_hidden && is_shown => text.push_str("\"[redacted]\""),
        Tree::Leaf if is_hidden => text.extend(["\"", SECRET, "\""]),
        Tree::Leaf => text.push('7'),
        Tree::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i == 0 { "" } else { " , " });
                write(item, at, is_hidden, hidden, is_shown, text);
            }
            text.push(']');
        }
        Tree::Object(members) => {
            text.push('{');
            for (i, (name, is_escaped, value)) in members.iter().enumerate() {
                text.push_str(if i == 0 { "\"" } else { ",\"" });
                let name = NAMES[*name];
                text.push_str(&if *is_escaped { escaped(name) } else { name.to_owned() });
                text.push_str("\": ");
                write(value, &[at, &[name]].concat(), is_hidden, hidden, is_shown, text);
            }
            text.push('}');
        }
    }
}

/// Returns a name of ASCII with every character written as an escape.
fn escaped(name: &str) -> String {
    let parts: Vec<_> = name.bytes().map(|byte| format!("\\u{byte:04X}")).collect();
    parts.concat()
}

proptest! {
    #[test]
    fn hidden_is_hidden_and_all_else_stays(event in object(tree()), mask in 1..8_usize) {
        let all = ["a", "a.b", "b.a"];
        let hidden: Vec<_> = all.into_iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, name)| name).collect();
        let (mut text, mut shown) = (String::new(), String::new());
        write(&event, &[], false, &hidden, false, &mut text);
        write(&event, &[], false, &hidden, true, &mut shown);
        let redaction = Redaction { fields: hidden.iter().map(|&name| name.to_owned()).collect(), lookups: false };
        let got = redaction.apply(text.as_bytes()).expect("nothing is nested so deep");
        let got = String::from_utf8(got).unwrap();
        prop_assert!(!got.contains(SECRET), "{text}\n{got}");
        prop_assert!(check(got.as_bytes()).is_ok(), "{got}");
        prop_assert_eq!(got, shown, "{}", text);
    }
}
