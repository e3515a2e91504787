//! What lies in `deploy` fits the program: its pipelines are fine, and it names the version that there is.

use std::fs;

use logweir_testkit::scratch::Scratch;

use crate::rig::{logweir, workspace};

/// Where the pods have the keys of the destination.
const SECRETS: &str = "/run/secrets/logweir";

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join("deploy").join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_pipelines_of_every_deployment_are_fine() {
    let pipelines = [
        "deb/example.yaml",
        "compose/pipelines/logweir.yaml",
        "kubernetes/pipelines/node-files.yaml",
        "kubernetes/pipelines/jobs.yaml",
    ];
    for path in pipelines {
        let scratch = Scratch::new();
        scratch.write("access_key_id", "AK");
        scratch.write("secret_access_key", "SK");
        let here = scratch.dir().to_str().expect("a scratch directory has a plain name");
        let file = scratch.write("logweir.yaml", read(path).replace(SECRETS, here));
        let checked = logweir(["check", file.to_str().unwrap()]).env("BUCKET", "a-bucket").output();
        assert_eq!(checked.code(), Some(0), "{path}: {}", checked.stderr_text());
    }
}

#[test]
fn what_is_deployed_is_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let places = [
        ("docker/Dockerfile", format!("\nARG VERSION={version}\n")),
        ("compose/compose.yaml", format!(" image: logweir:{version}\n")),
        ("kubernetes/kustomization.yaml", format!(" newTag: {version}\n")),
        ("helm/logweir/Chart.yaml", format!("\nversion: {version}\n")),
        ("helm/logweir/Chart.yaml", format!("\nappVersion: {version}\n")),
    ];
    for (path, line) in places {
        assert!(read(path).contains(&line), "{path} has no line `{}`", line.trim());
    }
}
