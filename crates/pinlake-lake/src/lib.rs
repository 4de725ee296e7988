//! The data set: Parquet files, their staging, the Delta commit that publishes them, run manifests.
//!
//! A lake is a folder with a Delta table `endpoints`, partitioned by `snapshot` and readable as plain Hive-style
//! Parquet too, and with a manifest for each run. [`Lake`] says what is in it. To add a snapshot:
//!
//! ```text
//! Lake::stage ─▶ Staging::writer ─▶ DataFileWriter::write … close ─▶ DataFile ─▶ Staging::publish
//! ```
//!
//! Architecture invariants:
//! * Writing a file and committing it are separate acts. A writer returns facts; only a commit makes them part of
//!   the lake, and dropping a [`Staging`] without one leaves nothing behind.
//! * A snapshot is visible entirely or not at all: one Delta commit publishes, replaces or fails.
//! * After an error nothing lies under `endpoints/` that the log does not name; after a kill the next staging
//!   sees to it.
//! * What is made visible was synced before; what made it visible is synced after.
//! * The crate knows nothing of where data comes from or who reads it: record batches in, paths out.

mod agreement;
mod catalog;
mod data_file;
mod disk;
mod error;
#[cfg(test)]
mod fixture;
mod job_note;
mod journal;
mod lake;
mod layout;
mod left_over;
mod lock;
mod log;
mod manifest;
mod publish;
mod removal;
mod snapshot_id;
mod staging;
mod verify;
mod writer;

pub use catalog::{DataFileRef, Snapshot};
pub use error::{ErrorKind, LakeError};
pub use job_note::JobNote;
pub use journal::{Checkpoint, RunIdentity};
pub use lake::Lake;
pub use left_over::LeftOver;
pub use manifest::{
    Check, Drift, DriftRecord, FileRecord, PieceRecord, Place, RunManifest, SkippedRecord, Timings, Totals,
};
pub use publish::Published;
pub use removal::Dropped;
pub use snapshot_id::SnapshotId;
pub use staging::{StageOptions, Staging};
pub use verify::{Finding, Verification, VerifyOptions};
pub use writer::{Compression, DataFile, DataFileWriter, UnknownCompression, WriterOptions};

/// The partition column: which export a row is from. Data files do not have it; their folder's name does.
pub const PARTITION_COLUMN: &str = "snapshot";
