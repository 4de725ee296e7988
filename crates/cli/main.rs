//! The `pinlake` binary: what was typed, what was meant, the command, its exit code.

mod allocator;
mod args;
mod commands;
mod config;
mod exit;
mod logging;
mod panics;
mod settings;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    exit::code(panics::caught(|| commands::main(args::parse())))
}
