//! What became of an event, as a JSON object.

use logweir_pipeline::{
    Comparison, Counted, Draw, Excerpt, Explanation, Fate, Hashed, Judged, Judgement, Read, Row, Spending,
    Step, Stratum, TextFate,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::spending::{LISTS, unit_name};
use super::{Explained, sentence};

/// One event in one pipeline; the order of the fields is that of the output.
#[derive(Serialize)]
struct Object<'a> {
    pipeline: &'a str,
    event: u64,
    line: u64,
    read: &'static str,
    known_by: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defect: Option<Value>,
    stages: Vec<StepObject<'a>>,
    outputs: Vec<OutputObject<'a>>,
}

#[derive(Serialize)]
struct OutputObject<'a> {
    name: Option<&'a str>,
    fate: &'static str,
    why: Option<String>,
    stages: Vec<StepObject<'a>>,
    written: Option<String>,
}

#[derive(Serialize)]
struct StepObject<'a> {
    place: &'a str,
    verb: &'static str,
    kept: bool,
    changed: bool,
    #[serde(flatten)]
    explanation: Map<String, Value>,
    after: Option<String>,
}

/// Returns the object, on one line.
pub(super) fn object(explained: &Explained<'_>) -> String {
    let Explained { config, event, line, passage, .. } = explained;
    let outputs = config.outputs.iter().enumerate().map(|(i, output)| {
        let own = passage.outputs.get(i);
        OutputObject {
            name: output.name.as_deref(),
            fate: passage.fate_in(i).name(),
            why: sentence::why(explained, i),
            stages: own.map(|own| steps(&own.steps)).unwrap_or_default(),
            written: own.and_then(|own| own.rendered.as_deref()).map(text),
        }
    });
    let known_by = passage.handles.iter();
    let object = Object {
        pipeline: &config.name,
        event: *event,
        line: *line,
        read: match passage.read {
            Read::Event => "event",
            Read::Blank | Read::Oversized | Read::Malformed(_) => passage.fate().map_or("event", Fate::name),
        },
        known_by: known_by.map(|(name, value)| ((*name).to_owned(), json!(value.text()))).collect(),
        defect: match passage.read {
            Read::Malformed(_) => sentence::defect(explained)
                .map(|illegal| json!({ "at": illegal.at, "expected": illegal.expected })),
            _ => None,
        },
        stages: steps(&passage.steps),
        outputs: outputs.collect(),
    };
    serde_json::to_string(&object).expect("names are strings, and numbers are finite") + "\n"
}

fn steps(steps: &[Step]) -> Vec<StepObject<'_>> {
    steps.iter().map(StepObject::new).collect()
}

impl<'a> StepObject<'a> {
    fn new(step: &'a Step) -> Self {
        let Step { place, verb, is_kept, explanation, edit } = step;
        let value = match explanation {
            Explanation::Filter(judgement) => condition(judgement),
            Explanation::Sample(draw) => sample(draw),
            Explanation::Truncate(spending) => truncate(spending),
        };
        Self {
            place,
            verb: verb.name(),
            kept: *is_kept,
            changed: edit.is_some(),
            explanation: Map::from_iter([(verb.name().to_owned(), value)]),
            after: edit.as_ref().map(|edit| text(&edit.after)),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns a condition; recursion goes as deep as it, which its reader bounds.
fn condition(judgement: &Judgement) -> Value {
    let holds = judgement.holds;
    let parts = |parts: &[Judgement]| parts.iter().map(condition).collect::<Vec<_>>();
    match &judgement.condition {
        Judged::All(all) => json!({ "holds": holds, "and": parts(all) }),
        Judged::Any(any) => json!({ "holds": holds, "or": parts(any) }),
        Judged::Is(Comparison { written, value, remark }) => json!({
            "holds": holds,
            "key": written.key,
            "operator": written.operator,
            "value": written.value.text(),
            "field": value.as_ref().map(Excerpt::text),
            "remark": remark,
        }),
    }
}

/// Returns how a sample decided; what has 64 bits is given as text, since many readers of JSON have 53.
fn sample(draw: &Draw) -> Value {
    let (key, text, n_bytes) = match &draw.hashed {
        Hashed::Field { key, value } => (Some(key), Some(value.text()), value.n_bytes()),
        Hashed::Event { n_bytes, missing } => (missing.as_ref(), None, *n_bytes),
    };
    let stratum = |stratum: &Stratum| {
        json!({
            "place": stratum.place,
            "rate": stratum.rate,
            "where": condition(&stratum.judgement),
        })
    };
    json!({
        "strata": draw.strata.iter().map(stratum).collect::<Vec<_>>(),
        "rate": draw.rate,
        "key": key,
        "hashed": if text.is_some() { "field" } else { "event" },
        "hashed_text": text,
        "hashed_bytes": n_bytes,
        "seed": draw.seed.to_string(),
        "hash": draw.hash.to_string(),
        "threshold": draw.threshold.to_string(),
        "share": draw.share(),
        "weight": draw.weight.as_ref().map(|weight| json!({ "field": weight.field, "factor": weight.factor })),
    })
}

fn truncate(spending: &Spending) -> Value {
    let (limit, unit) = (spending.limit, unit_name(spending.unit));
    match &spending.counted {
        Counted::Short { n_bytes } => json!({ "limit": limit, "unit": unit, "bytes": n_bytes }),
        Counted::Texts { rows, total, kept } => {
            let list = |i: usize| (LISTS[i].replace(' ', "_"), json!({ "total": total[i], "kept": kept[i] }));
            json!({
                "limit": limit,
                "unit": unit,
                "lists": (0..LISTS.len()).map(list).collect::<Map<_, _>>(),
                "texts": rows.iter().map(row).collect::<Vec<_>>(),
                "report": spending.report,
            })
        }
    }
}

fn row(row: &Row) -> Value {
    match row {
        Row::Text(row) => json!({
            "path": row.path,
            "text": row.text.text(),
            "units": row.units,
            "spent": row.spent,
            "fate": fate_name(row.fate),
            "kept": kept(row.fate, row.units),
        }),
        Row::More { n_texts, units, fate } => json!({
            "more": n_texts,
            "units": units,
            "fate": fate_name(*fate),
            "kept": kept(*fate, *units),
        }),
    }
}

fn fate_name(fate: TextFate) -> &'static str {
    match fate {
        TextFate::Whole => "whole",
        TextFate::Cut(_) => "cut",
        TextFate::Marker => "marker",
        TextFate::Dropped => "dropped",
    }
}

fn kept(fate: TextFate, units: u64) -> u64 {
    match fate {
        TextFate::Whole => units,
        TextFate::Cut(kept) => kept,
        TextFate::Marker | TextFate::Dropped => 0,
    }
}
