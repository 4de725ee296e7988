//! The pipeline: pieces of an export in, one published snapshot out.
//!
//! ```text
//! source::fetch ══chunks + permits══▶ pool: unpack ─▶ blocks ─▶ decode ─▶ lane: Parquet ─▶ lake: one commit
//! ≤ window_bytes                      ≤ threads       ≤ threads + 2        ≤ threads lanes
//! ```
//!
//! [`Plan::make`] lists the sources and decides everything that can be decided beforehand; it is what `--dry-run` shows.
//! [`convert`] carries a plan out; [`bench()`] measures how long that takes, stage by stage. [`Scan`] reads pieces without a lake,
//! as rows that come as they are asked for. Every number that bounds the work is in [`Limits`].
//!
//! Architecture invariant: this crate knows neither the command line nor SQL nor a terminal. It reports through
//! [`Progress`], which anyone may look at from anywhere, and through [`Outcome`] or [`IngestError`].

mod bench;
mod checkpoint;
mod closing;
mod duplicates;
mod error;
mod lanes;
mod limits;
mod outcome;
mod pipeline;
mod plan;
mod pool;
mod progress;
mod redact;
mod rejects;
mod scan;
mod scratch;
mod space;
mod stop;
mod work;

pub use bench::{BenchFacts, BenchRequest, BenchStep, Estimate, SampleFacts, StageFacts, bench};
pub use error::{ErrorKind, IngestError};
pub use limits::Limits;
pub use outcome::Outcome;
pub use pipeline::convert;
pub use plan::{ConvertRequest, Plan};
pub use progress::{Progress, ProgressSnapshot};
pub use redact::{RedactKey, RedactMode, Redaction, RedactionError};
pub use rejects::MaxRejects;
pub use scan::{PieceRows, Rejected, Scan, ScanPart, ScanRequest};
pub use stop::Stop;
