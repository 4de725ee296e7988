//! The AWS edge: export jobs through Pinpoint, pieces through S3 or from files.
//!
//! Everything pinlake reads comes in here: [`ExportJobs`] starts and follows export jobs, [`Source`] lists the
//! pieces that lie under an S3 prefix, in a folder or in one file, [`fetch`](fetch::fetch) brings their bytes
//! within a bound, and [`download`](download::download) writes them to a folder.
//!
//! Architecture invariants: this is the only crate that names `aws_sdk_*`; it names no Arrow, no Parquet and
//! no rayon, because the edge moves bytes and does not know what is in them. It reads no environment itself
//! (`aws-config` does), prints nothing and installs no logger. No error text holds a credential or a data value.

pub mod aws;
pub mod download;
pub mod error;
pub mod export;
pub mod failure;
pub mod fetch;
pub mod filter;
pub mod listing;
pub mod piece;
pub mod s3url;

mod identity;
mod retry;
mod space;

pub use aws::{Aws, AwsError, AwsOptions, StaticCredentials};
pub use download::{DownloadError, DownloadOptions, DownloadProgress, DownloadSummary, download};
pub use error::{ErrorKind, SourceError, printable};
pub use export::{ExportError, ExportJob, ExportJobs, ExportRequest, WaitOptions};
pub use failure::{FailureKind, RequestFailure};
pub use fetch::{Fetch, FetchError, FetchLimits, HeldBytes, PieceBody, PieceFacts, fetch};
pub use filter::{Filter, PatternError};
pub use listing::{ListingError, Source};
pub use piece::{Listing, Location, Piece, Skipped};
pub use s3url::{S3Url, S3UrlError};
pub use space::free_bytes;

#[cfg(test)]
mod fake;
