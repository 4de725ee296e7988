//! Progress of one phase: a bar on a terminal, JSON lines for machines, or nothing.

use std::io::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::text;
use crate::args::values::ProgressMode;

/// How often a bar is drawn anew.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// How often a JSON line is written at the most.
const JSON_INTERVAL: Duration = Duration::from_secs(1);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Things, with their name.
    Things(&'static str),
    /// Bytes.
    Bytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Things(name) => name,
            Self::Bytes => "bytes",
        }
    }

    fn show(self, number: u64) -> String {
        match self {
            Self::Things(_) => text::count(number),
            Self::Bytes => text::bytes(number),
        }
    }
}

/// One line of `--progress json`.
#[derive(Serialize)]
struct JsonProgress<'a> {
    event: &'static str,
    phase: &'static str,
    done: u64,
    total: u64,
    unit: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

/// How far one phase is.
pub(crate) struct Meter {
    phase: &'static str,
    unit: Unit,
    display: Display,
}

enum Display {
    Bar(ProgressBar),
    Json { last: Option<Instant>, is_complete: bool },
    Off,
}

impl Meter {
    pub(super) fn new(mode: ProgressMode, phase: &'static str, unit: Unit) -> Self {
        let display = match mode {
            ProgressMode::Bar => Display::Bar(bar(phase)),
            ProgressMode::Json => Display::Json { last: None, is_complete: false },
            ProgressMode::Auto | ProgressMode::Off => Display::Off,
        };
        Self { phase, unit, display }
    }

    /// Shows that `done` of `total` are done. `note` says what else is worth knowing.
    pub(crate) fn show(&mut self, done: u64, total: u64, note: &str) {
        let unit = self.unit;
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_length(total.max(1));
                bar.set_position(done.min(total));
                let mut message = format!("{} of {}", unit.show(done), unit.show(total));
                if let Unit::Things(name) = unit {
                    message = format!("{message} {name}");
                }
                if !note.is_empty() {
                    message = format!("{message} · {note}");
                }
                bar.set_message(message);
            }
            Display::Json { last, is_complete } => {
                let due = last.is_none_or(|last| last.elapsed() >= JSON_INTERVAL);
                let completes = done == total && total > 0 && !*is_complete;
                if due || completes {
                    *last = Some(Instant::now());
                    *is_complete |= completes;
                    let line = JsonProgress {
                        event: "progress",
                        phase: self.phase,
                        done,
                        total,
                        unit: unit.name(),
                        note,
                    };
                    if let Ok(line) = serde_json::to_string(&line) {
                        // Progress that nobody can read is no reason to stop.
                        let _ = writeln!(std::io::stderr(), "{line}");
                    }
                }
            }
            Display::Off => {}
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}

fn bar(phase: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(1);
    if let Ok(style) =
        ProgressStyle::with_template("{prefix:>9.cyan} {bar:24.cyan/dim} {elapsed:.dim} {wide_msg}")
    {
        bar.set_style(style.progress_chars("━╸━"));
    }
    bar.set_prefix(phase);
    bar.enable_steady_tick(TICK);
    bar
}
