//! What people see besides results: notes and progress, all of it on stderr.

mod meter;
mod text;

use std::io::{IsTerminal as _, Write as _};

use crate::args::values::ProgressMode;
use crate::settings::Settings;

pub(crate) use meter::{Meter, Unit};
pub(crate) use text::{bytes, count, duration, printable};

/// A line for people that they must see, also where they asked for quiet.
pub(crate) fn warn(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
}

/// How to speak to whoever started the command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    mode: ProgressMode,
    quiet: bool,
}

impl Ui {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mode = match settings.progress {
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Off,
            chosen => chosen,
        };
        let mode = if settings.quiet && mode == ProgressMode::Bar { ProgressMode::Off } else { mode };
        Self { mode, quiet: settings.quiet }
    }

    /// A line for people, unless they asked for quiet.
    pub(crate) fn note(self, text: impl AsRef<str>) {
        if !self.quiet {
            // A note that nobody can read is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// Shows how far something is, from now on until the meter is dropped.
    pub(crate) fn meter(self, phase: &'static str, unit: Unit) -> Meter {
        Meter::new(self.mode, phase, unit)
    }
}
