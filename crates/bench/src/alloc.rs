//! How often Rust's allocator is asked for memory. Cryptography in C asks another, which nobody counts.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

/// The counting allocator. It counts in a program that names it its `#[global_allocator]`, and only there.
pub static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations and reallocations during the work, of all threads.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let region = Region::new(COUNTING);
    let output = work();
    let change = region.change();
    (output, change.allocations + change.reallocations)
}

/// Bytes that were asked for until now and not given back.
#[expect(
    clippy::cast_precision_loss,
    reason = "no program here takes petabytes"
)]
pub fn bytes() -> f64 {
    let stats = COUNTING.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// Whether this program counts.
pub fn is_counting() -> bool {
    count(|| std::hint::black_box(Box::new(1_u8))).1 == 1
}
