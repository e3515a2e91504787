//! The sink that uploads batches, against a destination in memory.

mod abandoned;
mod batching;
mod bucket;
mod crash;
mod damage;
mod delivery;
mod source;
mod world;
