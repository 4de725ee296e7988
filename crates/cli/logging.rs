//! Logs: to stderr, as text or JSON, as loud as asked for.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::args::values::LogFormat;
use crate::settings::Settings;

/// Installs the one subscriber of the process. `PINLAKE_LOG` takes a filter in the syntax of `tracing`; otherwise
/// warnings are told, `-v` tells what pinlake does, `-vv` in detail, `-vvv` what the libraries below it do too.
/// The libraries' own logs stay off until then, since those of HTTP clients quote headers; those of s3s, which the local
/// server stands on, stay off for good: it calls each refused request an error and can print whole requests.
pub(crate) fn install(settings: &Settings) {
    let level = match (settings.quiet, settings.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let others = if settings.verbose > 2 { "info" } else { "off" };
    let own = ["decode", "ingest", "lake", "local", "report", "source"]
        .map(|room| format!("pinlake_{room}={level}"))
        .join(",");
    let filter = EnvFilter::try_from_env("PINLAKE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("{others},s3s=off,pinlake={level},{own}")));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second subscriber is refused; the first one serves.
    let _ = match settings.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
