//! Which names are pieces.
//!
//! A filter is pure: a name relative to its source goes in, "a piece" or the reason against it comes out.
//! Patterns are globs over the whole relative name, and `*` crosses slashes, so `*.gz` means every depth.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::SourceError;

/// The index that `fetch` leaves in its folder; never a piece.
pub(crate) const INDEX_FILE: &str = "fetch.json";

/// The lock on a folder while `fetch` writes to it; a hidden name, and so never a piece.
pub(crate) const LOCK_FILE: &str = ".fetch.lock";

/// What an unfinished file ends in; never a piece.
pub(crate) const PARTIAL_SUFFIX: &str = ".partial";

/// What gzip pieces end in.
pub(crate) const GZIP_SUFFIX: &str = ".gz";

/// Suffixes that exports, and what people make of them, end in.
pub(crate) const PIECE_SUFFIXES: [&str; 5] = [GZIP_SUFFIX, ".json", ".jsonl", ".ndjson", ".csv"];

/// What is taken as a piece, by name.
#[derive(Debug, Clone)]
pub struct Filter {
    include: Patterns,
    exclude: Patterns,
}

#[derive(Debug, Clone)]
struct Patterns {
    globs: Vec<String>,
    set: GlobSet,
    /// Said of a name because it is matched (`exclude`) or not (`include`).
    reason: String,
}

impl Patterns {
    fn new(globs: Vec<String>, reason: String) -> Result<Self, PatternError> {
        let mut set = GlobSetBuilder::new();
        for pattern in &globs {
            set.add(Glob::new(pattern).map_err(|source| bad_pattern(pattern, source))?);
        }
        let set = set.build().map_err(|source| bad_pattern(&globs.join(" "), source))?;
        Ok(Self { globs, set, reason })
    }
}

fn bad_pattern(pattern: &str, source: globset::Error) -> PatternError {
    PatternError { pattern: pattern.to_owned(), source }
}

/// A pattern that is no glob.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a pattern of file names")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub source: globset::Error,
}

impl Filter {
    /// A filter of one's own: a name must match one of `include` and none of `exclude`.
    pub fn new<S: AsRef<str>>(include: &[S], exclude: &[S]) -> Result<Self, SourceError> {
        let owned = |globs: &[S]| globs.iter().map(|glob| glob.as_ref().to_owned()).collect::<Vec<_>>();
        let (include, exclude) = (owned(include), owned(exclude));
        let unmatched = format!("does not match {}", include.join(", "));
        let matched = format!("matches the excluded {}", exclude.join(", "));
        Ok(Self { include: Patterns::new(include, unmatched)?, exclude: Patterns::new(exclude, matched)? })
    }

    /// What `fetch` takes unless told otherwise: `*.gz`, the form of an export's pieces.
    pub fn fetched() -> Result<Self, SourceError> {
        Self::new(&["*.gz"], &[])
    }

    /// What can be converted: gzip, JSON lines and CSV.
    pub fn converted() -> Result<Self, SourceError> {
        Self::new(&["*.gz", "*.json", "*.jsonl", "*.ndjson", "*.csv"], &[])
    }

    /// The patterns of which a name must match one.
    #[must_use]
    pub fn include(&self) -> &[String] {
        &self.include.globs
    }

    /// Why `name`, relative to its source, is no piece; `None` where it is one.
    #[must_use]
    pub fn reason_against(&self, name: &str) -> Option<&str> {
        if let Some(reason) = self.reason_against_chosen(name) {
            return Some(reason);
        }
        (!self.include.set.is_match(name)).then_some(&*self.include.reason)
    }

    /// The same for a file that was named itself: it need not match, but it may be ruled out.
    #[must_use]
    pub fn reason_against_chosen(&self, name: &str) -> Option<&str> {
        let file_name = name.rsplit('/').next().unwrap_or(name);
        if file_name.is_empty() {
            return Some("a folder marker");
        }
        if file_name == INDEX_FILE {
            return Some("the index of an earlier fetch");
        }
        if file_name.ends_with(PARTIAL_SUFFIX) {
            return Some("an unfinished file");
        }
        self.exclude.set.is_match(name).then_some(&*self.exclude.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetched_is_gzip_at_any_depth() {
        let filter = Filter::fetched().unwrap();
        for name in ["a.gz", "seg/job-1.gz", "a/b/c.json.gz", "x.csv.gz"] {
            assert_eq!(filter.reason_against(name), None, "{name}");
        }
        for name in ["a.json", "a.gz.json", "seg/", "", "a.gz.partial", "fetch.json", "GZ"] {
            assert!(filter.reason_against(name).is_some(), "{name}");
        }
        assert_eq!(filter.reason_against("a.json"), Some("does not match *.gz"));
    }

    #[test]
    fn converted_is_every_form_of_pieces() {
        let filter = Filter::converted().unwrap();
        for name in ["a.gz", "b/a.json", "a.jsonl", "a.ndjson", "a.csv", "b/a.csv.gz"] {
            assert_eq!(filter.reason_against(name), None, "{name}");
        }
        assert!(filter.reason_against("a.txt").is_some());
    }

    #[test]
    fn a_broken_pattern_is_an_error() {
        assert!(matches!(Filter::new(&["a[.gz"], &[]), Err(SourceError::Pattern(_))));
    }
}
