//! The status page: a few files that are part of the program, and that a browser asks for numbers on its own.
//!
//! They stand readable in `page/`, and are served as they are. What they show comes from `/metrics`, `/readyz` and
//! `/pipelines`, and from `/uploads` for who has the token.

use std::hash::{DefaultHasher, Hasher as _};

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// A file of the page.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const fn asset(path: &'static str, content_type: &'static str, body: &'static str) -> Asset {
    Asset { path, content_type, body }
}

/// All files of the page.
const ASSETS: [Asset; 17] = [
    asset("/", HTML, include_str!("page/index.html")),
    asset("/page/icon.svg", SVG, include_str!("page/icon.svg")),
    asset("/page/theme.css", CSS, include_str!("page/theme.css")),
    asset("/page/page.css", CSS, include_str!("page/page.css")),
    asset("/page/flow.css", CSS, include_str!("page/flow.css")),
    asset("/page/main.js", SCRIPT, include_str!("page/main.js")),
    asset("/page/amount.js", SCRIPT, include_str!("page/amount.js")),
    asset("/page/cards.js", SCRIPT, include_str!("page/cards.js")),
    asset("/page/element.js", SCRIPT, include_str!("page/element.js")),
    asset("/page/exposition.js", SCRIPT, include_str!("page/exposition.js")),
    asset("/page/flow.js", SCRIPT, include_str!("page/flow.js")),
    asset("/page/history.js", SCRIPT, include_str!("page/history.js")),
    asset("/page/layout.js", SCRIPT, include_str!("page/layout.js")),
    asset("/page/uploads.js", SCRIPT, include_str!("page/uploads.js")),
    asset("/page/verdict.js", SCRIPT, include_str!("page/verdict.js")),
    asset("/page/view.js", SCRIPT, include_str!("page/view.js")),
    asset("/page/watch.js", SCRIPT, include_str!("page/watch.js")),
];

/// Returns what serves the files.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(async move |headers: HeaderMap| answer(asset, &headers)))
    })
}

/// Returns a file, or that it is still the one that the browser has: it asks each time, since the next version of the
/// program may have another.
fn answer(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let tag = tag(asset.body);
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let headers = [(ETAG, tag), (CACHE_CONTROL, "no-cache".to_owned())];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(CONTENT_TYPE, asset.content_type)], asset.body).into_response()
}

/// Returns what tells a content from others.
fn tag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    format!("\"{:016x}\"", hasher.finish())
}
