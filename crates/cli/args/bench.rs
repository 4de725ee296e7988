//! Arguments of `bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pinlake_lake::Compression;

use super::ingest::RequestArgs;
use super::values::byte_size;

/// `pinlake bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// S3 prefixes, folders or files
    #[arg(required = true)]
    pub(crate) pieces: Vec<String>,
    /// Estimate what this many endpoints would take
    #[arg(long, value_name = "N", default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) endpoints: u64,
    /// Measure everything this often; times are medians
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) rounds: u16,
    /// Read about this much of larger sources: whole pieces from all over them
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = byte_size)]
    pub(crate) sample: usize,
    /// The codec of the Parquet files: zstd, snappy or none
    #[arg(long, value_name = "CODEC", default_value_t = Compression::default())]
    pub(crate) compression: Compression,
    /// Where to write for the time being [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: BenchFormat,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// How a bench's result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchFormat {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}
