//! The numbers that bound pages and dictionaries.

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
