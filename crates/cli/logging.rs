//! Logs: to stderr, as text or JSON, as loud as asked for, each line with the id of the run.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{DefaultFields, Format, Full, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

use crate::args::values::LogFormat;
use crate::settings::Settings;
use crate::settings::run_id::RunId;

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
    let is_terminal = std::io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal);
    let run_id = settings.run_id.clone();
    // A second subscriber is refused; the first one serves.
    let _ = match settings.log_format {
        LogFormat::Text => builder
            .event_format(TextLine { inner: Format::default().with_ansi(is_terminal), run_id })
            .fmt_fields(DefaultFields::new())
            .try_init(),
        LogFormat::Json => builder
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine { inner: Format::default().json(), run_id })
            .try_init(),
    };
}

/// A line for people, which ends in `run_id=…`. It stays one line, whatever is told in it.
struct TextLine {
    inner: Format<Full>,
    run_id: RunId,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, DefaultFields> for TextLine {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, DefaultFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{} run_id={}", line.trim_end().replace('\n', "\\n"), self.run_id)
    }
}

/// A JSON object with `run_id` as its first member.
struct JsonLine {
    inner: Format<Json>,
    run_id: RunId,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for JsonLine {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        let members = line.trim_end().strip_prefix('{').unwrap_or("}");
        // The id is letters, digits and a hyphen, so it stands in JSON as it is.
        writeln!(writer, "{{\"run_id\":\"{}\",{members}", self.run_id)
    }
}
