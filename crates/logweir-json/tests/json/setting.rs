//! Members set, and what is then found.

use bytes::Bytes;
use logweir_event::{Batch, ColumnId, Edits, Span};
use logweir_json::{Projection, Projector, SetMember};
use logweir_testkit::strategies::{any_event, any_json};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Sets members of one event, and finds fields in it.
struct Setting {
    batch: Batch,
    asked: Vec<ColumnId>,
    projection: Projection,
    members: Vec<SetMember>,
}

impl Setting {
    /// Returns the event on `line`, of whose fields `keys` are asked, some before and some after it is known what is to
    /// be set.
    fn of(line: &str, names: &[&str], keys: &[&str]) -> Self {
        let mut projection = Projection::default();
        let (before, after) = keys.split_at(keys.len() / 2);
        let mut asked: Vec<_> = before.iter().map(|key| projection.ask(key)).collect();
        let members = names.iter().map(|name| projection.ask_to_set(name)).collect();
        asked.extend(after.iter().map(|key| projection.ask(key)));
        let mut batch = Batch::default();
        let chunk = format!("{{\"before\":1}}\n{line}");
        let (start, end) = (chunk.len() - line.len(), chunk.len());
        batch.reset(Bytes::from(chunk), projection.width());
        let mut projector = Projector::new(projection.clone());
        for (start, end) in [(0, start), (start, end)] {
            let line = Span::new(start, end);
            batch.push_line(line, |chunk, row| projector.project(chunk, line, row));
        }
        batch.select_all();
        assert_eq!(batch.len(), 2, "{line}");
        Self { batch, asked, projection, members }
    }

    fn set(&mut self, member: usize, value: &str) {
        let (mut edits, mut line) = (Edits::default(), Vec::new());
        let write = |text: &mut Vec<u8>| text.extend_from_slice(value.as_bytes());
        self.members[member].set(&mut self.batch, 1, &mut edits, &mut line, write);
        assert!(edits.is_empty());
    }

    fn line(&self) -> &str {
        str::from_utf8(self.batch.bytes(self.batch.line(1))).unwrap()
    }

    /// Checks that every field is what a reader finds in the line as it now is, and so is the event.
    fn check(&self) {
        let line = self.batch.bytes(self.batch.line(1));
        let mut row = vec![Span::MISSING; self.projection.width()];
        let mut projector = Projector::new(self.projection.clone());
        let body = projector.project(line, Span::new(0, line.len()), &mut row).unwrap();
        assert_eq!(self.batch.bytes(self.batch.body(1)), &line[body.range()]);
        let own = self.members.iter().map(SetMember::column);
        for column in self.asked.iter().copied().chain(own) {
            let found = row[column.index()];
            let moved = self.batch.field_span(1, column);
            let origin = self.batch.line(1).start();
            let moved = moved.map(|span| span.start() - origin..span.end() - origin);
            let found = (!found.is_missing()).then(|| found.range());
            assert_eq!(moved, found, "{column:?} in {}", self.line());
        }
        assert_eq!(self.batch.bytes(self.batch.line(0)), b"{\"before\":1}\n");
        assert!(!self.batch.is_edited(0));
    }
}

/// Checks what becomes of a line once `name` is set to 7.
fn check(line: &str, name: &str, expected: &str) {
    let mut setting = Setting::of(line, &[name], &["Outcome", name, "a", "a.b", "Event.RayID"]);
    setting.set(0, "7");
    assert_eq!(setting.line(), expected);
    setting.check();
}

#[test]
fn a_member_that_is_missing_becomes_the_last_one() {
    check("{\"Outcome\":\"ok\"}\n", "W", "{\"Outcome\":\"ok\",\"W\":7}\n");
    check("\t{ \"Outcome\" : 1 \t} \r\n", "W", "\t{ \"Outcome\" : 1 \t,\"W\":7} \r\n");
    check("{\"a\":{\"W\":1}}", "W", "{\"a\":{\"W\":1},\"W\":7}");
    check("{\"a\":\"{\"}", "W", "{\"a\":\"{\",\"W\":7}");
}

#[test]
fn an_empty_event_gets_no_comma() {
    check("{}\n", "W", "{\"W\":7}\n");
    check(" { \t } \n", "W", " { \t \"W\":7} \n");
}

