//! The pieces in a folder and below it, or one file.
//!
//! A symbolic link to a file counts as that file: people gather pieces by links. A link to a folder is not
//! entered (it may lead in a circle) and is listed as skipped. Names that begin with `.` or `_` are hidden, as
//! Spark and Hive have it (`_SUCCESS`, `_delta_log`, macOS's `._x.gz`), and neither a hidden folder nor a lake is entered.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::{ListingError, no_pieces};
use crate::filter::{Filter, LOCK_FILE};
use crate::piece::{Listing, Location, Piece, Skipped};

/// Lists `path` on a thread of its own, because file systems block.
pub(super) async fn list(path: &Path, filter: &Filter) -> Result<Listing, ListingError> {
    let (owned, filter) = (path.to_owned(), filter.clone());
    let walk = tokio::task::spawn_blocking(move || list_blocking(&owned, &filter));
    walk.await.unwrap_or_else(|error| Err(unreadable(path)(std::io::Error::other(error))))
}

fn list_blocking(path: &Path, filter: &Filter) -> Result<Listing, ListingError> {
    let facts = fs::metadata(path).map_err(unreadable(path))?;
    if !facts.is_dir() {
        return single(path, &facts, filter);
    }
    let mut walk = Walk { filter, pieces: Vec::new(), skipped: Vec::new() };
    walk.folder(path, "")?;
    let Walk { mut pieces, mut skipped, .. } = walk;
    let place = path.display().to_string();
    if pieces.is_empty() && skipped.is_empty() {
        return Err(ListingError::EmptyFolder { place });
    }
    pieces.sort_by(|a, b| a.name.cmp(&b.name));
    skipped.sort_by(|a, b| a.name.cmp(&b.name));
    if pieces.is_empty() {
        return Err(no_pieces(place, &skipped, filter));
    }
    Ok(Listing { source: place, prefix: String::new(), pieces, skipped })
}

/// A file that was named itself needs no suffix.
fn single(path: &Path, facts: &fs::Metadata, filter: &Filter) -> Result<Listing, ListingError> {
    let name = path.file_name().unwrap_or_default().to_str();
    let name = name.ok_or_else(|| ListingError::NotUtf8 { path: path.to_owned() })?;
    let reason =
        if facts.is_file() { filter.reason_against_chosen(name) } else { Some("not a regular file") };
    if let Some(reason) = reason {
        return Err(ListingError::NotAPiece { path: path.to_owned(), reason: reason.to_owned() });
    }
    let piece = file_piece(name.to_owned(), facts.len(), path.to_owned());
    let source = path.display().to_string();
    Ok(Listing { source, prefix: String::new(), pieces: vec![piece], skipped: Vec::new() })
}

/// Whether a folder is a lake: its manifests and rejects are JSON, and no pieces.
fn is_lake(folder: &Path) -> bool {
    folder.join("endpoints").join("_delta_log").is_dir()
}

fn file_piece(name: String, size: u64, path: PathBuf) -> Piece {
    Piece { name, size, etag: None, location: Location::File(path) }
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> ListingError {
    let path = path.to_owned();
    move |cause| ListingError::Path { path, cause }
}

/// What a walk has found so far.
struct Walk<'a> {
    filter: &'a Filter,
    pieces: Vec<Piece>,
    skipped: Vec<Skipped>,
}

