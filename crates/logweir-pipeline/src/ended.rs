//! How the tasks of a generation end.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use logweir_sinks::SinkError;
use logweir_sources::SourceError;

use crate::status::Status;

/// How a component's task ended.
pub(crate) enum Ended {
    Well,
    /// The reader of standard output has gone.
    ReaderLeft,
    Failed(Failed),
}

/// What a component has failed of.
pub(crate) struct Failed {
    pub(crate) component: String,
    pub(crate) kind: &'static str,
    /// Whether it mends if the pipeline is opened again and reads again what was not delivered.
    pub(crate) is_mendable: bool,
    pub(crate) error: Box<dyn std::error::Error + Send + Sync>,
}

/// Returns what a source tells of files it cannot read while it goes on with others.
pub(crate) fn reporter(
    component: &'static str,
    status: &Arc<Status>,
) -> Arc<dyn Fn(&SourceError) + Send + Sync> {
    let status = status.clone();
    Arc::new(move |error| status.fail(component, error.kind(), error))
}

/// Returns how a source's task has ended.
pub(crate) fn source_ended(component: &str, result: Result<(), SourceError>) -> Ended {
    match result {
        // Each of them has been reported when it happened.
        Ok(()) | Err(SourceError::SomeFailed { .. }) => Ended::Well,
        Err(error) => Ended::Failed(Failed {
            component: component.to_owned(),
            kind: error.kind(),
            is_mendable: false,
            error: Box::new(error),
        }),
    }
}

/// Returns how a sink's task has ended.
pub(crate) fn sink_ended(component: String, result: Result<(), SinkError>) -> Ended {
    match result {
        Ok(()) => Ended::Well,
        Err(SinkError::Closed) => Ended::ReaderLeft,
        Err(error) => Ended::Failed(Failed {
            component,
            kind: error.kind(),
            is_mendable: error.is_recoverable(),
            error: Box::new(error),
        }),
    }
}

/// Turns a panic, which would be an error of ours, into a failure that names the component.
pub(crate) async fn guarded(component: String, task: impl Future<Output = Ended>) -> Ended {
    AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|panic| {
        let error = panic_text(&*panic).into();
        Ended::Failed(Failed { component, kind: "panic", is_mendable: false, error })
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("no message"))
}
