//! What flows through logweir.
//!
//! A source cuts its input into [`Chunk`]s; decode turns a chunk into a [`Batch`] of spans over the same,
//! never changed bytes; encode turns a batch into a [`Payload`]; the sink writes it and resolves its [`Ack`].
//! The type tells how far the bytes have come, so no step can be taken twice or out of order. This crate knows
//! no format and does no IO.

mod ack;
mod batch;
mod causes;
mod chunk;
mod columns;
mod condition;
mod edit;
mod file_id;
mod frame;
mod payload;
mod places;
mod position;
mod selection;
mod span;

pub use ack::{Ack, Verdict};
pub use batch::{Batch, Malformed, Reject};
pub use causes::with_causes;
pub use chunk::Chunk;
pub use columns::{ColumnId, Columns};
pub use condition::{Condition, Trouble};
pub use edit::Edits;
pub use file_id::FileId;
pub use frame::BatchFrame;
pub use payload::{Payload, Pending, Receipt, Settled};
pub use places::{EventPlace, Places, Positions, Reached};
pub use position::Position;
pub use selection::Selection;
pub use span::Span;
