//! The contract of a command line: exit codes, what goes to which stream, who has the last word.

mod input;
mod settings;
mod streams;
