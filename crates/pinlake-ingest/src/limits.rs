//! Every number that bounds the work, derived from two that a user may set: threads and memory.

use pinlake_decode::UnpackLimits;
use pinlake_source::FetchLimits;

const MIB: usize = 1024 * 1024;

/// The memory that a conversion plans with when nothing else is said.
const DEFAULT_MEMORY_BYTES: usize = 512 * MIB;

/// The bounds of one conversion.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Worker threads: they unpack, decode and write.
    pub threads: usize,
    /// Pieces in work at once. Two a thread, so that a worker that ends one finds the next one fetched.
    pub open_pieces: usize,
    /// Bounds of fetching.
    pub fetch: FetchLimits,
    /// Bounds of unpacking, the longest line among them.
    pub unpack: UnpackLimits,
    /// Size at which a data file is closed and the next one begun.
    pub data_file_bytes: u64,
    /// Hashes of ids held in memory, 8 bytes each, before they are put aside on the disk.
    pub id_hashes: usize,
}

impl Limits {
    /// Bounds for `threads` workers that together keep near `memory_bytes` (512 MiB when not given).
    ///
    /// An eighth is the window of fetched bytes, a quarter is for inflated pieces (which is why a piece is inflated at once
    /// only up to that size over the number of threads), a sixteenth for hashes of ids. The rest is the writers': a row group
    /// a lane, encoded, and the columns of the blocks in work.
    #[must_use]
    pub fn new(threads: usize, memory_bytes: Option<usize>) -> Self {
        let threads = threads.max(1);
        let memory_bytes = memory_bytes.unwrap_or(DEFAULT_MEMORY_BYTES).max(64 * MIB);
        let window_bytes = memory_bytes / 8;
        let inflated_bytes = memory_bytes / 4 / threads;
        let defaults = FetchLimits::default();
        Self {
            threads,
            open_pieces: threads * 2,
            fetch: FetchLimits {
                window_bytes,
                whole_piece_bytes: (window_bytes / (threads + 1)) as u64,
                chunk_bytes: defaults.chunk_bytes.min(window_bytes / 4),
                ..defaults
            },
            unpack: UnpackLimits { whole_bytes: inflated_bytes, ..UnpackLimits::default() },
            data_file_bytes: 512 * MIB as u64,
            id_hashes: memory_bytes / 16 / size_of::<u64>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stay_within_the_whole() {
        for threads in [1, 2, 8, 64] {
            for mebibytes in [64, 256, 4096] {
                let limits = Limits::new(threads, Some(mebibytes * MIB));
                let held = limits.fetch.window_bytes + limits.id_hashes * 8;
                assert!(held <= mebibytes * MIB / 4, "{threads} threads, {mebibytes} MiB");
                assert!(limits.fetch.whole_piece_bytes <= limits.fetch.window_bytes as u64);
            }
        }
    }
}
