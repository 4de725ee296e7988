//! What a caller chooses about data files: the codec and the length of row groups. How columns are encoded follows from
//! their types and values ([`super::encode`]).

use std::fmt;
use std::str::FromStr;

/// The codec of data pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// zstd at level 1: files are a quarter smaller than with Snappy, for 60 ms of CPU more in a million endpoints
    /// (2026-11-24).
    #[default]
    Zstd,
    /// Snappy: larger and faster.
    Snappy,
    /// Pages as they are.
    None,
}

impl Compression {
    /// All codecs, in the order of their names in help texts.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Snappy, Self::None];
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::None => "none",
        })
    }
}

/// The name is none of `zstd`, `snappy`, `none`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no compression: it is one of zstd, snappy, none")]
pub struct UnknownCompression(String);

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(name: &str) -> Result<Self, UnknownCompression> {
        let found = Self::ALL.into_iter().find(|compression| compression.to_string() == name);
        found.ok_or_else(|| UnknownCompression(name.to_owned()))
    }
}

/// The level of zstd.
pub(super) const ZSTD_LEVEL: i32 = 1;

/// How data files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterOptions {
    /// The codec of data pages.
    pub compression: Compression,
    /// Rows in a row group, at least 1. A writer holds one group in memory, and a reader's threads share a file
    /// by its groups: 131,072 rows of this table are a few dozen MB encoded, and make eight groups of a million
    /// endpoints (`DuckDB`'s own groups have 122,880 rows).
    pub row_group_rows: usize,
    /// Bytes, as a writer holds them, at which a row group ends before it has its rows: it bounds what a writer takes
    /// where records are large.
    pub row_group_bytes: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            row_group_rows: 131_072,
            row_group_bytes: 128 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codecs_are_read_back() {
        for compression in Compression::ALL {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        assert!("gzip".parse::<Compression>().is_err());
    }
}
