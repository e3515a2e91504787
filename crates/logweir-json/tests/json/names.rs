//! Asked names of every length, at every place, and what only looks like them.

use logweir_event::Span;

use crate::padding::{each, offsets};
use crate::readers::Readers;

/// Names of as many bytes as a name's last word has, one less and one more, of none, and of a block.
fn names() -> impl Iterator<Item = String> {
    [0, 1, 2, 6, 7, 8, 9, 15, 16, 17, 63, 64, 65, 600].into_iter().map(|n_bytes: usize| {
        let name = "Outcome of it.é".repeat(n_bytes / 10 + 1);
        let end = (0..=n_bytes).rev().find(|&end| name.is_char_boundary(end)).unwrap();
        format!("{}{}", &name[..end], "x".repeat(n_bytes - end))
    })
}

/// Reads events of these members at each offset and asserts that the value of the only field asked for, or of none, is the
/// part of them that `expected` says.
#[track_caller]
fn check(readers: &mut Readers, members: &str, expected: Option<&str>) {
    let place = expected.map(|value| members.rfind(value).unwrap());
    each(readers, members.as_bytes(), offsets().step_by(3).chain(505..515), |(body, row), start| {
        assert!(body.is_ok(), "{members}");
        let value = |place: usize| Span::new(start + place, start + place + expected.map_or(0, str::len));
        assert_eq!(row[0], place.map_or(Span::MISSING, value), "{members} behind {start} bytes");
    });
}

#[test]
fn a_name_is_found() {
    for name in names() {
        let readers = &mut Readers::new(&[&name]);
        check(readers, &format!("\"{name}\":42"), Some("42"));
        check(readers, &format!("\"{name}\" \t:\r\n\"42\" ,\"z\":0"), Some("\"42\""));
        check(readers, &format!("\"z\":[],\"{name}\":[4,{{\"\":2}}],\"z\":{{}}"), Some("[4,{\"\":2}]"));
        check(
            readers,
            &format!("\"z\":\"\\\\\",\"{name}\":{{\"q\":\"\\\"\"}}  ,\"z\\n\":{{}}"),
            Some("{\"q\":\"\\\"\"}"),
        );
    }
}

#[test]
fn a_name_written_with_escapes_is_found() {
    for name in names().filter(|name| !name.is_empty()) {
        let readers = &mut Readers::new(&[&name]);
        let (first, rest) = name.split_at(1);
        check(readers, &format!("\"\\u{:04x}{rest}\":42", first.as_bytes()[0]), Some("42"));
        let all: Vec<String> = name.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let all = all.concat();
        check(readers, &format!("\"z\":{{}},\"{all}\" : 42 ,\"z\":true"), Some("42"));
    }
}

#[test]
fn the_last_of_duplicates_is_found() {
    for name in names() {
        let readers = &mut Readers::new(&[&name]);
        check(readers, &format!("\"{name}\":1,\"z\":2,\"{name}\":42"), Some("42"));
        check(readers, &format!("\"{name}\":[{{}}],\"{name}\":42,\"z\":2"), Some("42"));
        let long = "y".repeat(520);
        check(readers, &format!("\"{name}\":\"{long}\",\"{long}\":\"{long}\",\"{name}\":42"), Some("42"));
    }
}

#[test]
fn what_looks_like_a_name_is_not_found() {
    for name in names() {
        let readers = &mut Readers::new(&[&name]);
        for members in [
            format!("\"z{name}\":1"),
            format!("\"{name}z\":1"),
            format!("\"\\\"{name}\":1"),
            format!("\"\\\\{name}\":1"),
            format!("\"\\u0020{name}\":1"),
            format!("\"z:\\\"{name}\":1"),
            format!("\"z\":\"{name}\""),
            format!("\"z\":\"\\\"{name}\\\":1\""),
            format!("\"z\":{{\"{name}\":1}}"),
            format!("\"z\":[\"{name}\",{{\"{name}\":1}}]"),
            format!("\"z\":[{{\"z\":{{\"{name}\":1}}}},[]],\"zz\":\"{name}:\""),
            format!("\"z\":\"{name}\",\":\":\"{name}\""),
        ] {
            check(readers, &members, None);
        }
        let mut chars = name.chars();
        if chars.next().is_some() {
            check(readers, &format!("\"{}\":1", chars.as_str()), None);
        }
    }
}

#[test]
fn a_nested_path_is_followed() {
    for name in names().filter(|name| !name.contains('.')) {
        let readers = &mut Readers::new(&[&format!("{name}.{name}")]);
        check(readers, &format!("\"{name}\":{{ \"{name}\" : 42 }}"), Some("42"));
        check(
            readers,
            &format!("\"{name}\":{{\"{name}\":1}},\"z\":0,\"{name}\":{{\"z\":[],\"{name}\":42}}"),
            Some("42"),
        );
        check(readers, &format!("\"{name}\":{{\"{name}\":1}},\"{name}\":[{{\"{name}\":42}}]"), None);
    }
}
