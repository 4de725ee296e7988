//! What is told of a panic. Its message may quote data, so only its place is.
//!
//! The I/O threads read files that may be damaged, and the libraries that decode them meet some damage with a panic.
//! Whoever gave them the work gets it as an error and tells it with the file's name, so that here it is no more than a
//! detail. On any other thread a panic is a bug.

use std::io::Write as _;

/// The name of threads whose panics come back as errors.
pub(crate) const GUARDED_THREAD: &str = "pinlake-io";

/// Takes the place of the standard hook, unless `RUST_BACKTRACE` asks for all that there is to know.
pub(crate) fn install() {
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        if std::thread::current().name() == Some(GUARDED_THREAD) {
            tracing::debug!(%place, "a library panicked");
        } else {
            let _ = writeln!(
                std::io::stderr(),
                "pinlake: panicked at {place}: this is a bug of pinlake {}, please report it; RUST_BACKTRACE=1 tells more, \
                 and may quote data",
                env!("CARGO_PKG_VERSION")
            );
        }
    }));
}
