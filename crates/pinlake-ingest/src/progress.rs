//! How far a conversion is: counters that the workers add to and that anyone may read at any time.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one conversion. They only grow.
#[derive(Debug, Default)]
pub struct Progress {
    pieces: AtomicU64,
    bytes: AtomicU64,
    pieces_done: AtomicU64,
    bytes_done: AtomicU64,
    rows: AtomicU64,
    rejects: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressSnapshot {
    /// Pieces in all.
    pub pieces: u64,
    /// Bytes of all pieces as stored.
    pub bytes: u64,
    /// Pieces read to their end.
    pub pieces_done: u64,
    /// Bytes, as stored, that were unpacked and nearly all of whose lines are decoded.
    pub bytes_done: u64,
    /// Rows decoded and handed to a writer.
    pub rows: u64,
    /// Lines rejected.
    pub rejects: u64,
}

impl Progress {
    pub(crate) fn plan(&self, pieces: u64, bytes: u64) {
        self.pieces.store(pieces, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Counts what an interrupted run had done.
    pub(crate) fn resumed(&self, pieces: u64, bytes: u64) {
        self.pieces_done.fetch_add(pieces, Ordering::Relaxed);
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn piece_done(&self) {
        self.pieces_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unpacked(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn decoded(&self, rows: u64, rejects: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.rejects.fetch_add(rejects, Ordering::Relaxed);
    }

    /// The counters now. Each is exact; together they are of nearly the same moment.
    #[must_use]
    pub fn snapshot(&self) -> ProgressSnapshot {
        ProgressSnapshot {
            pieces: self.pieces.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            pieces_done: self.pieces_done.load(Ordering::Relaxed),
            bytes_done: self.bytes_done.load(Ordering::Relaxed),
            rows: self.rows.load(Ordering::Relaxed),
            rejects: self.rejects.load(Ordering::Relaxed),
        }
    }
}
