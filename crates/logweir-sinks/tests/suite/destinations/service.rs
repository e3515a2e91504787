//! Requests to the servers of others, past what is tested.

use logweir_net::{Body, Client, ClientConfig};
use logweir_testkit::service::Service;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in the path of a URL.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Sends a request, and returns the body of the answer if it is one of success.
pub(crate) fn request(
    service: &Service,
    method: &str,
    path: &str,
    query: &str,
    headers: &[(&str, &str)],
) -> Option<Vec<u8>> {
    let path = utf8_percent_encode(path, PATH);
    let mut request = http::Request::builder().method(method).uri(format!("{}{path}{query}", service.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::Empty).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(async {
        Client::new(&ClientConfig::default()).unwrap().send(&request, 64 * 1024 * 1024).await.unwrap()
    });
    answer.status.is_success().then(|| answer.body.to_vec())
}