impl Walk<'_> {
    /// Walks a folder and those below it without recursion, so that no depth of folders is too deep.
    fn folder(&mut self, root: &Path, root_name: &str) -> Result<(), ListingError> {
        let mut to_do = vec![(root.to_owned(), root_name.to_owned())];
        while let Some((folder, prefix)) = to_do.pop() {
            for entry in fs::read_dir(&folder).map_err(unreadable(&folder))? {
                let entry = entry.map_err(unreadable(&folder))?;
                if let Some(below) = self.entry(&entry, &prefix)? {
                    to_do.push(below);
                }
            }
        }
        Ok(())
    }

    /// Sorts one entry; a folder to enter is returned with the prefix of the names in it.
    fn entry(&mut self, entry: &DirEntry, prefix: &str) -> Result<Option<(PathBuf, String)>, ListingError> {
        let path = entry.path();
        let file_name = entry.file_name();
        let Some(own_name) = file_name.to_str() else {
            return Err(ListingError::NotUtf8 { path });
        };
        let name = format!("{prefix}{own_name}");
        let kind = entry.file_type().map_err(unreadable(&path))?;
        let Ok(facts) = fs::metadata(&path) else {
            // Only a link may point nowhere; anything else that cannot be looked at is an error.
            fs::read_link(&path).map_err(unreadable(&path))?;
            self.skip(name, 0, "a link that leads nowhere");
            return Ok(None);
        };
        let size = if facts.is_file() { facts.len() } else { 0 };
        if own_name == LOCK_FILE {
            // A fetch that is under way, or was killed: nothing that anyone put there.
        } else if own_name.starts_with(['.', '_']) {
            self.skip(name, size, "hidden");
        } else if kind.is_dir() && is_lake(&path) {
            self.skip(name, 0, "a lake");
        } else if kind.is_dir() {
            return Ok(Some((path, format!("{name}/"))));
        } else if facts.is_dir() {
            self.skip(name, 0, "a link to a folder");
        } else if !facts.is_file() {
            self.skip(name, 0, "not a regular file");
        } else if let Some(reason) = self.filter.reason_against(&name) {
            let reason = reason.to_owned();
            self.skip(name, size, reason);
        } else {
            self.pieces.push(file_piece(name, size, path));
        }
        Ok(None)
    }

    fn skip(&mut self, name: String, size: u64, reason: impl Into<String>) {
        self.skipped.push(Skipped { name, size, reason: reason.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn write(root: &Path, name: &str, bytes: &[u8]) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn names(listing: &Listing) -> Vec<&str> {
        listing.pieces.iter().map(|piece| piece.name.as_str()).collect()
    }

    #[tokio::test]
    async fn a_lake_beside_the_pieces_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a.gz", b"x");
        write(root.path(), "lake/endpoints/_delta_log/0.json", b"{}");
        write(root.path(), "lake/runs/1/run.json", b"{}");
        let listing = list(root.path(), &Filter::converted().unwrap()).await.unwrap();
        assert_eq!(names(&listing), ["a.gz"]);
        assert_eq!(listing.skipped[0].reason, "a lake");
    }

    #[tokio::test]
    async fn a_folder_is_listed_to_its_depths_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.gz", "a/z.json", "a.gz", "a/b/c.ndjson", "B.gz", "a-b.gz", "t.csv"] {
            write(folder.path(), name, b"xy");
        }
        for name in ["readme.txt", ".hidden.gz", "_SUCCESS", "a/_t/x.gz", "x.gz.partial", "fetch.json"] {
            write(folder.path(), name, b"");
        }
        let listing = list(folder.path(), &Filter::converted().unwrap()).await.unwrap();
        assert_eq!(names(&listing), ["B.gz", "a-b.gz", "a.gz", "a/b/c.ndjson", "a/z.json", "b.gz", "t.csv"]);
        assert!(listing.pieces.iter().all(|piece| piece.size == 2 && piece.etag.is_none()));
        let skipped: Vec<_> = listing.skipped.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(skipped, [".hidden.gz", "_SUCCESS", "a/_t", "fetch.json", "readme.txt", "x.gz.partial"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_to_files_are_followed_and_others_named() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        write(elsewhere.path(), "real.gz", b"abc");
        symlink(elsewhere.path().join("real.gz"), folder.path().join("linked.gz")).unwrap();
        symlink(folder.path(), folder.path().join("circle")).unwrap();
        symlink("nowhere", folder.path().join("broken.gz")).unwrap();
        let listing = list(folder.path(), &Filter::fetched().unwrap()).await.unwrap();
        assert_eq!(names(&listing), ["linked.gz"]);
        assert_eq!(listing.pieces[0].size, 3);
        assert_eq!(listing.skipped.len(), 2);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_name_that_is_not_utf8_is_an_error() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let name = std::ffi::OsStr::from_bytes(b"a\xff.gz");
        fs::write(folder.path().join(name), b"").unwrap();
        let error = list(folder.path(), &Filter::fetched().unwrap()).await.unwrap_err();
        assert!(matches!(error, ListingError::NotUtf8 { .. }));
    }

    #[tokio::test]
    async fn places_without_pieces_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let filter = Filter::converted().unwrap();
        let error = list(folder.path(), &filter).await.unwrap_err();
        assert!(matches!(error, ListingError::EmptyFolder { .. }) && error.is_without_pieces());

        write(folder.path(), "notes.txt", b"");
        let error = list(folder.path(), &filter).await.unwrap_err();
        assert!(error.is_without_pieces());
        assert!(error.to_string().contains("notes.txt"), "{error}");

        let error = list(&folder.path().join("absent"), &filter).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }

    #[tokio::test]
    async fn a_single_file_needs_no_suffix() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "endpoints.txt", b"{}");
        let filter = Filter::converted().unwrap();
        let listing = list(&folder.path().join("endpoints.txt"), &filter).await.unwrap();
        assert_eq!(names(&listing), ["endpoints.txt"]);
        write(folder.path(), "a.gz.partial", b"");
        let error = list(&folder.path().join("a.gz.partial"), &filter).await.unwrap_err();
        assert!(matches!(error, ListingError::NotAPiece { .. }), "{error}");
    }
}
