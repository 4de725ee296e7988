//! `s3://bucket/prefix`, as it is written on command lines and in export jobs.
//!
//! The prefix is kept as it was written (S3 keys are plain text: no percent decoding, no `..`). For listing it
//! is taken as a folder: `s3://b/2025-02-1` means the keys under `2025-02-1/`, because a bare prefix would
//! match the sibling `2025-02-12/` too.

use std::fmt;
use std::str::FromStr;

/// A bucket and a prefix (or key) in it; the prefix may be empty, which is the whole bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Url {
    bucket: String,
    prefix: String,
}

/// A word that is no S3 URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3UrlError {
    /// It does not begin with `s3://`.
    #[error("`{word}` is not an S3 URL: write it as s3://bucket/prefix/")]
    NoScheme {
        /// What was given.
        word: String,
    },
    /// The bucket's name is none that S3 allows.
    #[error("`{word}` names no bucket: a bucket's name has 3 to 63 letters, digits, dots, hyphens")]
    BadBucket {
        /// What was given.
        word: String,
    },
}

impl S3Url {
    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What follows the bucket, as written and without the slash before it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The prefix as a folder: empty, or ending in a slash.
    #[must_use]
    pub fn folder_prefix(&self) -> String {
        if self.prefix.is_empty() || self.prefix.ends_with('/') {
            self.prefix.clone()
        } else {
            format!("{}/", self.prefix)
        }
    }
}

impl FromStr for S3Url {
    type Err = S3UrlError;

    fn from_str(word: &str) -> Result<Self, S3UrlError> {
        let rest =
            word.strip_prefix("s3://").ok_or_else(|| S3UrlError::NoScheme { word: word.to_owned() })?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_allowed) {
            return Err(S3UrlError::BadBucket { word: word.to_owned() });
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_folder() {
        let url: S3Url = "s3://exports/2025-02-1".parse().unwrap();
        assert_eq!((url.bucket(), url.prefix()), ("exports", "2025-02-1"));
        assert_eq!(url.folder_prefix(), "2025-02-1/");
        let url: S3Url = "s3://exports/a b%20/".parse().unwrap();
        assert_eq!(url.folder_prefix(), "a b%20/");
        assert_eq!(url.to_string(), "s3://exports/a b%20/");
    }

    #[test]
    fn a_bucket_alone_is_the_whole_bucket() {
        for word in ["s3://exports", "s3://exports/"] {
            let url: S3Url = word.parse().unwrap();
            assert_eq!(url.folder_prefix(), "");
            assert_eq!(url.to_string(), "s3://exports/");
        }
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["", "s3:/b/p", "S3://bucket/p", "https://b.s3.amazonaws.com/p", "gs://bucket/p"] {
            assert!(matches!(word.parse::<S3Url>(), Err(S3UrlError::NoScheme { .. })), "{word}");
        }
        for word in ["s3://", "s3:///p", "s3://ab/p", "s3://a b c/p", "s3://b\u{e9}b\u{e9}/p"] {
            assert!(matches!(word.parse::<S3Url>(), Err(S3UrlError::BadBucket { .. })), "{word}");
        }
    }
}
