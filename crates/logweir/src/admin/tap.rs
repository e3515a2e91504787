//! `/tap`: shows events as they pass.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use logweir_pipeline::{TapError, TapRequest};
use url::form_urlencoded;

use super::Shared;

/// What is said where the configuration allows no taps.
const NOT_ENABLED: &str = "taps are not enabled: add `tap: {}` to `admin` in the pipeline file, and reload\n";

/// Streams the events of one place, as `?after=PLACE` asks for, until there are no more or nobody reads.
pub(super) async fn tap(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let Some(config) = shared.config().tap else {
        return (StatusCode::FORBIDDEN, NOT_ENABLED).into_response();
    };
    let request = match request(query.as_deref().unwrap_or_default()) {
        Ok(request) => request,
        Err(message) => return (StatusCode::BAD_REQUEST, format!("{message}\n")).into_response(),
    };
    let tap = match shared.board.tap(&request, &config) {
        Ok(tap) => tap,
        Err(error) => return (status(&error), format!("{error}\n")).into_response(),
    };
    let frames = stream::unfold(tap, |mut tap| async move {
        let frames = tap.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(frames)), tap))
    });
    let headers = [(CONTENT_TYPE, "application/x-ndjson"), (CACHE_CONTROL, "no-store")];
    (headers, Body::from_stream(frames)).into_response()
}

fn status(error: &TapError) -> StatusCode {
    match error {
        TapError::NoPipeline { .. } | TapError::NoPlace { .. } => StatusCode::NOT_FOUND,
        TapError::NothingDropped(_) => StatusCode::BAD_REQUEST,
        TapError::TooMany => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Returns what a query asks for, or says what is wrong with it.
fn request(query: &str) -> Result<TapRequest, String> {
    let mut request =
        TapRequest { pipeline: None, after: String::new(), dropped: false, rate: 1.0, limit: None };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let wrong = |wanted: &str| format!("`{name}` is to be {wanted}");
        match &*name {
            "pipeline" => request.pipeline = Some(value.into_owned()),
            "after" => request.after = value.into_owned(),
            "dropped" => request.dropped = value.parse().map_err(|_| wrong("true or false"))?,
            "rate" => {
                let rate = value.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 1.0);
                request.rate = rate.ok_or_else(|| wrong("a number greater than 0 and at most 1"))?;
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| *limit > 0);
                request.limit = Some(limit.ok_or_else(|| wrong("a whole number from 1 on"))?);
            }
            _ => {
                return Err(format!(
                    "`{name}` is not known; there are pipeline, after, dropped, rate and limit"
                ));
            }
        }
    }
    if request.after.is_empty() {
        return Err(String::from(
            "`after` is missing: the place to watch, like `decode`, `filter` or `stages[0]`",
        ));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_arrives_as_it_is_meant() {
        let all = request("pipeline=a+b&after=stages%5B0%5D&dropped=true&rate=0.5&limit=3");
        let expected = TapRequest {
            pipeline: Some("a b".into()),
            after: "stages[0]".into(),
            dropped: true,
            rate: 0.5,
            limit: Some(3),
        };
        assert_eq!(all, Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, name) in [
            ("", "`after`"),
            ("after=decode&rate=0", "`rate`"),
            ("after=decode&rate=NaN", "`rate`"),
            ("after=decode&rate=1.5", "`rate`"),
            ("after=decode&limit=0", "`limit`"),
            ("after=decode&limit=-1", "`limit`"),
            ("after=decode&dropped=yes", "`dropped`"),
            ("after=decode&token=x", "`token`"),
        ] {
            let error = request(query).expect_err(query);
            assert!(error.contains(name), "{query}: {error}");
        }
    }
}
