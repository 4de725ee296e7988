//! `pinlake completions` and `pinlake man`: made from the definition of the command line.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::args::Cli;
use crate::exit;

/// Prints the completion script of a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pinlake", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Prints the manual page in roff, or writes a page for each command into a folder.
pub(crate) fn man(folder: Option<&Path>) -> anyhow::Result<()> {
    let command = Cli::command().after_long_help(exit_codes());
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(io::stdout().write_all(&page)?);
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("cannot write manual pages into {}", folder.display()))
}

fn exit_codes() -> String {
    let codes: Vec<String> =
        exit::MEANINGS.iter().map(|(code, meaning)| format!("{code:>4}  {meaning}")).collect();
    format!("Exit codes:\n{}", codes.join("\n"))
}
