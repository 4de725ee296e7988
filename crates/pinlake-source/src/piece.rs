//! What lies at a source: pieces to read, and what was passed over.

use std::path::PathBuf;

/// One file or object of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The object's key, the path relative to the folder (with `/` between its parts), or a single file's
    /// name. It is what the lake's column `piece` holds.
    pub name: String,
    /// The size in bytes as listed.
    pub size: u64,
    /// The `ETag` as listed, with its quotes; files have none.
    pub etag: Option<String>,
    /// Where its bytes are.
    pub location: Location,
}

/// Where the bytes of a piece are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Location {
    /// An object in S3.
    S3 {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
    /// A file.
    File(PathBuf),
}

/// Something at a source that is no piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its key or relative path.
    pub name: String,
    /// Its size in bytes; 0 for a folder.
    pub size: u64,
    /// Why it was passed over, as a fragment for people.
    pub reason: String,
}

/// Everything found at one source, in the order of names (by bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The source as people write it: `s3://bucket/prefix/`, a folder, a file.
    pub source: String,
    /// What every piece's name begins with and what adds nothing to it: an S3 prefix with its final slash,
    /// or nothing.
    pub prefix: String,
    /// The pieces.
    pub pieces: Vec<Piece>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
}

impl Listing {
    /// A piece's name without the prefix of its source.
    #[must_use]
    pub fn relative_name<'a>(&self, piece: &'a Piece) -> &'a str {
        piece.name.strip_prefix(&self.prefix).unwrap_or(&piece.name)
    }

    /// The bytes of all pieces.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.size).sum()
    }
}
