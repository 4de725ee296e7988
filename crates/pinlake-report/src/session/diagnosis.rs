//! From DataFusion's errors to ours, told so that the reader can act, and without the data.
//!
//! What fails before rows are read concerns the text of the query, and is told in full with line and column where DataFusion knows
//! them. What fails on rows may quote their values (`Cannot cast string 'jane@example.com' …`), and values
//! are personal data; so such a message is told in the words that such messages are made of and no others, and the original is not kept as a source.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Diagnostic};
use datafusion::logical_expr::{LogicalPlan, Statement};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;

use super::fault::{DataFileError, OutsideError, Place, QueryError};
use super::views;

/// An error of opening a session.
pub(super) fn unexpected(error: &DataFusionError) -> QueryError {
    QueryError::Unexpected { message: error.strip_backtrace() }
}

/// An error of parsing, planning or starting `sql`.
pub(super) fn while_planning(error: &DataFusionError, sql: &str) -> QueryError {
    if let Some(carried) = carried(error) {
        return carried;
    }
    let diagnostic = error.diagnostic().cloned();
    let root = error.find_root();
    let message = match root {
        DataFusionError::ResourcesExhausted(message) => {
            return QueryError::Resources { message: exhausted(message) };
        }
        DataFusionError::Internal(message) => {
            return QueryError::Unexpected { message: one_line(message) };
        }
        DataFusionError::SQL(parser_error, _) => parser_error.to_string(),
        other => other.message().into_owned(),
    };
    let place = diagnostic.as_ref().and_then(|found| spanned(found, sql)).or_else(|| told(&message, sql));
    let mut message = one_line(without_place(&diagnostic.map_or(message, |found| explained(&found))));
    if message.starts_with("table '") && message.ends_with("' not found") {
        message = format!("{message}; there are {}", views::NAMES.join(", "));
    }
    QueryError::Invalid { message, place }
}

/// An error of a query that was already giving rows.
pub(super) fn while_running(error: &DataFusionError, sql: &str, files: &[PathBuf]) -> QueryError {
    if let Some(carried) = carried(error) {
        return carried;
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(message) => QueryError::Resources { message: exhausted(message) },
        DataFusionError::IoError(source) => QueryError::Resources { message: source.to_string() },
        DataFusionError::ExecutionJoin(error) if error.is_panic() => after_panic(files),
        DataFusionError::ParquetError(source) => damaged(&source.to_string(), files),
        DataFusionError::ObjectStore(source) => damaged(&source.to_string(), files),
        DataFusionError::ArrowError(source, _)
            if matches!(**source, ArrowError::ParquetError(_) | ArrowError::ExternalError(_)) =>
        {
            damaged(&source.to_string(), files)
        }
        DataFusionError::ArrowError(source, _) => {
            QueryError::Execution { message: without_values(&source.to_string()) }
        }
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) => while_planning(error, sql),
        DataFusionError::Internal(message) => QueryError::Unexpected { message: without_values(message) },
        other => QueryError::Execution { message: without_values(&other.message()) },
    }
}

/// What could not be had, without the list of who has what.
fn exhausted(message: &str) -> String {
    let told = one_line(message);
    match told.split_once("Error: ") {
        Some((_, error)) => error.to_owned(),
        None => told,
    }
}

/// What an error about the text of an expression says.
pub(crate) fn message_on_text(error: &DataFusionError) -> String {
    one_line(error.find_root().message())
}

/// What an error about rows says, without their values.
pub(crate) fn message_on_rows(error: &DataFusionError) -> String {
    without_values(&error.find_root().message())
}

/// The name of a statement that is no query.
pub(super) fn statement_name(plan: &LogicalPlan) -> String {
    match plan {
        LogicalPlan::Ddl(ddl) => ddl.name().to_owned(),
        LogicalPlan::Dml(dml) => dml.op.to_string(),
        LogicalPlan::Copy(_) => "COPY".to_owned(),
        LogicalPlan::Statement(Statement::SetVariable(_)) => "SET".to_owned(),
        LogicalPlan::Statement(statement) => statement.name().to_owned(),
        _ => "a statement inside EXPLAIN".to_owned(),
    }
}

/// An error of ours, or of whoever provides a table, if DataFusion carries it as an external one.
fn carried(error: &DataFusionError) -> Option<QueryError> {
    let DataFusionError::External(inner) = error.find_root() else { return None };
    if let Some(outside) = inner.downcast_ref::<OutsideError>() {
        return Some(outside.clone().into());
    }
    let found = match inner.downcast_ref::<DataFileError>()? {
        DataFileError::Unreadable { path, source } => DataFileError::Unreadable {
            path: path.clone(),
            source: std::io::Error::new(source.kind(), source.to_string()),
        },
        DataFileError::Length { path, expected_bytes, actual_bytes } => DataFileError::Length {
            path: path.clone(),
            expected_bytes: *expected_bytes,
            actual_bytes: *actual_bytes,
        },
        DataFileError::Damaged { path, message } => {
            DataFileError::Damaged { path: path.clone(), message: message.clone() }
        }
    };
    Some(found.into())
}

