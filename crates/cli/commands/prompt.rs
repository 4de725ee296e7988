//! The prompt of `pinlake sql`: queries end with a semicolon and may span lines.

use pinlake_report::Bindings;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::analysis::OpenLake;
use super::output::Output;
use super::sql::answer;
use super::{Context, interrupted};

const HELP: &str = "\
  SELECT …;   run a query; it may span lines and ends with a semicolon
  \\d          list the views
  \\d VIEW     list a view's columns
  \\q          leave (or Ctrl-D)";

/// Reads and answers queries until the end of the input. An error of a query is told and the prompt goes on.
pub(super) async fn converse(context: &Context, lake: &OpenLake, output: &Output) -> anyhow::Result<()> {
    let snapshot = lake.snapshot.as_ref().map_or_else(|| "no snapshot yet".to_owned(), ToString::to_string);
    context.ui.note(format!("lake {} · {snapshot} · \\? for help", lake.lake.root().display()));
    let mut editor = DefaultEditor::new()?;
    let mut pending = String::new();
    loop {
        let mark = if pending.is_empty() { "pinlake> " } else { "      -> " };
        // The editor blocks its thread, so it gets one of its own.
        let (line, returned) = tokio::task::spawn_blocking(move || (editor.readline(mark), editor)).await?;
        editor = returned;
        match line {
            Ok(line) => {
                if !pending.is_empty() {
                    pending.push('\n');
                }
                pending.push_str(&line);
            }
            Err(ReadlineError::Interrupted) => {
                pending.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let text = pending.trim().to_owned();
        let Some(query) = complete(&text) else { continue };
        pending.clear();
        if !text.is_empty() {
            editor.add_history_entry(&text)?;
        }
        match query.as_str() {
            "" => {}
            "\\q" | "exit" | "quit" => return Ok(()),
            "\\?" | "help" => context.ui.note(HELP),
            query => tell(context, lake, query, output).await?,
        }
    }
}

/// The query or command in `text`, once it is whole.
fn complete(text: &str) -> Option<String> {
    let is_command = text.starts_with('\\') || matches!(text, "" | "exit" | "quit" | "help");
    if is_command {
        return Some(text.trim_end_matches(';').to_owned());
    }
    text.strip_suffix(';').map(|query| query.trim().to_owned())
}

async fn tell(context: &Context, lake: &OpenLake, query: &str, output: &Output) -> anyhow::Result<()> {
    let query = match query.strip_prefix("\\d") {
        None => query.to_owned(),
        Some("") => "SELECT table_name AS view FROM information_schema.tables \
                     WHERE table_schema = 'lake' ORDER BY table_name"
            .to_owned(),
        Some(view) => format!("DESCRIBE {}", view.trim()),
    };
    let no_values = Bindings::none();
    let answered = tokio::select! {
        answered = answer(context, lake, &query, &no_values, output) => answered,
        signal = interrupted() => signal,
    };
    // Only a closed terminal ends the conversation; anything else is told and the prompt comes back.
    if let Err(error) = answered {
        let closed = error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
            .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe);
        if closed {
            return Err(error);
        }
        eprintln!("{error:#}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn a_query_ends_with_a_semicolon() {
        assert_eq!(complete("select 1"), None);
        assert_eq!(complete("select\n1 ;").as_deref(), Some("select\n1"));
        assert_eq!(complete("\\d endpoints;").as_deref(), Some("\\d endpoints"));
        assert_eq!(complete("").as_deref(), Some(""));
    }
}
