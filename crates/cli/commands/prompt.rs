//! The prompt of `pinlake sql`: queries end with a semicolon and may span lines; commands begin with a backslash.
//!
//! An error is told and the prompt goes on. Ctrl-C clears what is typed, or stops the query that runs; Ctrl-D leaves.

mod command;
mod completion;
mod history;
mod statement;

use std::future::Future;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use pinlake_report::{
    Bindings, Catalogue, Format, PageFacts, Report, list_columns, list_table, list_tables, run as run_report,
};
use rustyline::error::ReadlineError;

use super::output::Output;
use super::sql::{Desk, answer};
use super::{Context, report, stoppable};
use crate::args::OutputArgs;
use crate::exit::{CliError, explain, is_closed_pipe};
use crate::ui;
use command::Command;
use completion::{SqlHelper, Vocabulary};
use history::Remembering;
use statement::{Input, Pending};

/// Reads and answers until the end of the input.
pub(super) async fn converse(context: &Context, desk: Arc<Desk>, args: OutputArgs) -> anyhow::Result<()> {
    let catalogue = report::catalogue(context, None)?;
    let vocabulary = Vocabulary::of(&desk.session, &catalogue).await?;
    let mut editor = Remembering::new(SqlHelper(vocabulary))?;
    context.ui.note(format!("{} · \\? for help", desk.title));
    let mut conversation = Conversation::new(context.clone(), desk, catalogue, args)?;
    let mut pending = Pending::default();
    loop {
        let mark = if pending.is_empty() { "pinlake> " } else { "      -> " };
        // The editor blocks its thread, so it gets one of its own.
        let (line, returned) =
            tokio::task::spawn_blocking(move || (editor.editor.readline(mark), editor)).await?;
        editor = returned;
        let line = match line {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                pending.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        // An editor leaves out what begins with a space; so must the first line of a statement.
        let is_secret = pending.is_empty() && line.starts_with(' ');
        // What was pasted may be several lines.
        for line in line.split('\n') {
            let Some((typed, inputs)) = pending.push(line) else { continue };
            editor.add(&if is_secret { format!(" {typed}") } else { typed });
            for input in inputs {
                match conversation.take(input).await {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(error) if is_closed_pipe(&error) => return Err(error),
                    Err(error) => {
                        explain(&error);
                    }
                }
            }
        }
    }
}

/// What a conversation has come to.
struct Conversation {
    context: Context,
    desk: Arc<Desk>,
    catalogue: Catalogue,
    /// As the command line has them.
    args: OutputArgs,
    format: Option<Format>,
    out: Option<PathBuf>,
    shows_time: bool,
    interrupts: Interrupts,
}

/// Interrupts from the keyboard, listened for from before the first prompt on: one that comes between a line and its query
/// must not end the program. At the prompt itself the key is a character.
#[cfg(unix)]
type Interrupts = tokio::signal::unix::Signal;
#[cfg(windows)]
type Interrupts = tokio::signal::windows::CtrlC;

fn interrupts() -> io::Result<Interrupts> {
    #[cfg(unix)]
    return tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
    #[cfg(windows)]
    return tokio::signal::windows::ctrl_c();
}

impl Conversation {
    fn new(context: Context, desk: Arc<Desk>, catalogue: Catalogue, args: OutputArgs) -> io::Result<Self> {
        let (format, out) = (args.formats.first().copied(), args.out.clone());
        let interrupts = interrupts()?;
        Ok(Self { context, desk, catalogue, args, format, out, shows_time: false, interrupts })
    }

    /// Carries something out; `false` where that was to leave.
    async fn take(&mut self, input: Input) -> anyhow::Result<bool> {
        match input {
            Input::Sql(query) => {
                let bindings = Bindings::inferred(self.args.params.iter().cloned().collect());
                let output = self.output()?;
                let work = answer(self.context.clone(), Arc::clone(&self.desk), query, bindings, output);
                self.timed(work).await?;
            }
            Input::Command(line) => match Command::parse(&line).map_err(CliError::usage)? {
                Command::Quit => return Ok(false),
                command => self.obey(command).await?,
            },
        }
        Ok(true)
    }

    async fn obey(&mut self, command: Command) -> anyhow::Result<()> {
        match command {
            Command::Quit => {}
            Command::Help => ui::warn(command::help()),
            Command::Tables => self.show(&list_tables(&self.desk.session).await?)?,
            Command::Columns(table) => self.show(&list_columns(&self.desk.session, &table).await?)?,
            Command::Reports => {
                let mut out = io::stdout();
                list_table(&self.catalogue, &self.on_terminal()?.options, &mut out)?;
                out.flush()?;
            }
            Command::Report { name, given } => self.report(&name, given).await?,
            Command::Timing => {
                self.shows_time = !self.shows_time;
                ui::warn(if self.shows_time { "timing is on" } else { "timing is off" });
            }
            Command::Format(format) => {
                self.format = format;
                let file = self.out.as_ref().filter(|file| Format::of_path(file).is_some());
                if let Some(file) = file {
                    ui::warn(format!("{} keeps the format of its ending", file.display()));
                }
            }
            Command::Out(file) => self.redirect(file)?,
        }
        Ok(())
    }

    /// Sends results to a file from now on, or back to the terminal.
    fn redirect(&mut self, file: Option<PathBuf>) -> anyhow::Result<()> {
        let before = std::mem::replace(&mut self.out, file);
        let checked = match &self.out {
            Some(file) if file.is_dir() => {
                Err(CliError::usage(format!("{} is a folder: name a file", file.display())).into())
            }
            _ => self.output().and_then(|output| output.check()),
        };
        if checked.is_err() {
            self.out = before;
        }
        checked
    }

    /// Where and how the next result is written. A file's ending says its format; else what was chosen does.
    fn output(&self) -> anyhow::Result<Output> {
        let by_ending = self.out.as_deref().and_then(Format::of_path);
        let format = by_ending.or(self.format).unwrap_or(Format::Table);
        let args = OutputArgs { formats: vec![format], out: self.out.clone(), ..self.args.clone() };
        Ok(Output::new(&args, self.desk.facts.clone())?)
    }

    /// What the prompt itself lists is a table on the terminal, wherever results go.
    fn on_terminal(&self) -> anyhow::Result<Output> {
        let args = OutputArgs { formats: vec![Format::Table], out: None, max_rows: 0, ..self.args.clone() };
        Ok(Output::new(&args, PageFacts::default())?)
    }

    fn show(&self, listing: &Report) -> anyhow::Result<()> {
        self.on_terminal()?.write(std::slice::from_ref(listing))?;
        Ok(())
    }

    /// Runs a report. Values of the config file hold where none is given.
    async fn report(&mut self, name: &str, given: Vec<(String, String)>) -> anyhow::Result<()> {
        let template = self.catalogue.get(name)?.clone();
        let mut values = self.context.settings.config.param_texts();
        values.retain(|name, _| template.parameters.iter().any(|parameter| parameter.name == *name));
        values.extend(given);
        let (context, desk, output) = (self.context.clone(), Arc::clone(&self.desk), self.output()?);
        self.timed(async move {
            let report = run_report(&desk.session, &template, &values).await?;
            for path in output.write(&[report])? {
                context.ui.note(format!("wrote {}", path.display()));
            }
            Ok(())
        })
        .await
    }

    /// Runs something that Ctrl-C stops, and tells what is to be told of it.
    async fn timed(
        &mut self,
        work: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> anyhow::Result<()> {
        let clock = Instant::now();
        // Only Ctrl-C: once it was listened for, another signal would be swallowed at the prompt.
        let done = stoppable(work, self.interrupts.recv()).await.unwrap_or_else(|| {
            ui::warn("\nstopped");
            Ok(())
        });
        self.desk.pieces.tell(self.context.ui);
        if self.shows_time {
            ui::warn(format!("time: {}", ui::duration(clock.elapsed())));
        }
        done
    }
}
