//! Which pieces there are: under an S3 prefix, in a folder, or one by itself.
//!
//! A listing is complete or an error, each thing is in it once, and its order is that of the names' bytes
//! whatever the server or the file system says first. What is no piece is listed too, with the reason: nothing
//! at a source is passed over in silence.

mod bucket;
mod folder;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::aws::Aws;
use crate::error::{ErrorKind, SourceError, io_error_kind};
use crate::failure::RequestFailure;
use crate::filter::Filter;
use crate::piece::{Listing, Skipped};
use crate::s3url::S3Url;

/// How many skipped names an error quotes.
const EXAMPLES: usize = 3;

/// Where pieces are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A prefix (or one key) in a bucket.
    S3(S3Url),
    /// A folder or a file.
    Path(PathBuf),
}

/// What keeps a source from being listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListingError {
    /// A scheme that pinlake does not read.
    #[error("cannot read from `{word}`: give an s3:// URL, a folder or a file")]
    UnknownScheme {
        /// What was given.
        word: String,
    },
    /// An S3 source without a connection to AWS.
    #[error("no connection to list s3://{bucket}/{prefix} with")]
    NotConnected {
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
    },
    /// The bucket does not exist.
    #[error("no such bucket: {bucket} (looked for s3://{bucket}/{prefix})")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
    },
    /// The bucket may not be listed; the cause says what was refused.
    #[error("may not list s3://{bucket}/{prefix}: s3:ListBucket on the bucket is needed")]
    Denied {
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
        /// What the service said.
        #[source]
        cause: RequestFailure,
    },
    /// The bucket could not be listed, after retries.
    #[error("cannot list s3://{bucket}/{prefix} (attempts: {attempts})")]
    Request {
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
        /// How many times it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        cause: RequestFailure,
    },
    /// The server gave the same continuation token twice, so the listing would never end.
    #[error("the listing of s3://{bucket}/{prefix} repeats a continuation token")]
    RepeatedToken {
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
    },
    /// The server said that there is more and not how to get it, or it listed something that cannot be.
    #[error("the listing of s3://{bucket}/{prefix} cannot be trusted: {fault}")]
    Unsound {
        /// The bucket.
        bucket: String,
        /// The prefix.
        prefix: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// No object lies under the prefix.
    #[error("nothing lies under {place}: check the prefix, and that the export job has completed")]
    NothingUnderPrefix {
        /// The prefix as a URL.
        place: String,
    },
    /// The folder is empty.
    #[error("the folder {place} is empty")]
    EmptyFolder {
        /// The folder.
        place: String,
    },
    /// There are things, but none is a piece.
    #[error("no piece in {place}: {skipped} other files are there{examples}; pieces end in {wanted}")]
    NoPieces {
        /// The source.
        place: String,
        /// How many things were passed over.
        skipped: usize,
        /// A few of them with the reasons, ready to print: ` (a: reason; b: reason)`.
        examples: String,
        /// What a piece's name ends in.
        wanted: String,
    },
    /// The file that was named cannot be read as a piece.
    #[error("{path} is no piece: {reason}")]
    NotAPiece {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A path whose name is not UTF-8 cannot be told in the lake.
    #[error("the name of {path} is not UTF-8: rename it")]
    NotUtf8 {
        /// The path, as far as it can be shown.
        path: PathBuf,
    },
    /// A folder or file cannot be looked at.
    #[error("cannot read {path}")]
    Path {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        cause: std::io::Error,
    },
}

impl ListingError {
    /// What the error means for the one who gave the command.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Denied { cause, .. } | Self::Request { cause, .. } => cause.error_kind(),
            Self::RepeatedToken { .. } | Self::Unsound { .. } => ErrorKind::Integrity,
            Self::NotConnected { .. } => ErrorKind::Unexpected,
            Self::Path { cause, .. } => io_error_kind(cause),
            _ => ErrorKind::Usage,
        }
    }

    /// Whether the source is there and readable, and simply holds no piece. An export of a segment without
    /// members ends like this, and a caller who knows the job to be complete may take it for zero rows.
    #[must_use]
    pub fn is_without_pieces(&self) -> bool {
        matches!(self, Self::NothingUnderPrefix { .. } | Self::EmptyFolder { .. } | Self::NoPieces { .. })
    }
}

impl Source {
    /// Whether listing it takes a connection to S3.
    #[must_use]
    pub fn is_s3(&self) -> bool {
        matches!(self, Self::S3(_))
    }

    /// Everything at the source, sorted out by `filter`. An S3 source needs `aws`; a path does not.
    /// A source without a single piece is an error, for which [`ListingError::is_without_pieces`] holds.
    pub async fn list(&self, aws: Option<&Aws>, filter: &Filter) -> Result<Listing, SourceError> {
        match self {
            Self::S3(url) => {
                let aws = aws.ok_or_else(|| ListingError::NotConnected {
                    bucket: url.bucket().to_owned(),
                    prefix: url.prefix().to_owned(),
                })?;
                bucket::list(aws, url, filter).await
            }
            Self::Path(path) => Ok(folder::list(path, filter).await?),
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    /// A word of the command line: `s3://…`, or else a path. Other schemes are refused rather than looked for
    /// as a file of that name.
    fn from_str(word: &str) -> Result<Self, SourceError> {
        if word.starts_with("s3://") {
            return Ok(Self::S3(word.parse()?));
        }
        let is_scheme = |scheme: &str| {
            scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'))
        };
        if word.is_empty() || word.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) {
            return Err(ListingError::UnknownScheme { word: word.to_owned() }.into());
        }
        Ok(Self::Path(PathBuf::from(word)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(url) => url.fmt(f),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// The error for a source at which `skipped` lies and no piece.
fn no_pieces(place: String, skipped: &[Skipped], filter: &Filter) -> ListingError {
    let shown: Vec<String> =
        skipped.iter().take(EXAMPLES).map(|it| format!("{:?}: {}", it.name, it.reason)).collect();
    let more = if skipped.len() > EXAMPLES { "; …" } else { "" };
    let wanted = filter.include().join(", ");
    ListingError::NoPieces {
        place,
        skipped: skipped.len(),
        examples: format!(" ({}{more})", shown.join("; ")),
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_url_or_a_path() {
        assert!("s3://bucket/p".parse::<Source>().unwrap().is_s3());
        for path in ["pieces", "./a:b", "/tmp/x.gz", "C:\\pieces", "a b://c"] {
            assert_eq!(path.parse::<Source>().unwrap(), Source::Path(path.into()), "{path}");
        }
        for word in ["", "gs://bucket/p", "https://host/x", "S3://bucket/p", "file:///x"] {
            let error = word.parse::<Source>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{word}");
        }
        assert!("s3://x".parse::<Source>().is_err());
    }
}
