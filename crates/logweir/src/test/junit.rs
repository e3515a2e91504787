//! The results as the XML of `JUnit`, which systems for continuous integration read.
//!
//! There is no standard; this is the part that they agree on: a suite for each pipeline file, a case for each test, and in it
//! what failed.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::report::plain;
use super::{Ran, Suite};

/// Returns the results of all tests as a document.
pub(super) fn document(suites: &[Suite]) -> Vec<u8> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(suites, &mut writer).expect("writing to memory does not fail");
    let mut document = writer.into_inner();
    document.push(b'\n');
    document
}

fn write(suites: &[Suite], writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let attributes = counted(String::from("logweir test"), suites.iter().flat_map(|suite| &suite.ran));
    let root = writer.create_element("testsuites").with_attributes(pairs(&attributes));
    root.write_inner_content(|writer| {
        for suite in suites {
            let attributes = counted(allowed(&suite.file.display().to_string()), suite.ran.iter());
            let element = writer.create_element("testsuite").with_attributes(pairs(&attributes));
            element.write_inner_content(|writer| {
                suite.ran.iter().try_for_each(|ran| write_case(suite, ran, writer))
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_case(suite: &Suite, ran: &Ran, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
    let file = allowed(&suite.file.display().to_string());
    let attributes = [
        ("name", allowed(&ran.test.name)),
        ("classname", file.clone()),
        ("file", file),
        ("time", seconds(ran.took.as_secs_f64())),
    ];
    let case = writer.create_element("testcase").with_attributes(pairs(&attributes));
    let Some(failure) = &ran.failure else {
        case.write_empty()?;
        return Ok(());
    };
    case.write_inner_content(|writer| {
        let attributes = [("message", allowed(&failure.summary)), ("type", String::from("failure"))];
        let element = writer.create_element("failure").with_attributes(pairs(&attributes));
        element.write_text_content(BytesText::new(&allowed(&plain(suite, ran, failure))))?;
        Ok(())
    })?;
    Ok(())
}

/// Returns what a suite is called and what came of it.
fn counted<'r>(name: String, ran: impl Iterator<Item = &'r Ran> + Clone) -> [(&'static str, String); 6] {
    let n_failed = ran.clone().filter(|ran| ran.failure.is_some()).count();
    let took: f64 = ran.clone().map(|ran| ran.took.as_secs_f64()).sum();
    [
        ("name", name),
        ("tests", ran.count().to_string()),
        ("failures", n_failed.to_string()),
        ("errors", String::from("0")),
        ("skipped", String::from("0")),
        ("time", seconds(took)),
    ]
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.6}")
}

fn pairs<'a>(attributes: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

/// Returns a text without what no document of XML 1.0 may hold, escaped or not.
fn allowed(text: &str) -> String {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}
