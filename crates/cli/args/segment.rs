//! Arguments of `segment`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use pinlake_report::Format;

use super::values::{assignment, instant};

/// `pinlake segment`.
#[derive(Debug, Subcommand)]
pub(crate) enum SegmentCommand {
    /// Write the endpoints of a snapshot that belong to a segment, by the rules of its definition
    #[command(after_help = HELP)]
    Evaluate(EvaluateArgs),
}

const HELP: &str = "\
Examples:
  aws pinpoint get-segment --application-id ID --segment-id SEGMENT > segment.json
  pinlake segment evaluate segment.json --out members.csv
  pinlake segment evaluate segment.json --columns id,address --format csv
  aws pinpoint get-segments --application-id ID > segments.json
  pinlake segment evaluate segment.json --segments segments.json
  pinlake segment evaluate segment.json --segments segments/ --members IMPORTED=2026-10-29-import
  echo '{\"Dimensions\":{\"Location\":{\"Country\":{\"Values\":[\"JP\"]}}}}' | pinlake segment evaluate -

SEGMENT.json is what `aws pinpoint get-segment` prints, or the body of a WriteSegmentRequest. A rule in it \
that is not understood is an error. Rows are in order of id; how many endpoints are members is told on stderr.";

/// `pinlake segment evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The segment's definition, - for stdin
    #[arg(value_name = "SEGMENT.json")]
    pub(crate) definition: PathBuf,
    /// Definitions of segments that it stands on: a file, or a folder of .json files; may be given several times
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) segments: Vec<PathBuf>,
    /// The members of an imported segment: the snapshot that was made of an export of it; may be given several times
    #[arg(long, value_name = "SEGMENT_ID=SNAPSHOT", value_parser = assignment)]
    pub(crate) members: Vec<(String, String)>,
    /// When recency is told for [default: the completion of the snapshot's export job, else the time of its conversion]
    #[arg(long, value_name = "RFC3339", value_parser = instant)]
    pub(crate) at: Option<DateTime<Utc>>,
    /// Columns of endpoints, separated by commas [default: all]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Read this snapshot instead of the latest
    #[arg(long, value_name = "ID|latest")]
    pub(crate) snapshot: Option<String>,
    /// table, csv, json, ndjson, markdown, html, xlsx or parquet [default: by the ending of --out, else table]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Endpoints shown on a terminal, 0 for all; files and pipes are never cut
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) max_rows: usize,
    /// In CSV, keep spreadsheets from taking text for formulas
    #[arg(long)]
    pub(crate) csv_safe: bool,
}
