//! Puts variables in the place of secrets.

use super::evaluate::variable_name;
use super::value::{Job, Piece, Value};

/// What of a parameter's name says that its value is secret.
const SECRET_NAMES: [&str; 9] =
    ["secret", "token", "password", "credential", "auth", "api-key", "api_key", "apikey", "cookie"];

/// Parameters that are secret though their names say nothing of it: the signature of a shared access to Azure, and the
/// channel of Splunk.
const SECRETS: [&str; 3] = ["sig", "session-token", "channel"];

/// A secret that a variable stands for.
pub(super) struct Secret {
    /// The variable's name.
    pub(super) name: String,
    /// What it is of, for people.
    pub(super) what: String,
    /// The secret, as the URL has it.
    pub(super) value: String,
}

/// Puts variables in the place of the secrets of jobs, and returns them.
pub(super) fn to_variables(jobs: &mut [Job]) -> Vec<Secret> {
    let mut secrets = Secrets { found: Vec::new() };
    for (n, job) in jobs.iter_mut().enumerate() {
        let name = job.get("name").and_then(Value::as_known).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| match job.get("id") {
            Some(Value::Number(id)) => format!("job-{id}"),
            _ => format!("job-{}", n + 1),
        });
        for (key, value) in &mut job.members {
            let Value::Text(pieces) = value else { continue };
            match key.as_str() {
                "destination_conf" => *pieces = secrets.in_conf(&name, pieces),
                "ownership_challenge" => *pieces = secrets.whole(&name, "ownership_challenge", pieces),
                _ => {}
            }
        }
    }
    secrets.found
}

struct Secrets {
    found: Vec<Secret>,
}

impl Secrets {
    /// Returns a destination with variables in it. A parameter lies within one piece that is known, or has a variable
    /// already.
    fn in_conf(&mut self, job: &str, pieces: &[Piece]) -> Vec<Piece> {
        let mut out = Vec::new();
        let mut is_query = false;
        let is_sumo = matches!(pieces.first(), Some(Piece::Known(text)) if text.starts_with("sumo://"));
        for (n, piece) in pieces.iter().enumerate() {
            let Piece::Known(text) = piece else {
                out.push(piece.clone());
                continue;
            };
            for part in text.split_inclusive(['?', '&']) {
                let (body, end) = match part.strip_suffix(['?', '&']) {
                    Some(body) => (body, &part[body.len()..]),
                    None => (part, ""),
                };
                let is_whole = !end.is_empty() || n + 1 == pieces.len();
                self.part(job, body, is_query && is_whole, is_sumo && !is_query && is_whole, &mut out);
                out.push(Piece::Known(end.to_owned()));
                is_query |= end == "?";
            }
        }
        out
    }

    /// Adds a part of a URL: a parameter, or all before the query, whose last step is the key of a collector of Sumo Logic.
    fn part(&mut self, job: &str, body: &str, is_parameter: bool, is_collector: bool, out: &mut Vec<Piece>) {
        let secret = match body.split_once('=') {
            Some((name, value)) if is_parameter && !value.is_empty() && is_secret(name) => {
                Some((name, &body[..=name.len()], value))
            }
            None if is_collector => {
                body.rsplit_once('/').map(|(before, key)| ("collector", &body[..=before.len()], key))
            }
            _ => None,
        };
        match secret {
            Some((name, before, value)) => {
                out.push(Piece::Known(before.to_owned()));
                out.push(self.variable(job, name, value));
            }
            None => out.push(Piece::Known(body.to_owned())),
        }
    }

    /// Returns a text that is secret as a whole.
    fn whole(&mut self, job: &str, key: &str, pieces: &[Piece]) -> Vec<Piece> {
        match pieces {
            [Piece::Known(value)] if !value.is_empty() => vec![self.variable(job, key, value)],
            pieces => pieces.to_vec(),
        }
    }

    fn variable(&mut self, job: &str, of: &str, value: &str) -> Piece {
        let base = variable_name(&format!("{job}_{of}"));
        let numbered = (2_usize..).map(|number| format!("{base}_{number}"));
        let is_free = |name: &String| !self.found.iter().any(|secret| secret.name == *name);
        let name = std::iter::once(base.clone()).chain(numbered).find(is_free).unwrap_or(base);
        let what = format!("the `{of}` of job `{job}`, as it is written there");
        self.found.push(Secret { name: name.clone(), what, value: value.to_owned() });
        Piece::Variable { name, default: None }
    }
}

/// Returns whether the value of a parameter is not to be seen.
fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    // Headers are how destinations are told who asks, save for a few that say what is sent.
    let is_header = name.starts_with("header_") && !name.starts_with("header_content-");
    is_header || SECRETS.contains(&&*name) || SECRET_NAMES.iter().any(|secret| name.contains(secret))
}
