//! Writes a workload to stdout: `generate WORKLOAD BYTES [SEED]`, where `WORKLOAD` is mix, small, heavy or real.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use logweir_testkit::generate::{Workload, write};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((workload, n_bytes, seed)) = read(&args) else {
        return fail("usage: generate mix|small|heavy|real BYTES [SEED]", 2);
    };
    match write(workload, seed, n_bytes, &mut io::stdout().lock()) {
        Ok(_) => ExitCode::SUCCESS,
        // `generate … | head` is no failure.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), 1),
    }
}

fn read(args: &[String]) -> Option<(Workload, u64, u64)> {
    let (workload, n_bytes, seed) = match args {
        [workload, n_bytes] => (workload, n_bytes, "0"),
        [workload, n_bytes, seed] => (workload, n_bytes, seed.as_str()),
        _ => return None,
    };
    Some((workload.parse().ok()?, n_bytes.parse().ok()?, seed.parse().ok()?))
}

fn fail(problem: &str, code: u8) -> ExitCode {
    // Where stderr is closed there is nobody to tell.
    let _unheard = writeln!(io::stderr(), "generate: {problem}");
    ExitCode::from(code)
}
