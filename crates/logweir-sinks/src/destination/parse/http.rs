//! The destinations that are servers which take batches by POST.

use logweir_net::{Secret, TlsConfig};
use url::Url;

use super::conf::{Conf, Parameter, Part};
use crate::destination::config::{DestinationConfig, Header, HttpConfig, HttpFlavour};

/// What the name of a parameter begins with that is a header.
const HEADER: &str = "header_";

/// The path of Splunk's raw endpoint.
const SPLUNK_PATH: &str = "/services/collector/raw";

/// What Splunk's raw endpoint takes as a parameter.
const SPLUNK_PARAMETERS: [&str; 6] =
    ["channel", "sourcetype", "source", "host", "index", "insecure-skip-verify"];

/// `https://host[:port]/path?header_X=v&other=v`.
pub(super) fn https(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let headers = headers(conf);
    let rest = conf.take_rest();
    post(conf, HttpFlavour::Https, headers, &rest, false)
}

/// `splunk://host:port/services/collector/raw?channel=GUID&insecure-skip-verify=false&sourcetype=T&header_…`.
pub(super) fn splunk(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let (_, path) = conf.address().split_at_slash();
    if path.text != SPLUNK_PATH {
        conf.wrong(path, format!("this is not the raw endpoint, `{SPLUNK_PATH}`"), "events are sent raw");
    }
    let headers = headers(conf);
    require_header(conf, &headers, "Authorization", "as `header_Authorization=Splunk%20TOKEN`");
    let is_unverified = insecure_skip_verify(conf);
    let channel = conf.require("channel", "any GUID, as `channel=6eb1c1b6-4ae8-4a01-8b2d-9f4a3d3f4c11`");
    if let Some(channel) = &channel
        && !is_guid(&channel.value)
    {
        conf.wrong(channel.whole, "this channel is no GUID", "32 hexadecimal digits, as 8-4-4-4-12");
    }
    let mut rest = Vec::from_iter(channel);
    for name in &SPLUNK_PARAMETERS[1..5] {
        rest.extend(conf.take(name));
    }
    conf.refuse_rest(&SPLUNK_PARAMETERS);
    rest.sort_by_key(|parameter| parameter.whole.offset);
    post(conf, HttpFlavour::Splunk, headers, &rest, is_unverified)
}

/// `datadog://http-intake.logs.datadoghq.com/api/v2/logs?header_DD-API-KEY=K&ddsource=…&service=…&host=…&ddtags=…`.
pub(super) fn datadog(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let headers = headers(conf);
    require_header(conf, &headers, "DD-API-KEY", "as `header_DD-API-KEY=KEY`");
    let rest = conf.take_rest();
    post(conf, HttpFlavour::Datadog, headers, &rest, false)
}

/// The URL of a source of Sumo Logic, with `sumo` for `https`.
pub(super) fn sumo(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let headers = headers(conf);
    let rest = conf.take_rest();
    post(conf, HttpFlavour::Sumo, headers, &rest, false)
}

/// `sentinelone://host/services/collector/raw?sourcetype=T&header_Authorization=Bearer%20…`.
pub(super) fn sentinelone(conf: &mut Conf<'_>) -> Option<DestinationConfig> {
    let headers = headers(conf);
    require_header(conf, &headers, "Authorization", "as `header_Authorization=Bearer%20TOKEN`");
    let rest = conf.take_rest();
    post(conf, HttpFlavour::SentinelOne, headers, &rest, false)
}

/// Returns the destination, whose URL keeps the parameters that are left.
fn post(
    conf: &mut Conf<'_>,
    flavour: HttpFlavour,
    headers: Vec<Header>,
    rest: &[Parameter<'_>],
    is_unverified: bool,
) -> Option<DestinationConfig> {
    for parameter in rest {
        if headers.iter().any(|header| header.name.eq_ignore_ascii_case(&parameter.name)) {
            let message = "this parameter has the name of a header that is set";
            conf.wrong(parameter.whole, message, "leave one of them");
        }
    }
    let url = url(conf, rest)?;
    let tls = TlsConfig { ca_file: None, insecure_skip_verify: is_unverified };
    Some(DestinationConfig::Http(HttpConfig { flavour, url: Secret::new(url), headers, tls }))
}

fn url(conf: &mut Conf<'_>, rest: &[Parameter<'_>]) -> Option<String> {
    let address = conf.address();
    for part in rest.iter().map(|parameter| parameter.whole).chain([address]) {
        if let Some(at) = part.text.find('#') {
            let sign = Part { text: "#", offset: part.offset + at };
            conf.wrong(sign, "what stands behind `#` is not sent", "write it as `%23`");
        }
    }
    if address.text.contains("{DATE}") {
        conf.wrong(address, "`{DATE}` is for object stores: a request has no path to keep", "leave it out");
    }
    let query: Vec<_> = rest.iter().map(|parameter| parameter.whole.text).collect();
    let mut text = format!("https://{}", address.text);
    if !query.is_empty() {
        text = format!("{text}?{}", query.join("&"));
    }
    match Url::parse(&text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            let help = "send them as a header: `header_Authorization=Basic%20…`";
            conf.wrong(address, "a user and a password do not belong into a URL", help);
            None
        }
        // The URL standard would take a slash too many for none, and the first part of the path for the host.
        Ok(url) if !address.text.starts_with(['/', '\\']) => Some(url.into()),
        _ => {
            conf.wrong(address, "this is no host, port and path", "as `logs.example.com:8443/path`");
            None
        }
    }
}

/// Returns the parameters that are headers.
fn headers(conf: &mut Conf<'_>) -> Vec<Header> {
    let (of_headers, rest): (Vec<_>, Vec<_>) =
        conf.take_rest().into_iter().partition(|parameter| parameter.name.starts_with(HEADER));
    conf.put_back(rest);
    let mut headers: Vec<Header> = Vec::new();
    for parameter in of_headers {
        let Some(header) = header(conf, &parameter) else { continue };
        if headers.iter().any(|other| other.name.eq_ignore_ascii_case(&header.name)) {
            conf.wrong(parameter.whole, "this header is set twice", "leave one of them");
            continue;
        }
        headers.push(header);
    }
    headers
}

fn header(conf: &mut Conf<'_>, parameter: &Parameter<'_>) -> Option<Header> {
    let name = &parameter.name[HEADER.len()..];
    match Header::new(name, &parameter.value) {
        Ok(header) => Some(header),
        Err(problem) => {
            conf.wrong(parameter.whole, problem.message, problem.help);
            None
        }
    }
}

fn require_header(conf: &mut Conf<'_>, headers: &[Header], name: &str, help: &str) {
    if !headers.iter().any(|header| header.name.eq_ignore_ascii_case(name)) {
        conf.wrong(conf.end(), format!("`{HEADER}{name}` is missing"), help);
    }
}

fn insecure_skip_verify(conf: &mut Conf<'_>) -> bool {
    let Some(parameter) = conf.take("insecure-skip-verify") else { return false };
    match parameter.value.as_str() {
        "true" => true,
        "false" => false,
        _ => {
            conf.wrong(parameter.whole, "this is neither `true` nor `false`", "leave it out, or say `false`");
            false
        }
    }
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}
