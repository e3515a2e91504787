//! Who asks S3, where the URL does not say it.
//!
//! That is for the environment to say, which a process has one of. So each test runs itself once more, in another.

use std::env;

use logweir_sinks::{Compression, DestinationConfig};
use logweir_testkit::http_server::{Act, HttpServer, Received, Reply, Script};
use logweir_testkit::process::Run;
use logweir_testkit::scratch::Scratch;

use super::uploading::Uploading;

/// What the other process is to put where; unset in the first.
const ENDPOINT: &str = "LOGWEIR_TEST_ENDPOINT";

/// Keys that are lent for a time, as a container and as a web identity are given them.
const LENT_JSON: &str =
    r#"{"AccessKeyId":"LENT","SecretAccessKey":"K","Token":"T-lent","Expiration":"2099-01-01T00:00:00Z"}"#;
const LENT_XML: &str = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>T-lent\
                        </SessionToken><SecretAccessKey>K</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration>\
                        <AccessKeyId>LENT</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
                        </AssumeRoleWithWebIdentityResponse>";

/// Puts an object as whoever the environment says, and shows what came of it.
#[test]
fn in_another_environment() {
    let Ok(endpoint) = env::var(ENDPOINT) else { return };
    let text = format!("s3://bucket/?region=eu-north-1&endpoint={endpoint}");
    let uploading = Uploading::new(&DestinationConfig::parse(&text).unwrap());
    match uploading.upload("n.log", b"x", Compression::None).1 {
        Ok(_) => println!("it is there"),
        Err(error) => println!("{} {:?} {}", error.status, error.verdict, error.message),
    }
}

fn server() -> HttpServer {
    HttpServer::start(Script::always(Act::reply_by(|request| match request.path.as_str() {
        "/container" => Reply::new(200).body(LENT_JSON),
        path if path.starts_with("/sts") => Reply::new(200).body(LENT_XML),
        _ => Reply::new(200).header("ETag", "\"e\""),
    })))
}

/// Puts an object in an environment of these variables; returns what was shown, and the last request.
fn put(files: &Scratch, server: &HttpServer, variables: &[(&str, String)]) -> (String, Option<Received>) {
    let this = env::current_exe().unwrap();
    let test = "destinations::credentials::in_another_environment";
    let mut run = Run::new(this).args(["--exact", test, "--nocapture"]).env(ENDPOINT, server.url());
    // Whoever runs the tests may have keys of their own.
    run = run.env("HOME", files.dir()).without_env("AWS_");
    for (name, value) in variables {
        run = run.env(name, value);
    }
    let ran = run.output();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    (String::from_utf8(ran.stdout).unwrap(), server.requests().pop())
}

/// Checks who asked, and with which token.
#[track_caller]
fn check(files: &Scratch, variables: &[(&str, String)], key: &str, token: Option<&str>) {
    let server = server();
    let (shown, request) = put(files, &server, variables);
    assert!(shown.contains("it is there"), "{shown}");
    let request = request.unwrap();
    assert_eq!(request.path, "/bucket/n.log");
    let authorization = request.header("authorization").unwrap();
    assert!(authorization.contains(&format!("Credential={key}/")), "{authorization}");
    assert_eq!(request.header("x-amz-security-token"), token);
}

#[test]
fn keys_of_the_environment_come_first() {
    let files = Scratch::new();
    files.write(".aws/credentials", "[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=K\n");
    let keys = [("AWS_ACCESS_KEY_ID", "ENV".to_owned()), ("AWS_SECRET_ACCESS_KEY", "K".to_owned())];
    check(&files, &keys, "ENV", None);
    let token = ("AWS_SESSION_TOKEN", "T-env".to_owned());
    check(&files, &[&keys[..], &[token]].concat(), "ENV", Some("T-env"));
    check(&files, &[], "DEFAULT", None);
}

#[test]
fn a_profile_is_found_in_either_file() {
    let files = Scratch::new();
    files.write(
        ".aws/config",
        "[profile one]\naws_access_key_id=ONE\naws_secret_access_key=K\naws_session_token=T-one\n",
    );
    let other = files
        .write("other", "[two]\naws_access_key_id = TWO\naws_secret_access_key = K\n[three]\nregion = r\n");
    let profile = |name: &str| ("AWS_PROFILE", name.to_owned());
    let file = ("AWS_SHARED_CREDENTIALS_FILE", other.display().to_string());
    check(&files, &[profile("one")], "ONE", Some("T-one"));
    check(&files, &[profile("two"), file.clone()], "TWO", None);
    for (name, words) in [("three", "lacks `aws_access_key_id`"), ("four", "there is no profile `four`")] {
        let (shown, request) = put(&files, &server(), &[profile(name), file.clone()]);
        assert!(shown.contains("1108 Retry") && shown.contains(words), "{shown}");
        assert_eq!(request, None, "nobody asks without a name");
    }
}

#[test]
fn keys_are_lent_to_containers_and_to_who_has_a_web_identity() {
    let files = Scratch::new();
    let token = files.write("token", "WEB-TOKEN").display().to_string();
    let server = server();
    let container = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/container", server.url())),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.clone()),
    ];
    check(&files, &container, "LENT", Some("T-lent"));
    assert_eq!(server.requests()[0].header("authorization"), Some("WEB-TOKEN"));
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r".to_owned()),
        ("AWS_ENDPOINT_URL_STS", format!("{}/sts", server.url())),
    ];
    check(&files, &web, "LENT", Some("T-lent"));
}

#[test]
fn a_machine_that_lends_no_keys_refuses() {
    let refusing = HttpServer::start(Script::always(Act::status(403)));
    let (shown, _) = put(&Scratch::new(), &refusing, &[("AWS_METADATA_ENDPOINT", refusing.url())]);
    assert!(shown.contains("403 Reject"), "{shown}");
    assert!(
        refusing.requests().iter().all(|request| !request.path.contains("bucket")),
        "nobody asks without a name"
    );
}
