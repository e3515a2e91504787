//! The admin endpoint: `/` for who looks, `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever keeps the process
//! running, `/pipelines` for what the page draws; and to whoever has the token, `/uploads` for how uploads fare and `/tap`
//! for events as they pass.

mod access;
mod browser;
mod page;
mod pipelines;
mod serve;
mod tap;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Router, middleware};
use logweir_pipeline::{AdminConfig, Board, describe, publish};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::net::TcpListener;

use self::serve::Serving;
use crate::uploads::uploads;

/// The endpoint, serving until it is dropped; requests under way are cut off then.
pub(crate) struct Admin {
    shared: Arc<Shared>,
    serving: Serving,
}

/// What the handlers see.
struct Shared {
    /// What it was told last.
    config: Mutex<AdminConfig>,
    board: Arc<Board>,
    /// Held while metrics are set and rendered, so that two scrapes do not mix two copies of the books.
    recorder: Mutex<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Admin {
    /// Binds the address and begins to serve.
    ///
    /// # Errors
    ///
    /// If it cannot be bound.
    pub(crate) async fn start(config: AdminConfig, board: Arc<Board>) -> anyhow::Result<Self> {
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("admin.listen: cannot listen on {listen}"))?;
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, describe);
        let config = Mutex::new(config);
        let shared = Arc::new(Shared { config, board, recorder: Mutex::new(recorder), handle });
        tracing::info!(address = %listener.local_addr().unwrap_or(listen), "the admin endpoint listens");
        let serving = Serving::start(listener, routes(shared.clone()));
        Ok(Self { shared, serving })
    }

    /// Returns the address that was asked for.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.shared.config().listen
    }

    /// Has what comes from now on be judged by another token, and shown by other rules. The address stays.
    pub(crate) fn renew(&self, config: AdminConfig) {
        *self.shared.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// Takes no more requests, and gives those under way a moment to come to their end: whoever watches events is told that
    /// there are no more.
    pub(crate) async fn finish(self) {
        self.serving.finish().await;
    }
}

impl Shared {
    /// Returns what it was told last.
    fn config(&self) -> AdminConfig {
        self.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is said of anything else.
const NOT_FOUND: &str =
    "there are / (the status page), /metrics, /healthz, /readyz, /pipelines, /uploads and /tap\n";

/// Returns what is answered: the page, metrics and health to everybody, all else to who has the token.
fn routes(shared: Arc<Shared>) -> Router {
    let guarded = Router::new()
        .route("/uploads", get(list_uploads))
        .route("/tap", get(tap::tap))
        .route_layer(middleware::from_fn_with_state(shared.clone(), access::guard));
    let public = page::routes()
        .route("/metrics", get(scrape))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/pipelines", get(list_pipelines))
        .route_layer(middleware::from_fn_with_state(shared.clone(), browser::guard));
    public
        .merge(guarded)
        .fallback(|| async { (StatusCode::NOT_FOUND, NOT_FOUND) })
        .layer(middleware::map_response(browser::tell))
        .with_state(shared)
}

async fn scrape(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let recorder = shared.recorder.lock().unwrap_or_else(PoisonError::into_inner);
    let rest = metrics::with_local_recorder(&*recorder, || publish(&shared.board, env!("CARGO_PKG_VERSION")));
    let text = shared.handle.render() + &rest;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn list_uploads(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], uploads(&shared.board))
}

async fn list_pipelines(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], pipelines::pipelines(&shared.board))
}

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let readiness = shared.board.readiness();
    let status = if readiness.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, readiness.text)
}
