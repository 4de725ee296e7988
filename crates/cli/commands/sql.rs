//! `pinlake sql`: one query, or a prompt.

mod desk;
mod pieces;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use pinlake_report::{Bindings, MAX_SQL_BYTES, render_stream};

use super::analysis::rendering_bytes;
use super::output::{Output, PartialFile};
use super::{Context, interrupted, prompt, stoppable};
use crate::args::{OutputArgs, SqlArgs, chosen};
use crate::exit::CliError;

pub(super) use desk::Desk;
use pieces::PieceLog;

/// Runs the query that was given, read from a file, or typed at the prompt.
pub(crate) async fn run(context: &Context, args: SqlArgs) -> anyhow::Result<()> {
    let query = match (&args.query, &args.file) {
        (Some(query), _) => Some(query.clone()),
        (None, Some(file)) => Some(read(file)?),
        (None, None) if io::stdin().is_terminal() => None,
        (None, None) => Some(read(Path::new("-"))?),
    };
    let Some(query) = query else {
        let snapshot = chosen(args.output.snapshot.as_deref())?;
        let desk = Desk::open(context, snapshot, PieceLog::default()).await?;
        return prompt::converse(context, Arc::new(desk), args.output).await;
    };
    once(context, args.output, query).await
}

/// Runs one query.
async fn once(context: &Context, args: OutputArgs, query: String) -> anyhow::Result<()> {
    let log = PieceLog::default();
    let (own, pieces) = (context.clone(), log.clone());
    let work = async move {
        let desk = Desk::open(&own, chosen(args.snapshot.as_deref())?, pieces).await?;
        let output = Output::new(&args, desk.facts.clone())?.within(rendering_bytes(&own.settings));
        let bindings = Bindings::inferred(args.params.into_iter().collect());
        answer(own, Arc::new(desk), query, bindings, output).await
    };
    let answered = stoppable(work, interrupted()).await;
    log.tell(context.ui);
    answered.unwrap_or_else(|| Err(CliError::Interrupted.into()))
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let query = read_query(io::stdin().lock(), "stdin")?;
        if query.trim().is_empty() {
            return Err(
                CliError::usage("no query: give one as an argument, with -f FILE, or on stdin").into()
            );
        }
        return Ok(query);
    }
    let name = file.display().to_string();
    read_query(File::open(file).with_context(|| format!("cannot read {name}"))?, &name)
}

/// A query from something that may have no end, such as a pipe.
fn read_query(from: impl io::Read, name: &str) -> anyhow::Result<String> {
    let mut query = Vec::new();
    from.take(MAX_SQL_BYTES as u64 + 1)
        .read_to_end(&mut query)
        .with_context(|| format!("cannot read {name}"))?;
    if query.len() > MAX_SQL_BYTES {
        let message =
            format!("{name} is longer than {MAX_SQL_BYTES} bytes, which is more than a query may be");
        return Err(CliError::usage(message).into());
    }
    String::from_utf8(query).map_err(|_| CliError::usage(format!("{name} is not UTF-8 text")).into())
}

/// Runs one query and writes its rows as they come.
pub(super) async fn answer(
    context: Context,
    desk: Arc<Desk>,
    query: String,
    bindings: Bindings,
    output: Output,
) -> anyhow::Result<()> {
    let format = output.one_format("a query")?;
    let stream = desk.session.stream(&query, &bindings).await?;
    match output.stream_target("query", format)? {
        None => {
            let mut out = BufWriter::new(io::stdout());
            render_stream(stream, format, &output.options, &mut out).await?;
            Ok(out.flush()?)
        }
        Some(path) => {
            let problem = format!("cannot write {}", path.display());
            let mut file = PartialFile::create(path)?;
            let written = render_stream(stream, format, &output.options, &mut file).await;
            written.map_err(anyhow::Error::from).context(problem)?;
            context.ui.note(format!("wrote {}", file.keep()?.display()));
            Ok(())
        }
    }
}
