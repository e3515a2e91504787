//! Who may ask for more than metrics and health.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::{Choice, ConstantTimeEq as _};

use super::Shared;

/// Tokens are compared at this length, which no configured one exceeds.
const COMPARED_BYTES: usize = 256;

/// What is said where nobody has a token.
const NO_TOKEN: &str =
    "nobody may see this, since no token is configured: set admin.token in the pipeline file\n";

/// What is said to who has not shown the token.
const WRONG_TOKEN: &str =
    "this wants the token of the pipeline file, admin.token: send it as `Authorization: Bearer TOKEN`\n";

/// Lets a request pass that shows the token, and answers all others.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Some(token) = shared.config().token else {
        return (StatusCode::FORBIDDEN, NO_TOKEN).into_response();
    };
    let is_right = shown(request.headers()).is_some_and(|shown| is_same(shown, token.expose().as_bytes()));
    if is_right {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], WRONG_TOKEN).into_response()
}

/// Returns the token that a request shows, if it shows one in the right way and no other beside it.
fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (given.next()?.as_bytes(), given.next()) else { return None };
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// Returns whether two tokens are the same, in a time that does not depend on where they differ or how long they are.
fn is_same(shown: &[u8], token: &[u8]) -> bool {
    let has_length = Choice::from(u8::from(shown.len() == token.len()));
    (padded(shown).ct_eq(&padded(token)) & has_length).into()
}

/// Returns what of a token is compared, always as long.
fn padded(token: &[u8]) -> [u8; COMPARED_BYTES] {
    let mut padded = [0; COMPARED_BYTES];
    let n_bytes = token.len().min(COMPARED_BYTES);
    padded[..n_bytes].copy_from_slice(&token[..n_bytes]);
    padded
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_very_token_is_the_same() {
        let longest = [b'a'; COMPARED_BYTES];
        assert!(is_same(b"0123456789abcdef", b"0123456789abcdef") && is_same(&longest, &longest));
        for wrong in
            [&b""[..], b"0123456789abcde", b"0123456789abcdef\0", b"1123456789abcdef", b"0123456789abcdeF"]
        {
            assert!(!is_same(wrong, b"0123456789abcdef"), "{wrong:?}");
        }
        assert!(!is_same(&[b'a'; COMPARED_BYTES + 1], &longest));
    }

    #[test]
    fn a_token_is_shown_in_one_way() {
        let token = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            shown(&headers).map(<[u8]>::to_vec)
        };
        assert_eq!(token(&["Bearer abc"]).as_deref(), Some(&b"abc"[..]));
        assert_eq!(token(&["bEARER  abc "]).as_deref(), Some(&b"abc"[..]));
        for none in
            [&[][..], &["Basic abc"], &["Bearer"], &["abc"], &["Bearer abc", "Bearer abc"], &["Bearerabc"]]
        {
            assert_eq!(token(none), None, "{none:?}");
        }
    }
}
