//! Arguments of the commands that carry their own Pinpoint: `demo`, `local`, `generate`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pinlake_local::RecordSize;

use super::values::share;

/// `pinlake demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Size of the audience
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(crate) endpoints: u64,
    /// Where the lake and the page go
    #[arg(long, value_name = "DIR", default_value = "./pinlake-demo")]
    pub(crate) out: PathBuf,
    /// Keep the fetched pieces too
    #[arg(long)]
    pub(crate) keep_pieces: bool,
}

/// `pinlake local`.
#[derive(Debug, Args)]
pub(crate) struct LocalArgs {
    /// The address to listen on; another than loopback is open to whoever reaches it and has the keys
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// Port of the Pinpoint API; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
    /// Port of S3; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) s3_port: u16,
    /// Keep applications, endpoints, segments, jobs and objects in this folder [default: in memory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Fill it from an archive of pieces, an import file (.csv), or a lake (LAKE or LAKE@SNAPSHOT); repeatable
    #[arg(long, value_name = "SRC")]
    pub(crate) load: Vec<String>,
    /// Fill the application with a synthetic audience of this size
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) generate: u64,
    /// Endpoints in a piece of an export
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) endpoints_per_piece: u64,
    /// Time between two steps of a job's status
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = humantime::parse_duration)]
    pub(crate) job_pace: Duration,
    /// Refuse more requests a second than this of each Pinpoint operation, with 429 [default: none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_second: Option<u32>,
    /// The access key id that clients must use [default: random]
    #[arg(long, value_name = "KEY", requires = "secret_key")]
    pub(crate) access_key: Option<String>,
    /// The secret access key [default: random]
    #[arg(long, value_name = "KEY", requires = "access_key")]
    pub(crate) secret_key: Option<String>,
}

/// `pinlake generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Number of endpoints
    pub(crate) n: u64,
    /// The folder to write the pieces to
    pub(crate) dest: PathBuf,
    /// Number of pieces
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) pieces: u64,
    /// The same seed makes the same bytes
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Share of records with odd values, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(crate) odd_share: f64,
    /// Size of records: sparse, usual or rich
    #[arg(long, value_name = "SIZE", default_value_t = RecordSize::default())]
    pub(crate) records: RecordSize,
    /// Further custom attributes of each endpoint
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=9_999))]
    pub(crate) attributes: u32,
    /// Put each record's members in an order of its own
    #[arg(long)]
    pub(crate) shuffle_members: bool,
}
