//! The one error type callers see, and what each error means for them.
//!
//! Each area has its own enum where its errors are raised; they are joined here without adding text, and
//! [`SourceError::kind`] tells what an exit code has to tell, so that nothing looks into messages.

use crate::aws::AwsError;
use crate::download::DownloadError;
use crate::export::ExportError;
use crate::fetch::FetchError;
use crate::filter::PatternError;
use crate::listing::ListingError;
use crate::s3url::S3UrlError;

/// Anything that goes wrong at the edge. The message is that of the area's own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A client that cannot be used.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// An export job.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A word that is no S3 URL.
    #[error(transparent)]
    S3Url(#[from] S3UrlError),
    /// A pattern of names.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The pieces of a source.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The bytes of a piece.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A folder that pieces are written to.
    #[error(transparent)]
    Download(#[from] DownloadError),
}

/// What an error means for the one who gave the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command names something that is not there or cannot be (exit code 2).
    Usage,
    /// The export job failed or did not end in time (3).
    JobFailed,
    /// Network, credentials or permission, after retries (6).
    Network,
    /// What came is not what was listed (7).
    Integrity,
    /// A local disk or file system, or another process that holds a part of it (8).
    Disk,
    /// A bug (1).
    Unexpected,
}

impl SourceError {
    /// What the error means for the one who gave the command.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Aws(error) => error.kind(),
            Self::Export(error) => error.kind(),
            Self::S3Url(_) | Self::Pattern(_) => ErrorKind::Usage,
            Self::Listing(error) => error.kind(),
            Self::Fetch(error) => error.kind(),
            Self::Download(error) => error.kind(),
        }
    }
}

/// A key as an error may show it: whoever may write to a bucket may name an object with line breaks, with
/// escape sequences for the terminal, or with marks that turn the text around.
#[must_use]
pub fn printable(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for c in key.chars() {
        if c.is_control() || is_invisible(c) { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

/// Marks of direction and of no width, and the separators of lines that are no control characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What a failing file operation means when a file is read or a folder is looked at.
pub(crate) fn io_error_kind(error: &std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ErrorKind::Usage,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Network,
        _ => ErrorKind::Disk,
    }
}
