//! `pinlake sql`: one query, or a prompt.

use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use pinlake_report::{Bindings, render_stream};

use super::analysis::OpenLake;
use super::output::{Output, partial_path};
use super::{Context, prompt, until_interrupted};
use crate::args::{SqlArgs, chosen};
use crate::exit::CliError;

/// Runs the query that was given, read from a file, or typed at the prompt.
pub(crate) async fn run(context: &Context, args: SqlArgs) -> anyhow::Result<()> {
    let query = match (&args.query, &args.file) {
        (Some(query), _) => Some(query.clone()),
        (None, Some(file)) => Some(read(file)?),
        (None, None) if io::stdin().is_terminal() => None,
        (None, None) => Some(read(Path::new("-"))?),
    };
    let snapshot = chosen(args.output.snapshot.as_deref())?;
    let lake = OpenLake::open(&context.settings.lake, snapshot, &context.settings).await?;
    let output = Output::new(&args.output, lake.facts())?.within(context.settings.memory_limit_bytes);
    match query {
        Some(query) => {
            let bindings = Bindings::inferred(args.output.params.iter().cloned().collect());
            until_interrupted(answer(context, &lake, &query, &bindings, &output)).await
        }
        None => prompt::converse(context, &lake, &output).await,
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut query = String::new();
        io::stdin().read_to_string(&mut query).context("cannot read the query from stdin")?;
        if query.trim().is_empty() {
            return Err(
                CliError::usage("no query: give one as an argument, with -f FILE, or on stdin").into()
            );
        }
        return Ok(query);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Runs one query and writes its rows as they come.
pub(super) async fn answer(
    context: &Context,
    lake: &OpenLake,
    query: &str,
    bindings: &Bindings,
    output: &Output,
) -> anyhow::Result<()> {
    let format = output.one_format("a query")?;
    let stream = lake.session.stream(query, bindings).await?;
    match output.stream_target("query", format)? {
        None => {
            let mut out = BufWriter::new(io::stdout());
            render_stream(stream, format, &output.options, &mut out).await?;
            Ok(out.flush()?)
        }
        Some(path) => {
            let problem = || format!("cannot write {}", path.display());
            let partial = partial_path(&path);
            let mut out = BufWriter::new(std::fs::File::create(&partial).with_context(problem)?);
            let written = render_stream(stream, format, &output.options, &mut out).await;
            if let Err(error) = written {
                drop(out);
                // The error of the query is the one to tell.
                let _ = std::fs::remove_file(&partial);
                return Err(anyhow::Error::from(error).context(problem()));
            }
            out.flush().with_context(problem)?;
            std::fs::rename(&partial, &path).with_context(problem)?;
            context.ui.note(format!("wrote {}", path.display()));
            Ok(())
        }
    }
}