#[test]
fn of_members_that_are_there_the_last_ones_value_is_replaced() {
    check("{\"W\":1,\"x\":0}\n", "W", "{\"W\":7,\"x\":0}\n");
    check("{\"W\" : [1,{}] ,\"\\u0057\": null }", "W", "{\"W\" : [1,{}] ,\"\\u0057\": 7 }");
    check("{\"w\":1}", "W", "{\"w\":1,\"W\":7}");
}

#[test]
fn a_name_is_written_as_json_has_it() {
    check("{}", "a\"\\\n\u{e9}", "{\"a\\\"\\\\\\n\u{e9}\":7}");
    check("{\"a\":{\"b\":1}}", "a.b", "{\"a\":{\"b\":1},\"a.b\":7}");
}

#[test]
fn what_lies_inside_the_old_value_is_gone_and_what_lies_inside_the_new_one_is_found() {
    let keys = ["a.b", "a.b.c", "a.x", "a", "a.y"];
    let mut setting = Setting::of("{\"a.y\":\"top\",\"a\":{\"b\":{\"c\":1},\"y\":2}}", &["a"], &keys);
    setting.set(0, r#"{"b":1,"x":null,"\u0062":{"c":5}}"#);
    setting.check();
    let field = |setting: &Setting, i: usize| {
        setting.batch.field(1, setting.asked[i]).map(|field| String::from_utf8(field.to_vec()).unwrap())
    };
    assert_eq!(field(&setting, 1).unwrap(), "5");
    assert_eq!(field(&setting, 2).unwrap(), "null");
    assert_eq!(field(&setting, 4).unwrap(), "\"top\"");
    setting.set(0, "7");
    setting.check();
    assert_eq!(field(&setting, 1), None);
}

#[test]
fn other_edits_are_made_along() {
    let mut setting = Setting::of("{\"a\":\"xyz\",\"Outcome\":1}\n", &["W"], &["a", "Outcome"]);
    let at = setting.batch.field_span(1, setting.asked[0]).unwrap().start();
    let (mut edits, mut line) = (Edits::default(), b"old".to_vec());
    edits.push(Span::new(at + 2, at + 4), |_| {});
    setting.members[0].set(&mut setting.batch, 1, &mut edits, &mut line, |text| text.push(b'7'));
    assert_eq!(setting.line(), "{\"a\":\"x\",\"Outcome\":1,\"W\":7}\n");
    setting.check();
}

#[test]
#[should_panic = "all ask before a reader is made"]
fn asking_too_late_is_noticed() {
    let mut setting = Setting::of("{}", &["W"], &["a"]);
    setting.projection.ask("W.a");
}

proptest! {
    #[test]
    fn all_fields_are_what_a_reader_finds_in_the_new_line(
        event in any_event(),
        around in select(vec![("", "\n"), (" \t", " \r\n"), ("", "")]),
        names in vec(select(vec!["Event", "Outcome", "W", "Event.RayID", "Event.", ""]), 1..3),
        values in vec((0..8_usize, prop_oneof![any_event(), any_json()]), 1..4),
        keys in vec(
            select(vec![
                "Event", "Event.RayID", "Event.Request", "Event.Request.Method", "Event.", "Event..x", "Outcome", "Logs",
                "Outcome.Outcome", "W", "W.Outcome", "W.Event.RayID", "W.Event.Request.Method", "", ".", "Event.Event.RayID",
            ]),
            0..10,
        ),
    ) {
        let line = [around.0, &event[..], around.1].concat();
        let mut setting = Setting::of(&line, &names, &keys);
        for (member, value) in values {
            setting.set(member % names.len(), &value);
            setting.check();
        }
    }

    /// An event that has no such member is the old text up to the brace, and the rest of it behind the new member.
    #[test]
    fn nothing_else_changes(event in any_event(), value in any_json()) {
        let line = [" ", &event[..], "\t\r\n"].concat();
        let mut setting = Setting::of(&line, &["New"], &["Logs"]);
        setting.set(0, &value);
        let brace = event.len();
        let comma = if event[1..brace - 1].trim().is_empty() { "" } else { "," };
        let expected = format!("{}{comma}\"New\":{value}{}", &line[..brace], &line[brace..]);
        prop_assert_eq!(setting.line(), expected);
    }
}
