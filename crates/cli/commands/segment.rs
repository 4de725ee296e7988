//! `pinlake segment`: the exact members of a segment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use pinlake_report::{
    MembersRequest, QueryStream, Segment, SegmentBook, SegmentDefinition, members, render_stream,
};

use super::Context;
use super::analysis::{OpenLake, rendering_bytes};
use super::output::{Output, PartialFile};
use crate::args::{EvaluateArgs, OutputArgs, SegmentCommand, chosen};
use crate::exit::CliError;
use crate::ui;

/// The longest file of definitions that is read: a page of segments has some hundred kilobytes.
const MAX_DEFINITION_BYTES: u64 = 64 << 20;

/// Carries out one of the commands.
pub(crate) async fn run(context: &Context, command: &SegmentCommand) -> anyhow::Result<()> {
    match command {
        SegmentCommand::Evaluate(args) => evaluate(context, args).await,
    }
}

/// Writes the members of a segment, and tells how many there are.
async fn evaluate(context: &Context, args: &EvaluateArgs) -> anyhow::Result<()> {
    // What was typed and written is looked at before the lake is.
    let (name, text) = read(&args.definition)?;
    let definition = SegmentDefinition::parse(&name, &text)?;
    let book = book(&args.segments)?;
    let lake = OpenLake::open(&context.settings.lake, chosen(args.snapshot.as_deref())?, &context.settings);
    let lake = lake.await?;
    let Some(snapshot) = &lake.snapshot else {
        return Err(CliError::usage("the lake has no snapshot yet").into());
    };
    let segment = Segment::resolve(&definition, &book, &snapshots_of_members(&lake, &args.members)?)?;
    for field in segment.fields() {
        if let Some(mode) = lake.redaction(field) {
            let field = ui::printable(field);
            ui::warn(format!(
                "warning: {field} is redacted ({mode}) in this snapshot, so that it does not tell who is a member"
            ));
        }
    }
    let output = output(context, args, &lake)?;
    let request =
        MembersRequest { at: moment(context, args, &lake, &segment), columns: args.columns.clone() };
    let stream = members(&lake.session, &segment, &request).await?;
    let count = write(context, &output, stream).await?;
    let of = lake.lake.snapshot(snapshot)?.rows;
    let (count, of) = (ui::count(count), ui::count(of));
    context.ui.note(format!("{count} of {of} endpoints of snapshot {snapshot} are members"));
    Ok(())
}

fn output(context: &Context, args: &EvaluateArgs, lake: &OpenLake) -> anyhow::Result<Output> {
    let flags = OutputArgs {
        formats: args.format.into_iter().collect(),
        out: args.out.clone(),
        max_rows: args.max_rows,
        csv_safe: args.csv_safe,
        ..OutputArgs::default()
    };
    let output = Output::new(&flags, lake.facts())?.within(rendering_bytes(&context.settings));
    output.check()?;
    Ok(output)
}

/// When the segment is evaluated for; told where it matters.
fn moment(context: &Context, args: &EvaluateArgs, lake: &OpenLake, segment: &Segment) -> DateTime<Utc> {
    let (at, what) = match args.at {
        Some(at) => (at, "--at"),
        None => lake.moment().unwrap_or_default(),
    };
    if segment.has_recency() {
        let hint = if args.at.is_some() { "" } else { "; --at names another moment" };
        let at = at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        context.ui.note(format!("recency is told for {at}, {what}{hint}"));
    }
    at
}

/// Writes the members as they come, and returns how many there were.
async fn write(context: &Context, output: &Output, stream: QueryStream) -> anyhow::Result<u64> {
    let format = output.one_format("a segment")?;
    match output.stream_target("members", format)? {
        None => {
            let mut out = BufWriter::new(io::stdout());
            let count = render_stream(stream, format, &output.options, &mut out).await?;
            out.flush()?;
            Ok(count)
        }
        Some(path) => {
            let problem = format!("cannot write {}", path.display());
            let mut file = PartialFile::create(path)?;
            let written = render_stream(stream, format, &output.options, &mut file).await;
            let count = written.map_err(anyhow::Error::from).context(problem)?;
            context.ui.note(format!("wrote {}", file.keep()?.display()));
            Ok(count)
        }
    }
}

/// The snapshots that hold the members of imported segments, by the segment's id; `latest` is the lake's.
fn snapshots_of_members(
    lake: &OpenLake,
    given: &[(String, String)],
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut snapshots = BTreeMap::new();
    for (segment, named) in given {
        let snapshot =
            match chosen(Some(named))?.or_else(|| lake.lake.latest().map(|latest| latest.id.clone())) {
                Some(id) => id.to_string(),
                None => return Err(CliError::usage("the lake has no snapshot yet").into()),
            };
        if snapshots.insert(segment.clone(), snapshot).is_some() {
            return Err(CliError::usage(format!("--members {segment} is given twice")).into());
        }
    }
    Ok(snapshots)
}

/// The segments that others may stand on.
fn book(given: &[PathBuf]) -> anyhow::Result<SegmentBook> {
    let mut book = SegmentBook::default();
    for path in given {
        for file in if path.is_dir() { definitions_in(path)? } else { vec![path.clone()] } {
            let (name, text) = read(&file)?;
            book.add(&name, &text)?;
        }
    }
    Ok(book)
}

/// The JSON files right in a folder, in order of their names.
fn definitions_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let problem = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(problem)? {
        let path = entry.with_context(problem)?.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(CliError::usage(format!("there is no .json file in {}", folder.display())).into());
    }
    Ok(files)
}

/// A file's text, and what messages call the file.
fn read(file: &Path) -> anyhow::Result<(String, String)> {
    let is_stdin = file == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { file.display().to_string() };
    let problem = || format!("cannot read {name}");
    let from: Box<dyn io::Read> =
        if is_stdin { Box::new(io::stdin()) } else { Box::new(File::open(file).with_context(problem)?) };
    let mut bytes = Vec::new();
    from.take(MAX_DEFINITION_BYTES + 1).read_to_end(&mut bytes).with_context(problem)?;
    if bytes.len() as u64 > MAX_DEFINITION_BYTES {
        let message = format!("{name} is longer than {MAX_DEFINITION_BYTES} bytes, and no segment is");
        return Err(CliError::usage(message).into());
    }
    let text = String::from_utf8(bytes).map_err(|_| CliError::usage(format!("{name} is not UTF-8 text")))?;
    Ok((name, text))
}
