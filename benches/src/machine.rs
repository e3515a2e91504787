//! Which machine, which program: what a number is worth nothing without.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use serde::Serialize;

/// The machine and the state it is in.
#[derive(Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) n_cores: usize,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    /// The commit that is checked out, and whether files differ from it.
    pub(crate) commit: String,
    /// How many processes wanted a core in the last minute, on average.
    pub(crate) load: String,
}

impl Machine {
    /// Looks at the machine; what it does not tell is `unknown`.
    pub(crate) fn look() -> Self {
        Self {
            cpu: cpu().unwrap_or_else(unknown),
            n_cores: available_parallelism().map_or(1, usize::from),
            kernel: says("uname", &["-sr"]).unwrap_or_else(unknown),
            rustc: says("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: commit().unwrap_or_else(unknown),
            load: load().unwrap_or_else(unknown),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn cpu() -> Option<String> {
    let Ok(info) = fs::read_to_string("/proc/cpuinfo") else {
        return says("sysctl", &["-n", "machdep.cpu.brand_string"]);
    };
    let value = |key| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    // A virtual machine often has a name without a model, so the numbers that tell the generation go with it.
    let name = value("model name")?;
    Some(match (value("cpu family"), value("model\t")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    })
}

fn commit() -> Option<String> {
    let commit = says("git", &["rev-parse", "--short", "HEAD"])?;
    let changed = says("git", &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit}, with changes") })
}

fn load() -> Option<String> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    Some(load.split(' ').next()?.to_owned())
}

/// Returns what a program prints, without the line feed, if it succeeds.
fn says(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
