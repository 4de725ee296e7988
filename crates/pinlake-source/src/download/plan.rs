//! What is to be done with each piece, given what an earlier run left in the destination.
//!
//! Planning reads the destination and changes nothing, so a dry run ends here.

use std::collections::HashSet;
use std::path::Path;

use super::index::{Entry, Index};
use super::{DownloadError, DownloadProgress, DownloadSummary, DownloadedFile, naming, target};
use crate::filter::GZIP_SUFFIX;
use crate::piece::{Listing, Piece};

/// What is to be done with each piece.
pub(super) struct Plan {
    /// In the order of the listing.
    pub(super) files: Vec<DownloadedFile>,
    /// Files of an earlier run whose pieces get another name now. They would be counted twice.
    pub(super) replaced: Vec<String>,
    /// Files of an earlier run whose pieces are not listed any more.
    left_over: Vec<String>,
}

impl Plan {
    /// Compares the listing with what lies in `dest`; makes the index with which the run begins.
    pub(super) fn new(listing: &Listing, dest: &Path) -> Result<(Self, Index), DownloadError> {
        target::check_folder(dest)?;
        let earlier = Earlier::load(listing, dest)?;
        let mut index = Index::new(listing);
        let mut plan = Self { files: Vec::new(), replaced: Vec::new(), left_over: Vec::new() };
        for (piece, file) in listing.pieces.iter().zip(file_names(listing, dest)?) {
            let (entry, is_unchanged) = earlier.entry(dest, piece, &file)?;
            index.pieces.insert(piece.name.clone(), entry);
            let is_renamed = file != listing.relative_name(piece);
            let (name, size) = (piece.name.clone(), piece.size);
            plan.files.push(DownloadedFile { name, file, size, is_unchanged, is_renamed });
        }
        let now: HashSet<&str> = plan.files.iter().map(|file| file.file.as_str()).collect();
        for (name, entry) in earlier.index.into_iter().flat_map(|index| index.pieces) {
            match index.pieces.get(&name) {
                Some(new) if new.file == entry.file || now.contains(entry.file.as_str()) => {}
                Some(_) => plan.replaced.push(entry.file),
                None => {
                    plan.left_over.push(entry.file.clone());
                    index.pieces.insert(name, entry);
                }
            }
        }
        Ok((plan, index))
    }

    /// The positions of the pieces to fetch.
    pub(super) fn to_fetch(&self) -> Vec<usize> {
        let open = self.files.iter().enumerate().filter(|(_, file)| !file.is_unchanged);
        open.map(|(at, _)| at).collect()
    }

    /// How far the run is before it has done anything.
    pub(super) fn progress(&self) -> DownloadProgress {
        let done = || self.files.iter().filter(|file| file.is_unchanged);
        DownloadProgress {
            pieces_done: done().count(),
            pieces_total: self.files.len(),
            bytes_done: done().map(|file| file.size).sum(),
            bytes_total: self.files.iter().map(|file| file.size).sum(),
        }
    }

    /// What the run will have done at its end.
    pub(super) fn summary(&self, listing: &Listing) -> DownloadSummary {
        let open = || self.files.iter().filter(|file| !file.is_unchanged);
        let empty = self.files.iter().filter(|file| file.size == 0 && file.file.ends_with(GZIP_SUFFIX));
        let mut warnings: Vec<String> =
            empty.map(|file| format!("{:?} is empty, which no gzip file is", file.name)).collect();
        let left_over =
            self.left_over.iter().map(|file| format!("{file:?} is of an earlier run and no longer listed"));
        warnings.extend(left_over);
        DownloadSummary {
            files: self.files.clone(),
            fetched: open().count(),
            fetched_bytes: open().map(|file| file.size).sum(),
            unchanged: self.files.len() - open().count(),
            skipped: listing.skipped.len(),
            warnings,
        }
    }
}

/// A file name for each piece: safe by itself, and not blocked by a link or a folder in the destination.
fn file_names(listing: &Listing, dest: &Path) -> Result<Vec<String>, DownloadError> {
    let relative: Vec<&str> = listing.pieces.iter().map(|piece| listing.relative_name(piece)).collect();
    let mut names = naming::file_names(&relative);
    for (name, relative) in names.iter_mut().zip(relative) {
        if target::is_blocked(dest, name)? {
            *name = naming::safe_name(relative);
        }
    }
    Ok(names)
}

/// What an earlier run left.
struct Earlier {
    index: Option<Index>,
    /// The files it wrote or was about to write; these and no others may be replaced.
    files: HashSet<String>,
}

impl Earlier {
    fn load(listing: &Listing, dest: &Path) -> Result<Self, DownloadError> {
        let index = Index::load(dest)?;
        if let Some(index) = &index
            && index.source != listing.source
        {
            let (theirs, ours) = (index.source.clone(), listing.source.clone());
            return Err(DownloadError::OtherSource { dest: dest.to_owned(), theirs, ours });
        }
        let entries = index.iter().flat_map(|index| index.pieces.values());
        let files = entries.map(|entry| entry.file.clone()).collect();
        Ok(Self { index, files })
    }

    /// The entry for a piece that is to be in `file`, and whether it is there already.
    fn entry(&self, dest: &Path, piece: &Piece, file: &str) -> Result<(Entry, bool), DownloadError> {
        let known = self.index.as_ref().and_then(|index| index.pieces.get(&piece.name));
        let size_there = target::file_size(dest, file)?;
        if let Some(known) = known
            && known.file == file
            && known.is_unchanged(piece)
            && size_there == Some(piece.size)
        {
            return Ok((known.clone(), true));
        }
        if size_there.is_some() && !self.files.contains(file) {
            return Err(DownloadError::InTheWay { path: dest.join(file) });
        }
        Ok((Entry::planned(piece, file), false))
    }
}
