//! Buffers that are used again.
//!
//! Fresh memory costs: the kernel zeroes each page on first touch, which was 26 % of the time of a decoder that
//! allocated anew for every piece (measured 2026-11-23). A buffer taken here comes back when the last slice of it is
//! dropped, on whatever thread that happens.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// A pool of byte buffers, shared by clones.
#[derive(Clone, Debug, Default)]
pub struct BufferPool {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// At most this many buffers wait for use; beyond that they are freed.
const MAX_IDLE: usize = 32;

impl BufferPool {
    /// An empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A buffer of at least `length` bytes, of any content: the smallest idle one that is large enough, or a new one.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = idle
            .iter()
            .enumerate()
            .filter(|(_, buffer)| buffer.len() >= length && buffer.len() <= length.saturating_mul(4))
            .min_by_key(|(_, buffer)| buffer.len())
            .map(|(at, _)| at);
        if let Some(at) = fitting {
            return idle.swap_remove(at);
        }
        drop(idle);
        vec![0; length]
    }

    fn put(&self, buffer: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= MAX_IDLE {
            // The one that came back longest ago makes room: sizes follow the pieces at hand.
            idle.remove(0);
        }
        idle.push(buffer);
    }

    /// The first `length` bytes of `buffer` as shared bytes; the buffer returns here with their last drop.
    pub(super) fn share(&self, buffer: Vec<u8>, length: usize) -> Bytes {
        Bytes::from_owner(Lent { buffer, length, home: self.clone() })
    }
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
