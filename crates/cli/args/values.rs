//! Values that flags take.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::ValueEnum;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// Bars where stderr is a terminal, else nothing.
    #[default]
    Auto,
    /// Bars.
    Bar,
    /// A JSON object a line, at most one a second.
    Json,
    /// Nothing.
    Off,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// It is.
    #[default]
    On,
    /// It is not.
    Off,
}

/// A number of bytes such as `256MB`, `1GiB` or `1048576`.
pub(crate) fn byte_size(text: &str) -> Result<usize, String> {
    text.parse::<bytesize::ByteSize>()
        .ok()
        .and_then(|size| usize::try_from(size.as_u64()).ok())
        .ok_or_else(|| format!("`{text}` is no size: write 256MB, 1GiB or a number of bytes"))
}

/// A size of a file, which may be larger than memory.
pub(crate) fn file_size(text: &str) -> Result<u64, String> {
    let size = text.parse::<bytesize::ByteSize>().map(|size| size.as_u64());
    size.map_err(|_| format!("`{text}` is no size: write 256MB, 1TiB or a number of bytes"))
}

/// A span of time such as `2h`, `90s` or `500ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no duration ({error}): write 2h, 90s or 500ms"))
}

/// A moment such as `2026-10-30T00:00:00Z`.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text).map(|instant| instant.with_timezone(&Utc));
    parsed.map_err(|error| format!("`{text}` is no moment ({error}): write 2026-10-30T00:00:00Z"))
}

/// A number of worker threads. More than a machine could have is a slip of the finger.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|threads| (1..=1024).contains(threads))
        .ok_or_else(|| format!("`{text}` is no number of threads from 1 to 1024"))
}

/// An endpoint of a service: `http://host:port` or `https://host`.
pub(crate) fn endpoint_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is no URL of a service: write http://HOST:PORT or https://HOST")),
    }
}

/// `name=value`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not of the form name=value")),
    }
}

/// A share from 0 to 1.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is no share from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations() {
        assert_eq!(byte_size("1GiB"), Ok(1 << 30));
        assert_eq!(byte_size("256MB"), Ok(256_000_000));
        assert!(byte_size("lots").is_err());
        assert!(threads("0").is_err() && threads("100000").is_err());
        assert!(endpoint_url("127.0.0.1:9000").is_err() && endpoint_url("http://127.0.0.1:9000").is_ok());
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        assert!(duration("2").is_err());
        assert_eq!(assignment("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(assignment("=b").is_err());
    }
}
