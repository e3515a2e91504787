//! Finds the jobs in Terraform files: the resources `cloudflare_logpush_job`.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Body, Structure};
use logweir_pipeline::ConfigFile;

use super::Imported;
use super::evaluate::{Evaluator, Unknown};
use super::value::{Job, Value};
use super::write::LITERAL;

/// The resource that is a job.
const RESOURCE: &str = "cloudflare_logpush_job";

/// What of a resource is no part of the job: where the job lives, and what is Terraform's own.
const NOT_OF_THE_JOB: [&str; 9] = [
    "account_id",
    "zone_id",
    "provider",
    "depends_on",
    "lifecycle",
    "provisioner",
    "connection",
    "timeouts",
    "moved",
];

/// What makes another number of resources of one.
const NOT_ONE: [&str; 3] = ["count", "for_each", "dynamic"];

/// The names that versions of the provider have for one option.
const REDACT_CVE: [&str; 4] = ["cve_2021_44228", "cve_2021_4428", "cve20214428", "cve202144228"];

/// The words that the provider takes in any case.
const WORDS: [&str; 5] = ["dataset", "kind", "frequency", "output_type", "timestamp_format"];

/// Terraform files that have been read: they are understood together, as one may use what another says.
#[derive(Default)]
pub(super) struct Terraform {
    files: Vec<(ConfigFile, Body)>,
}

impl Terraform {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// Where it is not Terraform's.
    pub(super) fn add(&mut self, file: &ConfigFile) -> Result<(), String> {
        let body = hcl_edit::parser::parse_body(&file.text).map_err(|error| {
            let (at, message) = (error.location(), error.message());
            format!("{}:{}:{}: this is not Terraform: {message}", file.path.display(), at.line(), at.column())
        })?;
        self.files.push((file.clone(), body));
        Ok(())
    }

    /// Returns the jobs of all files, adding what is wrong to `problems`.
    pub(super) fn jobs(&self, problems: &mut Vec<String>) -> Imported {
        let mut evaluator = Evaluator::default();
        for (_, body) in &self.files {
            learn(body, &mut evaluator);
        }
        let mut imported = Imported::default();
        for (file, body) in &self.files {
            let is_job = |block: &&Block| {
                block.has_ident("resource")
                    && block.labels.first().is_some_and(|label| label.as_str() == RESOURCE)
            };
            for block in body.blocks().filter(is_job) {
                let mut reader = Reader { evaluator: &mut evaluator, file, problems, notes: Vec::new() };
                let members = reader.members(&block.body);
                let notes = reader.notes;
                imported.notes.extend(notes);
                imported.jobs.push(Job { members });
            }
        }
        let taken = evaluator.defaults_taken.drain(..);
        imported.notes.extend(taken.map(|path| format!("the default of `{path}` is taken for what it is")));
        imported
    }
}

/// Remembers what a file says of locals and of the defaults of variables.
fn learn(body: &Body, evaluator: &mut Evaluator) {
    for block in body.blocks() {
        if block.has_ident("locals") {
            for local in block.body.attributes() {
                evaluator.known.insert(format!("local.{}", local.key.as_str()), local.value.clone());
            }
        } else if block.has_ident("variable")
            && let (Some(name), Some(default)) = (block.labels.first(), block.body.get_attribute("default"))
        {
            evaluator.known.insert(format!("var.{}", name.as_str()), default.value.clone());
        }
    }
}

/// Returns the key of a value with a variable that would not be replaced, if there is one.
fn unreplaced<'v>(name: &'v str, value: &'v Value) -> Option<&'v str> {
    match value {
        Value::Map(members) => members.iter().find_map(|(name, value)| unreplaced(name, value)),
        value => (LITERAL.contains(&name) && value.has_variable()).then_some(name),
    }
}

/// Reads the resources of a file.
struct Reader<'r> {
    evaluator: &'r mut Evaluator,
    file: &'r ConfigFile,
    problems: &'r mut Vec<String>,
    notes: Vec<String>,
}

impl Reader<'_> {
    /// Returns the keys and values of a resource, or of a block in one.
    fn members(&mut self, body: &Body) -> Vec<(String, Value)> {
        let mut members = Vec::new();
        for structure in body {
            let (name, span) = match structure {
                Structure::Attribute(attribute) => (attribute.key.as_str(), attribute.span()),
                Structure::Block(block) => (block.ident.as_str(), block.span()),
            };
            if NOT_ONE.contains(&name) {
                let message =
                    format!("`{name}` makes this more jobs than one, or fewer: write each job by itself");
                self.problem(span.unwrap_or_default(), &message);
            }
            if NOT_ONE.contains(&name) || NOT_OF_THE_JOB.contains(&name) {
                continue;
            }
            let value = match structure {
                Structure::Attribute(attribute) => self.evaluator.value(&attribute.value),
                Structure::Block(block) => Ok(Value::Map(self.members(&block.body))),
            };
            match value {
                Ok(value) => {
                    if let Some(key) = unreplaced(name, &value) {
                        let message = format!(
                            "`{key}` depends on what only Terraform knows, and no variable is replaced in it: write what it \
                             comes to"
                        );
                        self.problem(structure.span().unwrap_or_default(), &message);
                    }
                    members.extend(self.member(name, value));
                }
                Err(Unknown { at, .. }) if name == "ownership_challenge" => self.without_challenge(at),
                Err(Unknown { at, message }) => self.problem(at, &message),
            }
        }
        members
    }

    /// Returns a key and its value by the names that they have at the API.
    fn member(&mut self, name: &str, value: Value) -> Option<(String, Value)> {
        if name == "ownership_challenge" && value.as_known().is_none() {
            self.notes.push(String::from(
                "an `ownership_challenge` that only Terraform knows is left out: nothing needs it",
            ));
            return None;
        }
        if REDACT_CVE.contains(&name) {
            return Some((String::from("CVE-2021-44228"), value));
        }
        let value = match value {
            // In later versions of the provider it is a value, in earlier ones a block.
            Value::Map(options) if name == "output_options" => Value::Map(
                options.into_iter().filter_map(|(name, value)| self.member(&name, value)).collect(),
            ),
            value if WORDS.contains(&name) => match value.as_known() {
                Some(word) => Value::known(word.to_lowercase()),
                None => value,
            },
            value => value,
        };
        Some((name.to_owned(), value))
    }

    fn without_challenge(&mut self, at: Range<usize>) {
        let place = self.place(at);
        self.notes.push(format!(
            "{place}: an `ownership_challenge` that only Terraform knows is left out: nothing needs it"
        ));
    }

    fn problem(&mut self, at: Range<usize>, message: &str) {
        let place = self.place(at);
        self.problems.push(format!("{place}: {message}"));
    }

    /// Returns a place as problems name it: the file, the line and the column in characters, both from 1.
    fn place(&self, at: Range<usize>) -> String {
        let before = self.file.text.get(..at.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.file.path.display())
    }
}
