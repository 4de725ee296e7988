//! What was typed: flags and arguments as clap reads them, nothing decided yet.

mod analysis;
mod bench;
mod ingest;
mod loopback;
mod segment;
pub(crate) mod values;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

pub(crate) use analysis::{DiffArgs, OutputArgs, ReportArgs, SnapshotsCommand, SqlArgs, chosen};
pub(crate) use bench::{BenchArgs, BenchFormat};
pub(crate) use ingest::{
    ConvertArgs, ConvertOptions, ExportCommand, ExportTarget, FetchArgs, JobArgs, RunArgs,
};
pub(crate) use loopback::{DemoArgs, GenerateArgs, LocalArgs};
pub(crate) use segment::{EvaluateArgs, SegmentCommand};
use values::{LogFormat, ProgressMode, byte_size, endpoint_url, threads};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Start here:
  pinlake demo                                  the whole pipeline, with nothing else installed
  pinlake convert s3://bucket/prefix/           an export that lies in S3, into ./lake
  pinlake convert old-exports/                  an export that lies in a folder
  pinlake report --all --out report.html        every report on the latest snapshot
  pinlake sql 'select channel_type, count(*) from endpoints group by 1'

AWS ended Amazon Pinpoint on 2026-10-30: `pinlake local` serves scripts that still need one.
Exit codes are listed by `pinlake man`.";

/// Amazon Pinpoint endpoint exports to a Delta Lake table and SQL reports.
#[derive(Debug, Parser)]
#[command(name = "pinlake", version, styles = STYLES, after_help = AFTER_HELP, max_term_width = 100, args_override_self = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The lake's folder [default: ./lake]
    #[arg(long, global = true, env = "PINLAKE_LAKE", value_name = "DIR", hide_env_values = true)]
    pub(crate) lake: Option<PathBuf>,
    /// A config file [default: ./pinlake.toml where it exists]
    #[arg(long, global = true, env = "PINLAKE_CONFIG", value_name = "FILE", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// An AWS profile
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The AWS region
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// A Pinpoint endpoint other than AWS's, such as that of `pinlake local`
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint_url)]
    pub(crate) endpoint_url: Option<String>,
    /// An S3 endpoint other than AWS's
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint_url)]
    pub(crate) s3_endpoint_url: Option<String>,
    /// Worker threads [default: one a core]
    #[arg(long, global = true, env = "PINLAKE_THREADS", value_name = "N", value_parser = threads, hide_env_values = true)]
    pub(crate) threads: Option<usize>,
    /// Memory to keep to, such as 256MB or 1GiB [default: 256MiB; for queries three quarters of what is available]
    #[arg(long, global = true, env = "PINLAKE_MEMORY_LIMIT", value_name = "SIZE", value_parser = byte_size, hide_env_values = true)]
    pub(crate) memory_limit: Option<usize>,
    /// How progress is shown on stderr [default: auto]
    #[arg(long, global = true, env = "PINLAKE_PROGRESS", value_name = "MODE", hide_env_values = true)]
    pub(crate) progress: Option<ProgressMode>,
    /// How logs are written to stderr [default: text]
    #[arg(long, global = true, env = "PINLAKE_LOG_FORMAT", value_name = "FORMAT", hide_env_values = true)]
    pub(crate) log_format: Option<LogFormat>,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Say more; twice for details, three times for the libraries' logs too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole pipeline against an embedded Pinpoint and S3; needs nothing
    Demo(DemoArgs),
    /// Export, wait, fetch, convert and report in one go
    Run(RunArgs),
    /// Create, follow and list export jobs
    #[command(subcommand)]
    Export(ExportCommand),
    /// Download every piece of an export
    Fetch(FetchArgs),
    /// Convert pieces to one snapshot of the lake
    Convert(ConvertArgs),
    /// Run reports on a snapshot
    Report(ReportArgs),
    /// Query the lake with SQL
    Sql(SqlArgs),
    /// Tell what changed between two snapshots, one line per endpoint
    Diff(DiffArgs),
    /// Tell the exact members of a Pinpoint segment
    #[command(subcommand)]
    Segment(SegmentCommand),
    /// List, show, verify and drop the lake's snapshots
    #[command(subcommand)]
    Snapshots(SnapshotsCommand),
    /// Serve a local Pinpoint and S3 until interrupted
    Local(LocalArgs),
    /// Write a seeded synthetic audience in the exact form of an export
    Generate(GenerateArgs),
    /// Measure how fast this machine is for some pieces, stage by stage
    Bench(BenchArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page a command
    Man {
        /// Write `pinlake.1`, `pinlake-convert.1` … into this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// Reads the command line; help, version and usage errors end the program here.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
