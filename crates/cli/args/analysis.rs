//! Arguments of the commands that read a lake: `report`, `sql`, `snapshots`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pinlake_lake::SnapshotId;
use pinlake_report::Format;

use super::values::assignment;

/// How results are written; `report` and `sql` share it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutputArgs {
    /// table, csv, json, ndjson, markdown, html, xlsx or parquet; several as a list where --out is a folder
    /// [default: by the ending of --out, else table]
    #[arg(long = "format", value_name = "FORMAT", value_delimiter = ',')]
    pub(crate) formats: Vec<Format>,
    /// Write to this file, or into this folder
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Rows shown of each result on a terminal, 0 for all; files and pipes are never cut
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) max_rows: usize,
    /// In CSV, keep spreadsheets from taking text for formulas
    #[arg(long)]
    pub(crate) csv_safe: bool,
    /// Read this snapshot instead of the latest
    #[arg(long, value_name = "ID|latest")]
    pub(crate) snapshot: Option<String>,
    /// Give a parameter a value; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) params: Vec<(String, String)>,
}

/// `pinlake report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Names of reports, or .sql files
    #[arg(value_name = "NAME|FILE.sql")]
    pub(crate) names: Vec<String>,
    /// Run every report that needs no parameter
    #[arg(long, conflicts_with_all = ["names", "list", "describe"])]
    pub(crate) all: bool,
    /// List the reports (--format json for machines)
    #[arg(long, conflicts_with_all = ["names", "describe"])]
    pub(crate) list: bool,
    /// Show a report's parameters, columns, checks and SQL (--format json for machines)
    #[arg(long, value_name = "NAME", conflicts_with = "names")]
    pub(crate) describe: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// A folder of .sql files that adds to the built-in reports, or replaces them by name
    #[arg(long, value_name = "DIR")]
    pub(crate) queries: Option<PathBuf>,
    /// Exit with 9 when a check of level error does not hold, and list those
    #[arg(long)]
    pub(crate) fail_on_check: bool,
}

const SQL_HELP: &str = "\
Examples:
  pinlake sql                                        a prompt; \\? lists its commands
  pinlake sql 'select channel_type, count(*) from endpoints group by 1'
  pinlake sql 'select id from endpoints where country = $c limit $n' --param c=DE --param n=5
  pinlake sql -f cohort.sql --snapshot 2026-10-29T120000Z --out cohort.parquet
  pinlake sql \"select * from read_pieces('old-exports/') limit 10\"
  pinlake sql \"select count(*) from read_pieces('s3://bucket/prefix/')\"

read_pieces reads pieces where they lie, without a lake: a folder, a file or an S3 prefix, and of \
each line only the columns that the query needs. Lines that are no endpoint are left out, and \
counted on stderr. Queries are read-only; parameters ($name) are bound, never pasted.

The prompt keeps its history in $XDG_STATE_HOME/pinlake/sql_history, or where PINLAKE_HISTORY \
says (off: nowhere).";

/// `pinlake sql`.
#[derive(Debug, Args)]
#[command(after_help = SQL_HELP)]
pub(crate) struct SqlArgs {
    /// The query; without it, and without -f, a prompt on a terminal
    pub(crate) query: Option<String>,
    /// Read the query from a file, - for stdin
    #[arg(short, long, value_name = "FILE", conflicts_with = "query")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `pinlake diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The older snapshot: its id, or latest
    pub(crate) from: String,
    /// The newer snapshot: its id, or latest
    pub(crate) to: String,
    /// table, csv, json, ndjson, markdown, html, xlsx or parquet [default: by the ending of --out, else table]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Write to this file; .ndjson and .json hold each endpoint before and after
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Columns whose changes do not count, separated by commas
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(crate) ignore: Vec<String>,
    /// Endpoints shown on a terminal, 0 for all; files and pipes are never cut
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) max_rows: usize,
    /// In CSV, keep spreadsheets from taking text for formulas
    #[arg(long)]
    pub(crate) csv_safe: bool,
}

/// `pinlake snapshots`.
#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotsCommand {
    /// List the snapshots, oldest first
    List {
        /// table, csv, json, ndjson or markdown
        #[arg(long, value_name = "FORMAT", default_value_t = Format::Table)]
        format: Format,
    },
    /// Show what a snapshot was made of, and whether it adds up
    Show {
        /// Its id, or latest
        #[arg(default_value = "latest")]
        id: String,
        /// Print the run's manifest as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check that the lake is what it says: exit code 7, with everything that is wrong, if it is not
    #[command(after_help = VERIFY_HELP)]
    Verify {
        /// A snapshot's id, or latest [default: every snapshot, and what lies beside them]
        id: Option<String>,
        /// Read every byte: hash each data file, decode each value, count the rows of each piece
        #[arg(long)]
        deep: bool,
        /// Print what was looked at and found as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a snapshot out of the lake, in one commit
    #[command(after_help = DROP_HELP)]
    Drop {
        /// Its id
        id: String,
        /// Remove its files from the disk too, also those of a snapshot that was dropped before
        #[arg(long)]
        vacuum: bool,
    },
}

const VERIFY_HELP: &str = "\
Checked are: that every data file of the Delta log is there, in the lake itself, with its length, \
columns and rows; that nothing lies beside them that the log does not have; that run.json agrees with \
the log and adds up; that rejects.ndjson has every reject. With --deep also the SHA-256 of every data \
file, every value in it, and the rows and lines of each piece. Nothing is locked or changed, and \
conversions may go on meanwhile.";

const DROP_HELP: &str = "\
Without --vacuum the data files, run.json and rejects.ndjson of the snapshot stay on the disk, where \
readers of older versions of the table find them; they hold personal data. `pinlake snapshots drop ID \
--vacuum` removes them, then or later; after that, reading an older version fails. The id can be used \
again.";

/// A snapshot as `--snapshot` names it: an id, or `latest`, which is none.
pub(crate) fn chosen(snapshot: Option<&str>) -> Result<Option<SnapshotId>, pinlake_lake::LakeError> {
    match snapshot {
        None | Some("latest") => Ok(None),
        Some(id) => id.parse().map(Some),
    }
}
