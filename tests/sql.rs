//! `pinlake sql`: pieces as tables, parameters, and the prompt.

mod parameters;
mod pieces;
#[cfg(unix)]
mod prompt;
