//! What is to be done with each piece, given what an earlier run left in the destination.
//!
//! Planning reads the destination and changes nothing, so a dry run ends here.

use std::collections::HashSet;
use std::path::Path;

use super::index::{Entry, Index};
use super::{DownloadError, DownloadProgress, DownloadSummary, DownloadedFile, naming, target};
use crate::filter::{GZIP_SUFFIX, INDEX_FILE, PARTIAL_SUFFIX};
use crate::piece::{Listing, Piece};

/// What is to be done with each piece.
pub(super) struct Plan {
    /// In the order of the listing.
    pub(super) files: Vec<DownloadedFile>,
    /// Files of an earlier run whose pieces get another name now. They would be counted twice.
    pub(super) replaced: Vec<String>,
    /// Files of an earlier run whose pieces are not listed any more.
    left_over: Vec<String>,
    /// Positions of pieces whose files seem to be there, though the earlier run did not come to note it.
    pub(super) unnoted: Vec<usize>,
}

impl Plan {
    /// Compares the listing with what lies in `dest`; makes the index with which the run begins.
    pub(super) fn new(listing: &Listing, dest: &Path) -> Result<(Self, Index), DownloadError> {
        target::check_folder(dest)?;
        let earlier = Earlier::load(listing, dest)?;
        let mut index = Index::new(listing);
        let mut plan =
            Self { files: Vec::new(), replaced: Vec::new(), left_over: Vec::new(), unnoted: Vec::new() };
        for (piece, file) in listing.pieces.iter().zip(file_names(listing, dest)?) {
            let (entry, state) = earlier.entry(dest, piece, &file)?;
            if state == State::Unnoted {
                plan.unnoted.push(plan.files.len());
            }
            let is_unchanged = state == State::Unchanged;
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

    /// Removes what earlier runs left and this one does not keep: files of pieces that changed or got another name, and whatever
    /// a run that died had not finished.
    pub(super) fn clear(&self, dest: &Path) -> Result<(), DownloadError> {
        let open = self.files.iter().filter(|file| !file.is_unchanged).map(|file| &file.file);
        for file in self.replaced.iter().chain(open) {
            target::remove_file(dest, file)?;
        }
        let all = self.files.iter().map(|file| file.file.as_str());
        let earlier = self.replaced.iter().chain(&self.left_over).map(String::as_str);
        for file in all.chain(earlier).chain([INDEX_FILE]) {
            target::remove_file(dest, &format!("{file}{PARTIAL_SUFFIX}"))?;
        }
        Ok(())
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

/// How a piece's file is before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is there, and so it was noted.
    Unchanged,
    /// It was planned, and a file of its name and size is there.
    Unnoted,
    /// It is to be fetched.
    Open,
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

    /// The entry for a piece that is to be in `file`, and how that file is.
    fn entry(&self, dest: &Path, piece: &Piece, file: &str) -> Result<(Entry, State), DownloadError> {
        let known = self.index.as_ref().and_then(|index| index.pieces.get(&piece.name));
        let size_there = target::file_size(dest, file)?;
        if let Some(known) = known
            && known.file == file
            && size_there == Some(piece.size)
        {
            if known.is_unchanged(piece) {
                return Ok((known.clone(), State::Unchanged));
            }
            if known.was_planned(piece) {
                return Ok((known.clone(), State::Unnoted));
            }
        }
        if size_there.is_some() && !self.files.contains(file) {
            return Err(DownloadError::InTheWay { path: dest.join(file) });
        }
        Ok((Entry::planned(piece, file), State::Open))
    }
}
