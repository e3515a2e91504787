//! What browsers are told and asked, so that no page of another site reads through one what it could not ask for itself.
//!
//! A browser lets any page send requests to this machine, and keeps it from reading the answers: no answer here allows it.
//! What remains is a name: whoever owns `evil.example` can have it lead to 127.0.0.1 once his page is loaded, and then
//! that page and this endpoint are one site to the browser. But the browser still sends the name, as `Host`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Shared;

/// What the page may load and do: its own files, and questions to where it came from. Of the second line nothing can
/// make a script of a text, should the page ever try to.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// Said with each answer; a page of another site that embeds it gets nothing.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// What is said to who asks by another name.
const WRONG_HOST: &str = "\
this endpoint listens on this machine alone, and answers only to an address or `localhost` as its name, so that no page \
of another site can read it through a browser: ask for http://127.0.0.1 with the port, or have the proxy in front send \
that as `Host`\n";

/// Adds to an answer what browsers are to know of it.
pub(super) async fn tell(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.extend(HEADERS);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets a request pass that names the endpoint as it can be named where it listens, and answers all others.
///
/// Where it listens for other machines too, any name may be its own.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let is_local = shared.config().listen.ip().is_loopback();
    if is_local && !is_asked_by_own_name(request.headers()) {
        return (StatusCode::MISDIRECTED_REQUEST, WRONG_HOST).into_response();
    }
    next.run(request).await
}

/// Returns whether a request names this machine in a way that nobody else can make mean it. One without a name is of no
/// browser's.
fn is_asked_by_own_name(headers: &HeaderMap) -> bool {
    let mut names = headers.get_all(HOST).iter();
    let (Some(name), None) = (names.next(), names.next()) else { return headers.get(HOST).is_none() };
    let Ok(authority) = Authority::try_from(name.as_bytes()) else { return false };
    let host = authority.host().to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(names: &[&'static str]) -> bool {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(HOST, HeaderValue::from_static(name));
        }
        is_asked_by_own_name(&headers)
    }

    #[test]
    fn addresses_and_localhost_are_own_names() {
        let own = [
            "127.0.0.1:9598",
            "127.0.0.1",
            "[::1]:9598",
            "10.0.0.7:80",
            "localhost:9598",
            "LocalHost",
            "a.localhost",
        ];
        for name in own {
            assert!(is_let_in(&[name]), "{name}");
        }
        assert!(is_let_in(&[]));
    }

    #[test]
    fn all_else_may_be_a_name_that_somebody_else_made_mean_this_machine() {
        let foreign = [
            "evil.example",
            "evil.example:9598",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "",
            "user@evil.example",
            "2130706433",
            "0x7f.1",
        ];
        for name in foreign {
            assert!(!is_let_in(&[name]), "{name}");
        }
        assert!(!is_let_in(&["127.0.0.1", "evil.example"]));
    }
}
