//! Writes nowhere.

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::FileId;

use crate::Sink;
use crate::context::SinkContext;
use crate::error::SinkError;

/// Takes everything and writes nothing; all of it counts as written.
#[derive(Clone, Copy, Default, Debug)]
pub struct NullSink;

impl Sink for NullSink {
    fn writes_to(&self) -> Option<FileId> {
        None
    }

    fn run(self: Box<Self>, mut context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
        async move {
            while let Some(payload) = context.payloads.recv().await {
                payload.written();
            }
            Ok(())
        }
        .boxed()
    }
}
