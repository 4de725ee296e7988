//! Every number that bounds the work, derived from two that a user may set: threads and memory.

use pinlake_decode::UnpackLimits;
use pinlake_source::FetchLimits;

const MIB: usize = 1024 * 1024;

/// The memory that a conversion keeps to when nothing else is said.
const DEFAULT_MEMORY_BYTES: usize = 256 * MIB;

/// What the process holds beside the parts below: the program and its libraries, the runtime, the AWS clients, what the
/// allocator keeps in hand. A conversion of 300 endpoints peaks at 41 MB; with 80 MiB here a million of them peaked at 271 MB
/// where 268 were allowed (2026-11-24).
const PROGRAM_BYTES: usize = 96 * MIB;

/// With less than this for its parts, a conversion still works and takes more than it was allowed.
const LEAST_BYTES: usize = 24 * MIB;

/// No piece that inflates to more than this is inflated at once. Up to here libdeflate is 2 to 6 % faster than streaming; at 35 MB
/// the two are even, as what is decoded has left the cache by then, and the memory is saved (2026-11-25).
const WHOLE_BYTES: usize = 16 * MIB;

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
    /// Bytes of a row group in work, as its writer holds it, at which it is closed before it has its full length.
    pub row_group_bytes: usize,
    /// Size at which a data file is closed and the next one begun.
    pub data_file_bytes: u64,
    /// Hashes of ids held in memory, 8 bytes each, before they are put aside on the disk.
    pub id_hashes: usize,
}

impl Limits {
    /// Bounds for `threads` workers that together keep to `memory_bytes` (256 MiB when not given), the program itself
    /// included.
    ///
    /// Of what the program leaves, three sixteenths are the window of fetched bytes, seven are for inflated pieces (which is
    /// why a piece is inflated at once only up to that size over the number of threads), four for the row groups in work,
    /// one a thread, and one for hashes of ids. The last is for the blocks in work.
    #[must_use]
    pub fn new(threads: usize, memory_bytes: Option<usize>) -> Self {
        let memory_bytes = memory_bytes.unwrap_or(DEFAULT_MEMORY_BYTES);
        Self::of_parts(threads, memory_bytes.saturating_sub(PROGRAM_BYTES))
    }

    /// Bounds for `threads` workers that together keep to `parts_bytes`, in a process that has set aside what it takes itself.
    #[must_use]
    pub fn of_parts(threads: usize, parts_bytes: usize) -> Self {
        let threads = threads.max(1);
        let parts_bytes = parts_bytes.max(LEAST_BYTES);
        let window_bytes = parts_bytes * 3 / 16;
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
            unpack: UnpackLimits {
                whole_bytes: (parts_bytes * 7 / 16 / threads).min(WHOLE_BYTES),
                ..UnpackLimits::default()
            },
            row_group_bytes: parts_bytes / 4 / threads,
            data_file_bytes: 512 * MIB as u64,
            id_hashes: parts_bytes / 16 / size_of::<u64>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stay_within_the_whole() {
        for threads in [1, 2, 8, 64] {
            for mebibytes in [64, 128, 256, 4096] {
                let limits = Limits::new(threads, Some(mebibytes * MIB));
                let held = limits.fetch.window_bytes
                    + (limits.unpack.whole_bytes + limits.row_group_bytes) * threads
                    + limits.id_hashes * 8;
                let allowed = (mebibytes * MIB).max(PROGRAM_BYTES + LEAST_BYTES) - PROGRAM_BYTES;
                assert!(held <= allowed, "{threads} threads, {mebibytes} MiB");
                assert!(limits.fetch.whole_piece_bytes <= limits.fetch.window_bytes as u64);
            }
        }
    }
}
