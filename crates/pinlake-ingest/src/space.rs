//! Whether the lake's disk has room for a conversion, asked before it begins.
//!
//! How much Parquet will be written is not known before it is. Of an export in gzip it is some six tenths of the bytes as stored, so a
//! disk with less than half of that is refused, and nothing else: an estimate must not keep anybody from what would have
//! worked. Where the disk fills up all the same, the write that fails ends the conversion with nothing published.

use std::path::Path;

use pinlake_decode::PieceFormat;
use pinlake_source::{Piece, free_bytes};

use crate::error::IngestError;
use crate::plan::Plan;

/// Bytes of Parquet for a hundred bytes of gzip, as 300,000 endpoints gave them with zstd: 26 MB for 45 MB (2026-11-25). Other codecs write more.
const PARQUET_PER_HUNDRED: u64 = 58;
/// Text is some ten times as long as its gzip.
const TEXT_PER_GZIP: u64 = 10;

/// Refuses a plan of more than the lake's disk could hold, before the lake is touched; one that goes on from an interrupted run is judged by
/// [`check_left`].
pub(crate) fn check_whole(plan: &Plan) -> Result<(), IngestError> {
    if plan.is_resumed { Ok(()) } else { check(&plan.request.lake, plan.pieces.iter()) }
}

/// Refuses to go on from an interrupted run where the pieces that are `left`, by their index, need more than the disk has.
pub(crate) fn check_left(plan: &Plan, left: &[usize]) -> Result<(), IngestError> {
    if !plan.is_resumed {
        return Ok(());
    }
    check(&plan.request.lake, left.iter().filter_map(|index| plan.pieces.get(*index)))
}

/// Refuses a conversion into `lake` of more than its disk could hold; `pieces` are those that are to be read, without what an
/// interrupted run has done. Where the system does not tell, nothing is refused.
fn check<'p>(lake: &Path, pieces: impl Iterator<Item = &'p Piece>) -> Result<(), IngestError> {
    let needed_bytes = needed_bytes(pieces);
    match free_bytes(lake) {
        Some((path, free_bytes)) if free_bytes < needed_bytes => {
            Err(IngestError::NoRoom { path, needed_bytes, free_bytes })
        }
        _ => Ok(()),
    }
}

/// The least that these pieces are likely to take: half of what they usually do.
fn needed_bytes<'p>(pieces: impl Iterator<Item = &'p Piece>) -> u64 {
    let gzip_bytes = |piece: &Piece| match PieceFormat::of_name(&piece.name) {
        PieceFormat::Gzip => piece.size,
        PieceFormat::Detect => piece.size / TEXT_PER_GZIP,
    };
    let stored_bytes = pieces.map(gzip_bytes).fold(0, u64::saturating_add);
    (stored_bytes / 100).saturating_mul(PARQUET_PER_HUNDRED) / 2
}

#[cfg(test)]
mod tests {
    use pinlake_source::Location;

    use super::*;

    fn piece(name: &str, size: u64) -> Piece {
        Piece { name: name.into(), size, etag: None, location: Location::File(name.into()) }
    }

    #[test]
    fn what_is_needed_is_half_of_what_pieces_usually_take() {
        let needed = |pieces: &[Piece]| needed_bytes(pieces.iter());
        assert_eq!(needed(&[]), 0);
        assert_eq!(needed(&[piece("a.gz", 1_000_000), piece("b.GZ", 1_000_000)]), 580_000);
        assert_eq!(needed(&[piece("a.json", 1_000_000)]), 29_000);
        assert!(needed(&[piece("a.gz", u64::MAX), piece("b.gz", u64::MAX)]) > u64::MAX / 4);
    }

    #[test]
    fn more_than_any_disk_holds_is_refused_and_the_disk_named() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("not/there/yet");
        check(&lake, [piece("a.gz", 1_000)].iter()).unwrap();
        let error = check(&lake, [piece("a.gz", 1 << 62)].iter()).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Resource);
        let half_done = [piece("done.gz", 1 << 62), piece("left.gz", 1_000)];
        check(&lake, half_done[1..].iter()).unwrap();
        assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
        assert!(!lake.exists());
    }
}
