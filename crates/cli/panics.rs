//! What is told of a panic. Its message may quote data, so only its place is.
//!
//! The main and the I/O threads read files that may be damaged, and the libraries that decode them meet some damage with a
//! panic. Whoever gave them the work gets it as an error and tells it with the file's name, so that here it is no more
//! than a detail; what nobody took as an error, [`caught`] does. On any other thread a panic is a bug.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// The name of threads whose panics come back as errors.
pub(crate) const GUARDED_THREAD: &str = "pinlake-io";

/// Where the last panic was.
static LAST_PLACE: Mutex<String> = Mutex::new(String::new());

/// Runs the whole command; a panic in it is an error without a type, and so a bug.
pub(crate) fn caught(command: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    install();
    // Nothing of what the command was at is used afterwards.
    catch_unwind(AssertUnwindSafe(command)).unwrap_or_else(|_| Err(error()))
}

/// The error for a panic that was caught.
pub(crate) fn error() -> anyhow::Error {
    let place = LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    anyhow::anyhow!("panicked at {place}; RUST_BACKTRACE=1 tells from where it got there")
}

/// Takes the place of the standard hook, which tells the message.
fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(std::io::stderr(), "pinlake: panicked at {place}\n{backtrace}");
        }
        if matches!(std::thread::current().name(), Some(GUARDED_THREAD | "main")) {
            tracing::debug!(%place, "panicked");
            *LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
        } else {
            let _ = writeln!(
                std::io::stderr(),
                "pinlake: panicked at {place}: this is a bug of pinlake {}, please report it; RUST_BACKTRACE=1 tells from \
                 where it got there",
                env!("CARGO_PKG_VERSION")
            );
        }
    }));
}
