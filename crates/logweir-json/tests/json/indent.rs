//! JSON for people to read.

use logweir_json::{check, indented};
use logweir_testkit::oracle::same_tokens;
use logweir_testkit::strategies::any_json;
use proptest::prelude::*;

#[test]
fn members_and_elements_stand_on_lines_of_their_own() {
    let json = br#" {"a": {} ,"b":[ ],"c":[1,"x,]\"y",{"d":null}] , "\u0065" : -1.50e+3} "#;
    let expected = r#"{
  "a": {},
  "b": [],
  "c": [
    1,
    "x,]\"y",
    {
      "d": null
    }
  ],
  "\u0065": -1.50e+3
}"#;
    assert_eq!(String::from_utf8(indented(json)).unwrap(), expected);
    assert_eq!(indented(b"7"), b"7");
}

#[test]
fn what_is_nested_very_deep_costs_no_more_than_it_is_long() {
    let json = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    let text = indented(json.as_bytes());
    assert!(text.len() < json.len() + 10_000, "{}", text.len());
    assert_eq!(text.iter().filter(|byte| !b" \n".contains(byte)).count(), json.len());
}

proptest! {
    #[test]
    fn every_value_keeps_its_spelling(json in any_json()) {
        let text = indented(json.as_bytes());
        prop_assert!(check(&text).is_ok());
        prop_assert_eq!(indented(&text), text.clone(), "indented again it stays the same");
        // Strings are compared by what they mean and by how they are spelled.
        prop_assert_eq!(same_tokens(json.as_bytes(), &text), Ok(()));
        let n_escapes = |text: &[u8]| memchr::memchr_iter(b'\\', text).count();
        prop_assert_eq!(n_escapes(&text), n_escapes(json.as_bytes()));
    }
}
