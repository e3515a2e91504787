//! Counting what allocates.

use std::alloc::System;

use stats_alloc::{Region, StatsAlloc};

/// The system's allocator, counting.
///
/// A test file that counts installs it, and then has but one test: all threads of the process are counted.
///
/// ```standalone_crate
/// use logweir_testkit::allocations::{COUNTING, CountingAllocator, count};
///
/// #[global_allocator]
/// static ALLOCATOR: &CountingAllocator = &COUNTING;
///
/// let mut list = Vec::with_capacity(1);
/// assert_eq!(count(|| list.push(1)), 0);
/// assert_eq!(count(|| list.push(2)), 1);
/// ```
pub use stats_alloc::INSTRUMENTED_SYSTEM as COUNTING;

/// The type of [`COUNTING`].
pub type CountingAllocator = StatsAlloc<System>;

/// Returns how often `work` asked for memory, new or more; nothing is counted unless [`COUNTING`] is installed.
pub fn count(work: impl FnOnce()) -> usize {
    let region = Region::new(&COUNTING);
    work();
    let change = region.change();
    change.allocations + change.reallocations
}
