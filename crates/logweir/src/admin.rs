//! The admin endpoint: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever keeps the process running.

use std::convert::Infallible;
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
use logweir_pipeline::{Status, describe, publish};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::net::TcpListener;

/// The endpoint, bound to its address.
pub(crate) struct Admin {
    listener: TcpListener,
    app: Router,
}

/// What the handlers see.
struct Shared {
    pipelines: Vec<Arc<Status>>,
    /// Held while metrics are set and rendered, so that two scrapes do not mix two copies of the books.
    recorder: Mutex<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Admin {
    /// Binds the address.
    ///
    /// # Errors
    ///
    /// If it cannot be bound.
    pub(crate) async fn bind(listen: SocketAddr, pipelines: Vec<Arc<Status>>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("admin.listen: cannot listen on {listen}"))?;
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, describe);
        let shared = Arc::new(Shared { pipelines, recorder: Mutex::new(recorder), handle });
        let app = Router::new()
            .route("/metrics", get(scrape))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
            .with_state(shared);
        tracing::info!(address = %listener.local_addr().unwrap_or(listen), "the admin endpoint listens");
        Ok(Self { listener, app })
    }

    /// Serves until dropped.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time; requests under way are cut off.
    pub(crate) async fn serve(self) -> Infallible {
        // Errors of single connections are axum's to handle; the loop itself does not end.
        let _ = axum::serve(self.listener, self.app).into_future().await;
        std::future::pending().await
    }
}

async fn scrape(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let recorder = shared.recorder.lock().unwrap_or_else(PoisonError::into_inner);
    metrics::with_local_recorder(&*recorder, || publish(&shared.pipelines, env!("CARGO_PKG_VERSION")));
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.handle.render())
}

/// Ready: all pipelines run and no component has failed; else which one is not.
async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, String) {
    let not_ready: Vec<_> = shared.pipelines.iter().filter(|status| !status.is_ready()).collect();
    if not_ready.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let line = |status: &&Arc<Status>| match status.failures().first() {
        Some(failure) => format!("{}: {}: {}\n", status.name, failure.component, failure.message),
        None => format!("{}: not running\n", status.name),
    };
    (StatusCode::SERVICE_UNAVAILABLE, not_ready.iter().map(line).collect())
}
