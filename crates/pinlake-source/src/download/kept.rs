//! Files that a run which died had put in place and not yet noted.
//!
//! A file gets its name when it is whole and synced, and an index that plans a piece is saved only after other files of that name
//! are gone. So a file under a planned name is the piece, if piece and listing agree. Its SHA-256 is computed for the index, and its
//! MD5 is held against the `ETag` where that is one: a file that was meddled with is fetched again.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::index::Index;
use super::plan::Plan;
use super::{DownloadError, target};
use crate::fetch::{PieceDigest, PieceFacts, md5_of_etag};
use crate::piece::{Listing, Piece};

/// How much is read at a time.
const STEP_BYTES: usize = 256 * 1024;

/// Takes what is there for done, in the plan and in the index.
pub(super) async fn adopt(
    listing: &Listing,
    dest: &Path,
    plan: &mut Plan,
    index: &mut Index,
) -> Result<(), DownloadError> {
    for at in std::mem::take(&mut plan.unnoted) {
        let piece = &listing.pieces[at];
        let file = &mut plan.files[at];
        let (dest, name, owned) = (dest.to_owned(), file.file.clone(), piece.clone());
        let read = tokio::task::spawn_blocking(move || facts_of(&dest, &name, &owned)).await;
        let facts = read.map_err(|_| DownloadError::Aborted { piece: piece.name.clone() })?;
        if let Some(facts) = facts?
            && let Some(entry) = index.pieces.get_mut(&piece.name)
        {
            entry.is_there(facts);
            file.is_unchanged = true;
        }
    }
    Ok(())
}

/// The facts of a file; `None` where it is not what the piece is.
fn facts_of(dest: &Path, name: &str, piece: &Piece) -> Result<Option<PieceFacts>, DownloadError> {
    if target::is_blocked(dest, name)? {
        return Ok(None);
    }
    let path = dest.join(name);
    let expected_md5 = piece.etag.as_deref().and_then(md5_of_etag);
    let mut digest = PieceDigest::new(expected_md5.is_some());
    let mut read = || {
        let mut file = File::open(&path)?;
        let mut step = vec![0; STEP_BYTES];
        let mut bytes = 0;
        loop {
            let count = file.read(&mut step)?;
            if count == 0 {
                return std::io::Result::Ok(bytes);
            }
            digest.update(&step[..count]);
            bytes += count as u64;
        }
    };
    let bytes = read().map_err(|cause| DownloadError::Write { path: path.clone(), cause })?;
    let digested = digest.finish();
    let is_it = bytes == piece.size && digested.md5 == expected_md5;
    Ok(is_it.then_some(digested.facts))
}
