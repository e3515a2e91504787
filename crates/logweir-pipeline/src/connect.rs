//! What a start of pipelines would meet on this machine and beyond, found out without changing anything.
//!
//! Files and directories are looked at, never opened for writing or made; locks are read about, never tried; a port is
//! bound and let go at once; a destination is asked once for what changes nothing there. So it may be done beside a
//! process that runs the same pipelines, and what that one holds is no failure.

mod admin;
mod destinations;
mod places;
mod sinks;
mod source;
mod state;

use futures::future::join_all;

use crate::build::source_component;
use crate::config::PipelineConfig;

/// What was found out about one part of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The pipeline.
    pub pipeline: String,
    /// The part of it, as errors name it.
    pub component: String,
    /// How good it is.
    pub grade: Grade,
    /// What was found: one line, no secret in it.
    pub message: String,
    /// What to do about it, where it is not good.
    pub help: Option<String>,
}

/// How good something is that was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grade {
    /// A start would go on.
    Ok,
    /// A start would go on, and may not do what is wanted; or what matters could not be told.
    Warn,
    /// A start would fail here, or deliver nothing.
    Failed,
}

/// Tries what a start of these pipelines would meet: files, directories, permissions, ports, destinations. It changes
/// nothing, and blocks while files are looked at. The admin endpoint, which is one for all, is with the first that names it.
///
/// # Cancel safety
///
/// Cancel safe.
pub async fn connect(pipelines: &[PipelineConfig]) -> Vec<Finding> {
    let here = pipelines.iter().enumerate().map(|(n, pipeline)| {
        let is_first = pipelines[..n].iter().all(|before| before.admin.is_none());
        on_this_machine(pipeline, is_first)
    });
    let mut findings: Vec<Vec<Finding>> = here.collect();
    let beyond = join_all(pipelines.iter().map(destinations::try_all)).await;
    for (findings, beyond) in findings.iter_mut().zip(beyond) {
        findings.extend(beyond);
    }
    findings.concat()
}

fn on_this_machine(pipeline: &PipelineConfig, is_first_with_admin: bool) -> Vec<Finding> {
    let mut findings = Findings::of(pipeline);
    source::look(pipeline, &mut findings.about(source_component(&pipeline.source)));
    if let Some(directory) = &pipeline.state_dir {
        state::look(pipeline, directory, &mut findings.about("state_dir"));
    }
    sinks::look(pipeline, &mut findings);
    if let Some(admin) = pipeline.admin.as_ref().filter(|_| is_first_with_admin) {
        admin::look(admin.listen, &mut findings.about("admin"));
    }
    findings.list
}

/// Collects what is found of one pipeline.
struct Findings {
    pipeline: String,
    list: Vec<Finding>,
}

impl Findings {
    fn of(pipeline: &PipelineConfig) -> Self {
        Self { pipeline: pipeline.name.clone(), list: Vec::new() }
    }

    /// Returns what collects findings of one part.
    fn about(&mut self, component: impl Into<String>) -> About<'_> {
        About { findings: self, component: component.into() }
    }
}

/// Collects what is found of one part of a pipeline.
struct About<'f> {
    findings: &'f mut Findings,
    component: String,
}

impl About<'_> {
    fn ok(&mut self, message: impl Into<String>) {
        self.add(Grade::Ok, message.into(), None);
    }

    fn warn(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Grade::Warn, message.into(), Some(help.into()));
    }

    fn fail(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.add(Grade::Failed, message.into(), Some(help.into()));
    }

    fn add(&mut self, grade: Grade, message: String, help: Option<String>) {
        let (pipeline, component) = (self.findings.pipeline.clone(), self.component.clone());
        self.findings.list.push(Finding { pipeline, component, grade, message, help });
    }
}

/// Returns a size as a person writes it.
fn size(n_bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (n_bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{n_bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}
