//! Arguments of the commands that bring data in: `export`, `fetch`, `convert`, `run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use pinlake_decode::unpack::{DEFAULT_MAX_LINE_BYTES, DEFAULT_MAX_PIECE_BYTES, DEFAULT_MAX_RATIO};
use pinlake_ingest::MaxRejects;
use pinlake_lake::{Compression, SnapshotId};

use super::values::{Switch, byte_size, duration, file_size};

/// How long requests are put up with.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct RequestArgs {
    /// Give a request up after this long without a byte [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Retry a failing request for this long [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) retry_for: Option<Duration>,
}

/// What to export, and where to.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExportTarget {
    /// The Pinpoint application (project) id
    #[arg(long, env = "PINLAKE_APPLICATION_ID", value_name = "ID", hide_env_values = true)]
    pub(crate) application_id: Option<String>,
    /// Where Pinpoint writes the pieces: `s3://bucket/prefix/`
    #[arg(long, value_name = "URL")]
    pub(crate) s3_url_prefix: Option<String>,
    /// The IAM role that Pinpoint writes with
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,
    /// Export only this segment
    #[arg(long, value_name = "ID")]
    pub(crate) segment_id: Option<String>,
    /// … in this version
    #[arg(long, value_name = "N", requires = "segment_id")]
    pub(crate) segment_version: Option<i32>,
}

/// `pinlake export`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Create an export job and print it
    Create {
        #[command(flatten)]
        target: ExportTarget,
        #[command(flatten)]
        request: RequestArgs,
    },
    /// Print an export job as it is now
    Status {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        request: RequestArgs,
    },
    /// Wait until an export job has ended and print it
    Wait {
        #[command(flatten)]
        job: JobArgs,
        /// Give up after this long; the job goes on
        #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
        timeout: Duration,
        /// Retry a failing request for this long [default: 30s]
        #[arg(long, value_name = "TIME", value_parser = duration)]
        retry_for: Option<Duration>,
    },
    /// List the export jobs of an application, or of one segment of it
    List {
        /// The Pinpoint application (project) id
        #[arg(long, env = "PINLAKE_APPLICATION_ID", value_name = "ID", hide_env_values = true)]
        application_id: Option<String>,
        /// Only jobs that exported this segment
        #[arg(long, value_name = "ID")]
        segment_id: Option<String>,
        #[command(flatten)]
        request: RequestArgs,
    },
}

/// One export job.
#[derive(Clone, Debug, Args)]
pub(crate) struct JobArgs {
    /// The Pinpoint application (project) id
    #[arg(long, env = "PINLAKE_APPLICATION_ID", value_name = "ID", hide_env_values = true)]
    pub(crate) application_id: Option<String>,
    /// The job's id, as `export create` printed it
    #[arg(long, value_name = "ID")]
    pub(crate) job_id: String,
}

/// `pinlake fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Where the pieces are: `s3://bucket/prefix/`
    pub(crate) src: String,
    /// The folder to write them to
    pub(crate) dest: PathBuf,
    /// Which names are pieces; may be given several times
    #[arg(long, value_name = "GLOB", default_value = "*.gz")]
    pub(crate) include: Vec<String>,
    /// Say what would be fetched, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// `pinlake convert`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// S3 prefixes, folders or files; without any, where the job of --job-id wrote
    #[arg(required_unless_present = "job_id")]
    pub(crate) src: Vec<String>,
    /// Hold the counts against this export job
    #[arg(long, value_name = "ID")]
    pub(crate) job_id: Option<String>,
    /// The job's Pinpoint application (project) id
    #[arg(long, env = "PINLAKE_APPLICATION_ID", value_name = "ID", hide_env_values = true)]
    pub(crate) application_id: Option<String>,
    #[command(flatten)]
    pub(crate) options: ConvertOptions,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// How pieces become a snapshot; `convert` and `run` share it.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConvertOptions {
    /// The snapshot's id [default: the job's completion, or the time of the run, as 2026-10-29T120000Z]
    #[arg(long, value_name = "ID")]
    pub(crate) snapshot: Option<SnapshotId>,
    /// Replace the snapshot if it exists
    #[arg(long)]
    pub(crate) replace: bool,
    /// Fail unless there are exactly this many endpoints, rows and rejects together
    #[arg(long, value_name = "N")]
    pub(crate) expect_rows: Option<u64>,
    /// Put up with this many rejected lines, or this share of them such as 0.1%
    #[arg(long, value_name = "N|P%", default_value = "0")]
    pub(crate) max_rejects: MaxRejects,
    /// The codec of the Parquet files: zstd, snappy or none
    #[arg(long, value_name = "CODEC", default_value_t = Compression::default())]
    pub(crate) compression: Compression,
    /// The longest line that is read; longer ones are rejects [default: 16MiB]
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_MAX_LINE_BYTES, value_parser = byte_size, hide_default_value = true)]
    pub(crate) max_line: usize,
    /// Give up on a piece of which a stored byte stands for more than this many, beyond 64 MiB; 0 for any
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MAX_RATIO)]
    pub(crate) max_ratio: u32,
    /// Give up on a piece that inflates to more than this [default: 1TiB]
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_MAX_PIECE_BYTES, value_parser = file_size, hide_default_value = true)]
    pub(crate) max_piece: u64,
    /// Note what is done for good after so many bytes of pieces, so that an interrupted run goes on from there [default: every few seconds]
    #[arg(long, value_name = "SIZE", value_parser = byte_size)]
    pub(crate) checkpoint: Option<usize>,
    /// Redact columns before anything is written: drop (the default), mask or hash; also `attributes.NAME`,
    /// `user_attributes.NAME` and `metrics.NAME`; separated by commas or given several times
    #[arg(long, value_name = "COLUMN[=MODE]", value_delimiter = ',')]
    pub(crate) redact: Vec<String>,
    /// The key of hashes: a file of at least 16 bytes [else the variable `PINLAKE_REDACT_KEY`]
    #[arg(long, value_name = "FILE")]
    pub(crate) redact_key_file: Option<PathBuf>,
    /// Whether rejects hold the text of the lines; with --redact they never do [default: on]
    #[arg(long, value_name = "on|off")]
    pub(crate) rejects_raw: Option<Switch>,
    /// Keep a copy of every piece fetched from S3 in this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) keep_pieces: Option<PathBuf>,
    /// Say what would be read and written, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `pinlake run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) target: ExportTarget,
    /// Have Pinpoint write right under the prefix instead of into a folder of this run's own
    #[arg(long)]
    pub(crate) exact_prefix: bool,
    /// Create a new export job, also where an interrupted run of the same command has created one
    #[arg(long)]
    pub(crate) new_job: bool,
    /// Give up waiting for the job after this long; the job goes on
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Retry a failing request for this long [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) retry_for: Option<Duration>,
    #[command(flatten)]
    pub(crate) options: ConvertOptions,
    /// Write all reports to this file (.html, .md, .json …) or folder
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
}
