//! Buffers that are used again.
//!
//! Fresh memory costs: the kernel zeroes each page on first touch, which was 26 % of the time of a decoder that
//! allocated anew for every piece (measured 2026-11-23). A buffer taken here comes back when the last slice of it is
//! dropped, on whatever thread that happens.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A pool of byte buffers, shared by clones.
#[derive(Clone, Debug)]
pub struct BufferPool {
    /// In the order in which they came back.
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
    max_idle_bytes: usize,
}

impl BufferPool {
    /// An empty pool that keeps at most `max_idle_bytes` of buffers which nobody uses.
    #[must_use]
    pub fn new(max_idle_bytes: usize) -> Self {
        Self { idle: Arc::default(), max_idle_bytes }
    }

    /// A buffer of at least `length` bytes, of any content: the smallest idle one that is large enough and not wasted on
    /// it, or a new one.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let rounded = round_up(length);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = idle
            .iter()
            .enumerate()
            .filter(|(_, buffer)| buffer.len() >= length && buffer.len() <= rounded.saturating_mul(2))
            .min_by_key(|(_, buffer)| buffer.len())
            .map(|(at, _)| at);
        if let Some(at) = fitting {
            return idle.swap_remove(at);
        }
        drop(idle);
        vec![0; rounded]
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(buffer);
        // Those that came back longest ago make room: sizes follow the pieces at hand.
        let mut idle_bytes: usize = idle.iter().map(Vec::len).sum();
        while idle_bytes > self.max_idle_bytes && !idle.is_empty() {
            idle_bytes -= idle.remove(0).len();
        }
    }

    /// The first `length` bytes of `buffer` as shared bytes; the buffer returns here with their last drop.
    pub(super) fn share(&self, buffer: Vec<u8>, length: usize) -> Bytes {
        Bytes::from_owner(Lent { buffer, length, home: self.clone() })
    }
}

/// The next size that buffers come in, a thirty-second of a power of two apart: the pieces of an export are of nearly but not
/// quite the same size, and the buffer of one should serve the next.
fn round_up(length: usize) -> usize {
    length.next_multiple_of((length.next_power_of_two() / 32).max(1))
}

struct Lent {
    buffer: Vec<u8>,
    length: usize,
    home: BufferPool,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.put(std::mem::take(&mut self.buffer));
    }
}
