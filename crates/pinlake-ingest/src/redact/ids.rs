//! Hashes of ids, by which repeated ones are counted, where ids themselves are not to be kept.
//!
//! They may be put aside on the disk while pieces are read, and a hash without a key of something that can be guessed gives it
//! away. So where ids are hashed, the count is made of what is written anyway; where they are dropped or masked, of a keyed hash:
//! with a key derived from the user's where there is one, so that a later process can compare, and else with one that was
//! drawn for this conversion and is in memory alone.

use std::hash::{BuildHasher as _, RandomState};

use arrow::array::{AsArray as _, RecordBatch};

use super::key::RedactKey;

/// The position of `id` in a batch of all columns.
pub(super) const ID: usize = 0;

/// How ids are hashed for counting.
#[derive(Debug)]
pub(super) enum IdHashes {
    /// As the decoder did, since ids are kept as they are.
    Decoded,
    /// By the user's key.
    Keyed(RedactKey),
    /// By a key derived from the user's.
    Derived(RedactKey),
    /// By `SipHash` with a key that nobody knows but this process.
    Drawn(RandomState),
}

impl IdHashes {
    /// The hash of each id of a batch that is not redacted yet; `None` where those of the decoder serve.
    pub(super) fn of(&self, batch: &RecordBatch) -> Option<Vec<u64>> {
        let hash = |id: &str| match self {
            Self::Decoded => 0,
            Self::Keyed(key) | Self::Derived(key) => key.short_hash(id),
            Self::Drawn(state) => state.hash_one(id),
        };
        if matches!(self, Self::Decoded) {
            return None;
        }
        let ids = batch.column(ID).as_string_opt::<i32>();
        Some(ids.map_or_else(Vec::new, |ids| ids.iter().flatten().map(hash).collect()))
    }
}
