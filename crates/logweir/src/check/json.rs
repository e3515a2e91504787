//! What `--json` prints.

use logweir_pipeline::{Cost, Finding, Loaded, MemoryBound, Part, Picture, Problem};
use serde_json::{Value, json};

use super::connection::word;

/// Returns what is wrong with files, as one JSON object.
pub(super) fn of_problems(problems: &[Problem]) -> String {
    json!({ "problems": list(problems), "warnings": [], "notes": [], "pipelines": [] }).to_string()
}

/// Returns what is to be said of files that can be used, as one JSON object.
pub(super) fn of_loaded(
    loaded: &Loaded,
    pictures: Option<&[Picture]>,
    findings: Option<&[Finding]>,
) -> String {
    let names: Vec<_> = loaded.pipelines.iter().map(|pipeline| &pipeline.name).collect();
    let mut object = json!({
        "problems": [],
        "warnings": list(&loaded.warnings),
        "notes": list(&loaded.notes),
        "pipelines": names,
    });
    if let Some(pictures) = pictures {
        object["explain"] = pictures.iter().map(picture).collect();
    }
    if let Some(findings) = findings {
        object["connect"] = findings.iter().map(finding).collect();
    }
    object.to_string()
}

fn list(problems: &[Problem]) -> Vec<Value> {
    let one = |problem: &Problem| {
        let Problem { file, line, column, message, code, help, .. } = problem;
        json!({ "file": file, "line": line, "column": column, "message": message, "code": code, "help": help })
    };
    problems.iter().map(one).collect()
}

fn finding(finding: &Finding) -> Value {
    let Finding { pipeline, component, grade, message, help } = finding;
    let grade = word(*grade).to_lowercase();
    json!({ "pipeline": pipeline, "component": component, "grade": grade, "message": message, "help": help })
}

fn picture(picture: &Picture) -> Value {
    let MemoryBound { held_bytes, decoders, lane_bytes, queue_bytes } = picture.memory;
    let outputs = picture.outputs.iter().map(|output| {
        json!({
            "name": output.name,
            "stages": parts(&output.stages),
            "encode": part(&output.encode),
            "sink": part(&output.sink),
        })
    });
    json!({
        "pipeline": picture.pipeline,
        "source": part(&picture.source),
        "decode": part(&picture.decode),
        "stages": parts(&picture.stages),
        "outputs": outputs.collect::<Vec<_>>(),
        "dead_letter": picture.dead_letter.as_ref().map(part),
        "memory": {
            "max_bytes": picture.memory.max_bytes(),
            "held_bytes": held_bytes,
            "decoders": decoders,
            "lane_bytes": lane_bytes,
            "queue_bytes": queue_bytes,
        },
    })
}

fn parts(parts: &[Part]) -> Vec<Value> {
    parts.iter().map(part).collect()
}

fn part(part: &Part) -> Value {
    let cost = part.cost.map(|Cost { share_in, share_out, seconds, bytes_per_second }| {
        json!({
            "share_in": share_in,
            "share_out": share_out,
            "seconds_an_event": seconds,
            "bytes_per_second": bytes_per_second,
        })
    });
    json!({ "title": part.title, "phrases": part.phrases, "cost": cost })
}
