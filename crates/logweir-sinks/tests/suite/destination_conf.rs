//! The grammar of `destination_conf`.

use std::path::PathBuf;

use logweir_net::Secret;
use logweir_sinks::{
    AzureCredentials, DestinationConfig, GsCredentials, Header, HttpConfig, HttpFlavour, S3Config,
    S3Credentials, S3Flavour,
};
use proptest::prelude::*;

const KEYS: &str = "access-key-id=ID&secret-access-key=KEY";
const GUID: &str = "6eb1c1b6-4ae8-4a01-8b2d-9f4a3d3f4c11";

fn parse(text: &str) -> DestinationConfig {
    DestinationConfig::parse(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

#[track_caller]
fn s3(text: &str) -> S3Config {
    let DestinationConfig::S3(config) = parse(text) else { panic!("{text}") };
    config
}

#[track_caller]
fn http(text: &str) -> HttpConfig {
    let DestinationConfig::Http(config) = parse(text) else { panic!("{text}") };
    config
}

/// Checks that all that is wrong with a text is this: what of the text is at fault, and what is said of it.
#[track_caller]
fn check_wrong(text: &str, expected: &[(&str, &str)]) {
    let problems = DestinationConfig::parse(text).unwrap_err();
    let found: Vec<_> = problems
        .iter()
        .map(|problem| {
            (
                &text[problem.offset..problem.offset + problem.n_bytes],
                format!("{} ({})", problem, problem.help),
            )
        })
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((part, said), (expected_part, expected_words)) in found.iter().zip(expected) {
        assert_eq!(part, expected_part, "{said}");
        assert!(said.contains(expected_words), "{said}");
    }
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: Secret::new(value) }
}

fn keys(id: &str, key: &str) -> S3Credentials {
    S3Credentials::Keys {
        access_key_id: Secret::new(id),
        secret_access_key: Secret::new(key),
        session_token: None,
    }
}

#[test]
fn s3_of_amazon() {
    let config = s3("s3://my-bucket/logs/{DATE}/?region=us-west-2&sse=AES256");
    assert_eq!((config.flavour, config.bucket.as_str()), (S3Flavour::S3, "my-bucket"));
    assert_eq!(config.prefix.key("20261122", "a.log.gz"), "logs/20261122/a.log.gz");
    assert_eq!((config.region.as_str(), config.endpoint.clone()), ("us-west-2", None));
    assert!(config.is_encrypted && config.has_checksums);
    assert_eq!(config.credentials, S3Credentials::Environment);
    assert_eq!(
        parse("s3://my-bucket/logs/{DATE}?region=r&sse=AES256").to_string(),
        "s3://my-bucket/logs/{DATE}"
    );
    assert_eq!(s3("s3://b?region=r").prefix.key("20261122", "n"), "n");
    assert_eq!(s3("s3://b/p?region=r&profile=prod").credentials, S3Credentials::Profile("prod".to_owned()));
}

#[test]
fn s3_of_others() {
    let text = "s3://b/p?region=sfo2&access-key-id=ID&secret-access-key=a%2Fb+c%3D&endpoint=sfo2.digitaloceanspaces.com";
    let config = s3(text);
    assert_eq!(config.endpoint.as_deref(), Some("https://sfo2.digitaloceanspaces.com"));
    assert_eq!(config.credentials, keys("ID", "a/b+c="));
    assert!(!config.has_checksums);
    let own = s3(&format!("s3://b?region=r&{KEYS}&endpoint=http://127.0.0.1:8014/"));
    assert_eq!(own.endpoint.as_deref(), Some("http://127.0.0.1:8014"));
    let S3Credentials::Keys { session_token, .. } =
        s3(&format!("s3://b?region=r&{KEYS}&session-token=T")).credentials
    else {
        panic!("these are keys")
    };
    assert_eq!(session_token, Some(Secret::new("T")));
}

#[test]
fn r2() {
    let config = s3(&format!("r2://bucket/path/{{DATE}}?account-id=0123abc&{KEYS}"));
    assert_eq!((config.flavour, config.region.as_str()), (S3Flavour::R2, "auto"));
    assert_eq!(config.endpoint.as_deref(), Some("https://0123abc.r2.cloudflarestorage.com"));
    assert_eq!(config.credentials, keys("ID", "KEY"));
    let own = s3(&format!("r2://bucket?{KEYS}&endpoint=http://localhost:9000"));
    assert_eq!(own.endpoint.as_deref(), Some("http://localhost:9000"));
    // As an encoder of URLs writes it.
    let encoded = s3(&format!("r2://bucket/a%20b/%7BDATE%7D?account-id=A&{KEYS}"));
    assert_eq!(encoded.prefix.key("20261122", "n"), "a b/20261122/n");
}

#[test]
fn gs() {
    let DestinationConfig::Gs(config) = parse("gs://b/dir/date={DATE}") else { panic!() };
    assert_eq!((config.bucket.as_str(), config.endpoint), ("b", None));
    assert_eq!(config.prefix.key("20261122", "n"), "dir/date=20261122/n");
    assert_eq!(config.credentials, GsCredentials::Environment);
    let DestinationConfig::Gs(own) = parse("gs://b?endpoint=http://[::1]:4443") else { panic!() };
    assert_eq!(own.endpoint.as_deref(), Some("http://[::1]:4443"));
}

#[test]
fn azure() {
    let sas = "sv=2021-10-04&ss=b&srt=o&sp=w&se=2035-01-01T00%3A00%3A00Z&sig=C7%2BZ%3D";
    let text = format!("azure://account.blob.core.windows.net/container/dir/{{DATE}}?{sas}");
    let DestinationConfig::Azure(config) = parse(&text) else { panic!() };
    assert_eq!((config.account.as_str(), config.container.as_str()), ("account", "container"));
    assert_eq!(config.endpoint, "https://account.blob.core.windows.net");
    assert_eq!(config.prefix.as_str(), "dir/{DATE}");
    assert_eq!(config.credentials, AzureCredentials::Sas(Secret::new(sas)));
    let own = "azure://a.blob.core.windows.net/c?sig=S&endpoint=http://127.0.0.1:10000/a";
    let DestinationConfig::Azure(config) = parse(own) else { panic!() };
    assert_eq!(config.endpoint, "http://127.0.0.1:10000/a");
    assert_eq!(config.credentials, AzureCredentials::Sas(Secret::new("sig=S")));
    check_wrong(
        "azure://a.blob.core.windows.net/c?ss=q&srt=co&sp=r&sig=S",
        &[
            ("a.blob.core.windows.net/c", "signedResourceTypes must be Object only (srt=o)"),
            ("a.blob.core.windows.net/c", "not for blobs"),
            ("a.blob.core.windows.net/c", "not permit to write"),
        ],
    );
    check_wrong("azure://container/dir?sig=S", &[("container", "ACCOUNT.blob.core.windows.net")]);
    check_wrong("azure://a.b/C?sv=1", &[("a.b/C", "no signature"), ("C", "name of a container")]);
}

#[test]
fn files() {
    let DestinationConfig::Directory(config) = parse("file:///var/log/a%20b/x{DATE}/y") else { panic!() };
    assert_eq!(config.root, PathBuf::from("/var/log/a b"));
    assert_eq!(config.prefix.key("20261122", "n"), "x20261122/y/n");
    let DestinationConfig::Directory(config) = parse("file:///var/log/") else { panic!() };
    assert_eq!((config.root, config.prefix.as_str()), (PathBuf::from("/var/log"), ""));
    let DestinationConfig::Directory(config) = parse("file:///{DATE}") else { panic!() };
    assert_eq!((config.root, config.prefix.as_str()), (PathBuf::from("/"), "{DATE}"));
    check_wrong("file://var/log?x=1", &[("var/log", "from the root on"), ("x=1", "`x` is no parameter")]);
    check_wrong("file:///var/../etc", &[("/var/../etc", "`..`")]);
}

#[test]
fn https() {
    let config = http(
        "https://logs.example.com:8443/a/b?header_Authorization=Basic%20REDACTED&header_X=a+b&tags=a,b c&v",
    );
    assert_eq!(config.flavour, HttpFlavour::Https);
    assert_eq!(config.url.expose(), "https://logs.example.com:8443/a/b?tags=a,b%20c&v");
    assert_eq!(config.headers, [header("Authorization", "Basic REDACTED"), header("X", "a+b")]);
    assert_eq!(config.to_string(), "https://logs.example.com:8443");
    let new_relic = http("https://log-api.newrelic.com/log/v1?Api-Key=K&format=cloudflare");
    assert_eq!(new_relic.url.expose(), "https://log-api.newrelic.com/log/v1?Api-Key=K&format=cloudflare");
    let elastic = http("https://e.example/?header_X-Secret=S&header_Content-Type=application/json");
    assert_eq!(elastic.headers, [header("X-Secret", "S"), header("Content-Type", "application/json")]);
}

#[test]
fn splunk() {
    let text = format!(
        "splunk://s.example:8088/services/collector/raw?channel={GUID}&insecure-skip-verify=true&sourcetype=cf:json\
         &header_Authorization=Splunk%20TOKEN"
    );
    let config = http(&text);
    assert_eq!(config.flavour, HttpFlavour::Splunk);
    let url = format!("https://s.example:8088/services/collector/raw?channel={GUID}&sourcetype=cf:json");
    assert_eq!(config.url.expose(), url);
    assert_eq!(config.headers, [header("Authorization", "Splunk TOKEN")]);
    assert!(config.tls.insecure_skip_verify);
    assert_eq!(config.to_string(), "splunk://s.example:8088");
    assert!(!http(&text.replace("=true", "=false")).tls.insecure_skip_verify);
    check_wrong(
        "splunk://s/services/collector/event?channel=7&sourcetyp=x&insecure-skip-verify=maybe",
        &[
            ("/services/collector/event", "raw endpoint"),
            ("channel=7", "GUID"),
            ("sourcetyp=x", "did you mean `sourcetype`?"),
            ("insecure-skip-verify=maybe", "neither `true` nor `false`"),
            ("", "`header_Authorization` is missing"),
        ],
    );
}

#[test]
fn datadog_sumo_and_sentinelone() {
    let datadog = http(
        "datadog://http-intake.logs.datadoghq.com/api/v2/logs?header_DD-API-KEY=K&ddsource=cloudflare&service=S&host=H&ddtags=env:p",
    );
    let url = "https://http-intake.logs.datadoghq.com/api/v2/logs?ddsource=cloudflare&service=S&host=H&ddtags=env:p";
    assert_eq!((datadog.flavour, datadog.url.expose()), (HttpFlavour::Datadog, url));
    assert_eq!(datadog.headers, [header("DD-API-KEY", "K")]);
    let sumo = http("sumo://endpoint1.collection.sumologic.com/receiver/v1/http/TOKEN==");
    assert_eq!(sumo.url.expose(), "https://endpoint1.collection.sumologic.com/receiver/v1/http/TOKEN==");
    assert_eq!(sumo.to_string(), "sumo://endpoint1.collection.sumologic.com");
    let text =
        "sentinelone://ingest.example/services/collector/raw?sourcetype=T&header_Authorization=Bearer%20K";
    let sentinelone = http(text);
    assert_eq!(sentinelone.url.expose(), "https://ingest.example/services/collector/raw?sourcetype=T");
    check_wrong("datadog://h/api/v2/logs", &[("", "`header_DD-API-KEY` is missing")]);
    check_wrong("sentinelone://h/", &[("", "`header_Authorization` is missing")]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    check_wrong(
        "s3://<BUCKET>/a//b?regoin=x&access-key-id=A&access-key-id=B&endpoint=https://h/bucket&sse=KMS&secret",
        &[
            ("<BUCKET>", "name of a bucket"),
            ("/a//b", "empty part"),
            ("regoin=x", "did you mean `region`?"),
            ("access-key-id=B", "twice"),
            ("endpoint=https://h/bucket", "neither a bucket"),
            ("sse=KMS", "AES256"),
            ("secret", "`s3` has no such parameter"),
            ("", "`region` is missing"),
            ("", "`secret-access-key` is missing"),
        ],
    );
    check_wrong(
        "r2://b/{HOUR}?account-id=&region=auto",
        &[
            ("/{HOUR}", "`{DATE}` is the only token"),
            ("account-id=", "`account-id` is empty"),
            ("region=auto", "`region` is no parameter of `r2`"),
            ("", "`access-key-id` is missing"),
            ("", "`secret-access-key` is missing"),
        ],
    );
    check_wrong(
        "https://h/{DATE}?header_Host=x&header_a%20b=c&header_X=1&header_x=2&X=3&y=#",
        &[
            ("h/{DATE}", "for object stores"),
            ("header_Host=x", "not for a destination to set"),
            ("header_a%20b=c", "no name of a header"),
            ("header_x=2", "set twice"),
            ("X=3", "the name of a header"),
            ("#", "`%23`"),
        ],
    );
    check_wrong(
        "s3://b?region=r&profile=p&access-key-id=I",
        &[("access-key-id=I", "either keys or a profile")],
    );
    check_wrong("https://user:pass@h/", &[("user:pass@h/", "header_Authorization")]);
    check_wrong("https:///path", &[("/path", "host, port and path")]);
    check_wrong("gs://b?x=%ff", &[("x=%ff", "no UTF-8")]);
    check_wrong("https://h?header_X=a%0Ab", &[("header_X=a%0Ab", "no header has a value")]);
}

#[test]
fn what_is_no_destination_of_ours_is_refused_by_name() {
    check_wrong(
        "kinesis://STREAM?region=R",
        &[("kinesis", "Amazon Kinesis is a destination that logweir does not have")],
    );
    check_wrong("bq://projects/P", &[("bq", "BigQuery")]);
    check_wrong("ibmcl://I", &[("ibmcl", "IBM Cloud Logs")]);
    check_wrong("pipelines://x", &[("pipelines", "Cloudflare Pipelines")]);
    check_wrong("http://h/", &[("http", "write `https`")]);
    check_wrong("loki://h/", &[("loki", "use the sink `loki`")]);
    check_wrong("splnuk://h/", &[("splnuk", "did you mean `splunk`?")]);
    check_wrong("/var/log", &[("/var/log", "does not begin with a scheme")]);
    check_wrong("s3://b\n?region=r", &[("\n", "control characters")]);
    let long = format!("gs://{}", "é".repeat(4096 - 5 + 2));
    check_wrong(&long, &[("éé", "4098 characters")]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_what_is_wrong_lies_in_the_text(
        scheme in prop::sample::select(vec!["s3", "r2", "gs", "azure", "https", "splunk", "datadog", "sumo", "file", "x"]),
        rest in r"([a-z/?&=%{}#.:@\[\]]|region=|header_|endpoint=|sig=|\PC){0,60}",
        whole in r"\PC{0,80}",
    ) {
        for text in [format!("{scheme}://{rest}"), whole] {
            match DestinationConfig::parse(&text) {
                Ok(config) => {
                    let shown = format!("{config} {config:?}");
                    prop_assert!(shown.contains("://"));
                },
                Err(problems) => {
                    prop_assert!(!problems.is_empty());
                    for problem in problems {
                        prop_assert!(text.get(problem.offset..problem.offset + problem.n_bytes).is_some());
                    }
                }
            }
        }
    }

    #[test]
    fn no_secret_is_ever_shown(
        noise in prop::collection::vec(r"(&[a-z=%]{0,8}|&region=|&endpoint=h|&sse=|&header_X=1){0,1}", 4),
        form in 0..9_usize,
    ) {
        let secret = "Hunter2%2bHunter2/x";
        let [a, b, c, d] = &noise[..] else { unreachable!("four were made") };
        let tail = format!("{b}{c}&{secret}");
        let text = match form {
            0 => format!("s3://b?{a}&access-key-id={secret}&secret-access-key={secret}{tail}"),
            1 => format!("s3://b?region=r&access-key-id={secret}&secret-access-key={secret}{a}{b}"),
            2 => format!("r2://b?account-id=a{a}&access-key-id=k&secret-access-key={secret}&session-token={secret}{tail}"),
            3 => format!("azure://a.b/c?sv=1{a}&sig={secret}{tail}"),
            4 => format!("https://h/{secret}?header_Authorization={secret}{a}{b}&k={secret}"),
            5 => format!("splunk://h/services/collector/raw?channel={GUID}&header_Authorization={secret}{a}{tail}"),
            6 => format!("datadog://h/p?header_DD-API-KEY={secret}{d}&channel={secret}{tail}"),
            7 => format!("sumo://h/receiver/{secret}?{a}{tail}#{secret}"),
            _ => format!("https://user:{secret}@h/?{a}{tail}"),
        };
        let shown = match DestinationConfig::parse(&text) {
            Ok(config) => format!("{config} {config:?} {}", config.kind()),
            Err(problems) => format!("{problems:?}{}", problems.iter().map(ToString::to_string).collect::<String>()),
        };
        prop_assert!(!shown.to_lowercase().contains("hunter"), "{shown}");
    }
}
