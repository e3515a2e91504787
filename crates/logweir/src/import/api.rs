//! Finds the jobs in JSON of Cloudflare's API.

use logweir_pipeline::{ConfigFile, read_json};
use serde_json::Value as Json;

use super::value::{Job, Value};

/// Returns the jobs of a file: one, a list of them, or a response of the API with either.
///
/// # Errors
///
/// What is wrong with the file, where it has none.
pub(super) fn jobs(file: ConfigFile) -> Result<Vec<Job>, String> {
    let shown = file.path.display().to_string();
    let json = read_json(file).map_err(|problems| problems.to_string())?;
    in_response(json).map_err(|problem| format!("{shown}: {problem}"))
}

fn in_response(json: Json) -> Result<Vec<Job>, String> {
    match json {
        Json::Object(mut envelope) if envelope.contains_key("result") => {
            if envelope.get("success") == Some(&Json::Bool(false)) {
                return Err(String::from("this response of the API says that the request has failed"));
            }
            match envelope.remove("result") {
                Some(Json::Array(jobs)) => in_list(jobs),
                Some(Json::Object(job)) => one(Json::Object(job)).map(|job| vec![job]),
                _ => Err(String::from("this response of the API has no job")),
            }
        }
        Json::Array(jobs) => in_list(jobs),
        other => one(other).map(|job| vec![job]),
    }
}

fn in_list(jobs: Vec<Json>) -> Result<Vec<Job>, String> {
    jobs.into_iter().map(one).collect()
}

fn one(json: Json) -> Result<Job, String> {
    match Value::from(json) {
        Value::Map(members) if members.iter().any(|(key, _)| key == "destination_conf") => {
            Ok(Job { members })
        }
        _ => {
            Err(String::from("a job is a JSON object with a `destination_conf`, and here is something else"))
        }
    }
}
