//! The admin endpoint: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever keeps the process running, `/uploads`
//! for whoever asks how uploads fare.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use logweir_pipeline::{Board, describe, publish};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::uploads::uploads;

/// The endpoint, serving until it is dropped; requests under way are cut off then.
pub(crate) struct Admin {
    /// The address that was asked for.
    listen: SocketAddr,
    _serving: JoinSet<()>,
}

/// What the handlers see.
struct Shared {
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
    pub(crate) async fn start(listen: SocketAddr, board: Arc<Board>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("admin.listen: cannot listen on {listen}"))?;
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, describe);
        let shared = Arc::new(Shared { board, recorder: Mutex::new(recorder), handle });
        let app = Router::new()
            .route("/metrics", get(scrape))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
            .route("/uploads", get(list_uploads))
            .with_state(shared);
        tracing::info!(address = %listener.local_addr().unwrap_or(listen), "the admin endpoint listens");
        let mut serving = JoinSet::new();
        serving.spawn(async {
            // Errors of single connections are axum's to handle; the loop itself does not end.
            let _ = axum::serve(listener, app).into_future().await;
        });
        Ok(Self { listen, _serving: serving })
    }

    /// Returns the address that was asked for.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }
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

async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let readiness = shared.board.readiness();
    let status = if readiness.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, readiness.text)
}
