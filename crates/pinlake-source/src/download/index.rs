//! `fetch.json`: which file is which piece.
//!
//! ```json
//! {"tool": "pinlake 0.1.0", "source": "s3://bucket/prefix/",
//!  "pieces": {"prefix/a.gz": {"file": "a.gz", "size": 1, "etag": "\"…\"", "sha256": "…"}},
//!  "skipped": [{"key": "prefix/readme.txt", "size": 1, "reason": "does not match *.gz"}]}
//! ```
//!
//! An entry without `sha256` is planned and not known to be there. Before it is saved, another file of its name is removed, so a
//! file of that name is the piece. The file is replaced as a whole, by a rename.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{DownloadError, index_path, target};
use crate::fetch::PieceFacts;
use crate::filter::PARTIAL_SUFFIX;
use crate::piece::{Listing, Piece};

/// The shortest time between two saves; what a kill makes undone is as much as came in it.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// Saving takes at most this share of the time (one part in so many), however long the index has grown.
const SAVE_SHARE: u32 = 20;

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Index {
    tool: String,
    /// The source as people write it.
    pub(super) source: String,
    /// By the pieces' names.
    pub(super) pieces: BTreeMap<String, Entry>,
    skipped: Vec<SkippedEntry>,
}

/// One piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Relative to the destination, with `/`.
    pub(super) file: String,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// Of the file's bytes, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SkippedEntry {
    key: String,
    size: u64,
    reason: String,
}

impl Index {
    /// An index without pieces for what was listed.
    pub(super) fn new(listing: &Listing) -> Self {
        let skipped = listing.skipped.iter().map(|it| SkippedEntry {
            key: it.name.clone(),
            size: it.size,
            reason: it.reason.clone(),
        });
        Self {
            tool: concat!("pinlake ", env!("CARGO_PKG_VERSION")).to_owned(),
            source: listing.source.clone(),
            pieces: BTreeMap::new(),
            skipped: skipped.collect(),
        }
    }

    /// The index that an earlier run left, if there was one.
    pub(super) fn load(dest: &Path) -> Result<Option<Self>, DownloadError> {
        let path = index_path(dest);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(DownloadError::Write { path, cause }),
        };
        let index = serde_json::from_slice(&bytes);
        index.map(Some).map_err(|cause| DownloadError::DamagedIndex { path, cause })
    }
}

impl Entry {
    /// An entry for a file that is to come.
    pub(super) fn planned(piece: &Piece, file: &str) -> Self {
        Self { file: file.to_owned(), size: piece.size, etag: piece.etag.clone(), sha256: None }
    }

    /// Whether an earlier run was about to write just this piece, and had not noted that it is there.
    pub(super) fn was_planned(&self, piece: &Piece) -> bool {
        self.sha256.is_none() && self.size == piece.size && self.etag == piece.etag
    }

    /// Notes the file's hash: it is there.
    pub(super) fn is_there(&mut self, facts: PieceFacts) {
        self.sha256 = Some(facts.sha256);
    }

    /// Whether the file was complete and the piece is still the same.
    pub(super) fn is_unchanged(&self, piece: &Piece) -> bool {
        self.sha256.is_some() && self.size == piece.size && self.etag == piece.etag
    }
}

/// The file while a download runs.
pub(super) struct IndexFile {
    dest: PathBuf,
    index: Index,
    /// Folders with files or folders that have come into them since the last save.
    unsynced: BTreeSet<PathBuf>,
    next_save: Instant,
}

impl IndexFile {
    /// Saves the plan: files it names are ours from here on.
    pub(super) fn create(dest: &Path, index: Index) -> Result<Self, DownloadError> {
        let next_save = Instant::now() + SAVE_INTERVAL;
        let mut file = Self { dest: dest.to_owned(), index, unsynced: BTreeSet::new(), next_save };
        file.save()?;
        Ok(file)
    }

    /// Notes that a piece is on the disk.
    pub(super) fn note(&mut self, name: &str, file: &str, facts: PieceFacts) {
        if let Some(entry) = self.index.pieces.get_mut(name) {
            entry.is_there(facts);
        }
        // The folders on the way may be new as well. The destination is synced with every save.
        for (end, _) in file.match_indices('/') {
            self.unsynced.insert(self.dest.join(&file[..end]));
        }
    }

    /// Saves when the last time is long enough ago.
    pub(super) fn save_now_and_then(&mut self) -> Result<(), DownloadError> {
        if Instant::now() >= self.next_save { self.save() } else { Ok(()) }
    }

    /// Saves: first the names of the files it speaks of are made to last, then the index takes its place.
    pub(super) fn save(&mut self) -> Result<(), DownloadError> {
        let began = Instant::now();
        while let Some(folder) = self.unsynced.pop_first() {
            target::sync_folder(&folder)?;
        }
        let path = index_path(&self.dest);
        let mut partial = path.clone().into_os_string();
        partial.push(PARTIAL_SUFFIX);
        let partial = PathBuf::from(partial);
        self.write(&partial).map_err(|cause| DownloadError::Write { path: partial.clone(), cause })?;
        std::fs::rename(&partial, &path).map_err(|cause| DownloadError::Write { path, cause })?;
        target::sync_folder(&self.dest)?;
        self.next_save = Instant::now() + SAVE_INTERVAL.max(began.elapsed() * SAVE_SHARE);
        Ok(())
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        // A new file, so that a link of this name is not written through.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::io::BufWriter::new(target::create_new(path)?);
        serde_json::to_writer_pretty(&mut file, &self.index)?;
        file.write_all(b"\n")?;
        file.into_inner()?.sync_all()
    }
}
