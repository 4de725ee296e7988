//! The numbers that bound pages, dictionaries and the buffers that are kept.

/// When a page is full, and when a dictionary is given up.
#[derive(Debug, Clone, Copy)]
pub(in crate::writer) struct Limits {
    /// Rows of a page: four pages to a row group of 131,072. With 20,000, as most writers have it, files were 0.4 %
    /// larger under zstd, and with twice as many no smaller (2026-11-24).
    pub(in crate::writer) page_rows: usize,
    /// Bytes after which a page is full, however few rows it has.
    pub(in crate::writer) page_bytes: usize,
    /// The largest dictionary page: readers hold it while they read the chunk, and it should stay in a core's cache.
    pub(in crate::writer) dictionary_bytes: usize,
    /// Values after which it can be said whether they repeat: a dictionary with more than half as many entries is of
    /// no use.
    pub(in crate::writer) judged_after: usize,
    /// Row groups without a dictionary after one that outgrew its use, until it is tried again.
    pub(in crate::writer) plain_groups: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_rows: 32_768,
            page_bytes: 1 << 20,
            dictionary_bytes: 1 << 20,
            judged_after: 16_384,
            plain_groups: 8,
        }
    }
}

/// The largest buffer that is kept for the next page or row group: several times what those of usual columns take. What one long
/// text has grown is given back, or each column in turn would keep as much.
pub(super) const KEPT_BYTES: usize = 8 << 20;

/// Empties a buffer, and gives its memory back where it has grown beyond what is usual.
pub(super) fn empty<T>(buffer: &mut Vec<T>) {
    buffer.clear();
    if buffer.capacity() * size_of::<T>() > KEPT_BYTES {
        *buffer = Vec::new();
    }
}