/// DataFusion does not say which file was bad, so the first whose footer does not read is named, else their folder.
fn damaged(message: &str, files: &[PathBuf]) -> QueryError {
    let bad = files.iter().find(|path| !footer_reads(path));
    let folder = || files.first().and_then(|path| path.parent()).map(Path::to_path_buf).unwrap_or_default();
    let path = bad.cloned().unwrap_or_else(folder);
    DataFileError::Damaged { path, message: without_values(message) }.into()
}

/// A query ended in a panic. Where a data file cannot be decoded it is that file's damage, and a bug otherwise.
pub(super) fn after_panic(files: &[PathBuf]) -> QueryError {
    match files.iter().find(|path| !decodes(path)) {
        Some(bad) => DataFileError::Damaged { path: bad.clone(), message: UNDECODABLE.to_owned() }.into(),
        None => QueryError::Unexpected { message: "a part of it panicked".to_owned() },
    }
}

/// What is said of a file that makes its reader panic.
const UNDECODABLE: &str = "it cannot be decoded";

/// Whether every value of a file can be read. That is slow, and asked only where something broke.
fn decodes(path: &Path) -> bool {
    let read = || {
        let file = std::fs::File::open(path).ok()?;
        let batches = ParquetRecordBatchReaderBuilder::try_new(file).ok()?.build().ok()?;
        batches.map(Result::ok).all(|batch| batch.is_some()).then_some(())
    };
    std::panic::catch_unwind(read).is_ok_and(|read| read.is_some())
}

fn footer_reads(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return false };
    SerializedFileReader::new(file).is_ok_and(|reader| reader.metadata().num_row_groups() < usize::MAX)
}

fn spanned(diagnostic: &Diagnostic, sql: &str) -> Option<Place> {
    let start = diagnostic.span?.start;
    Place::in_text(sql, usize::try_from(start.line).ok()?, usize::try_from(start.column).ok()?)
}

/// The parser says where only in words: `… at Line: 3, Column: 8`.
fn told(message: &str, sql: &str) -> Option<Place> {
    let (_, place) = message.rsplit_once(" at Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let column: String = column.chars().take_while(char::is_ascii_digit).collect();
    Place::in_text(sql, line.parse().ok()?, column.parse().ok()?)
}

fn without_place(message: &str) -> &str {
    let message = message.rsplit_once(" at Line: ").map_or(message, |(before, _)| before);
    message.strip_prefix("sql parser error: ").unwrap_or(message)
}

fn explained(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    let notes = diagnostic.notes.iter().map(|note| &note.message);
    for more in notes.chain(diagnostic.helps.iter().map(|help| &help.message)) {
        text.push_str("; ");
        text.push_str(more);
    }
    text
}

fn one_line(message: impl AsRef<str>) -> String {
    message.as_ref().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of which the messages of DataFusion, Arrow and Parquet are made, in lower case: those of the literals in their sources.
const WORDS: &str = include_str!("diagnosis/words.txt");

/// A message without values: what stands between the first and the last quote of a kind, and every word that is none of those
/// that messages are made of, is `…`. Values stand in messages without quotes too, and look like anything.
fn without_values(message: &str) -> String {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());
    let mut text = one_line(message);
    for quote in ['\'', '"', '`'] {
        if let (Some(first), Some(last)) = (text.find(quote), text.rfind(quote))
            && first < last
        {
            text.replace_range(first + quote.len_utf8()..last, "…");
        }
    }
    let is_known = |word: &str| word.is_empty() || KNOWN.contains(word.to_lowercase().as_str());
    let cleaned = text.split(' ').map(|token| {
        let core = token.trim_matches(|c: char| c.is_ascii_punctuation());
        let mut words = core.split(|c: char| c.is_ascii_punctuation() && c != '_');
        if core == "…" || words.all(is_known) { token.to_owned() } else { hidden(token, core) }
    });
    cleaned.collect::<Vec<_>>().join(" ")
}

/// A token with `…` in place of its core, which brackets, quotes and the like may stand around.
fn hidden(token: &str, core: &str) -> String {
    let start = token.find(core).unwrap_or_default();
    let is_around = |c: &char| "'\"`()[]{}:,;.".contains(*c);
    let before: String = token[..start].chars().filter(is_around).collect();
    let after: String = token[start + core.len()..].chars().filter(is_around).collect();
    format!("{before}…{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_about_rows_hold_no_values() {
        let cast = "Cast error: Cannot cast string 'o'neil@example.com' to value of Int64 type";
        assert_eq!(without_values(cast), "Cast error: Cannot cast string '…' to value of Int64 type");
        assert_eq!(without_values("Overflow happened on: 92233 + 17"), "Overflow happened on: … + …");
        let key = "map key must be unique, duplicate key found: jane@example.com";
        assert_eq!(without_values(key), "map key must be unique, duplicate key found: …");
        let name = "Unable to parse Jane Doe, +447700900123 (\u{1f642}) as Timestamp(Nanosecond, None)";
        assert_eq!(without_values(name), "Unable to parse … …, … (…) as Timestamp(Nanosecond, None)");
    }
}
