//! Completion with the tab key: words of SQL, tables, columns, functions, reports, formats, and files.

use std::path::Path;

use pinlake_report::{Catalogue, Format, Session};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::command::COMMANDS;

const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "SELECT",
    "SHOW",
    "THEN",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Behind these words only a table makes sense.
const BEFORE_TABLES: [&str; 2] = ["from", "join"];

/// Everything that can be completed.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    tables: Vec<String>,
    columns: Vec<String>,
    functions: Vec<String>,
    /// Reports with the names of their parameters.
    reports: Vec<(String, Vec<String>)>,
}

impl Vocabulary {
    /// The words of a session and of a catalogue.
    pub(super) async fn of(session: &Session, catalogue: &Catalogue) -> anyhow::Result<Self> {
        let tables: Vec<String> = session.view_names().into_iter().map(str::to_owned).collect();
        let mut columns = Vec::new();
        for table in &tables {
            let schema = session.table_schema(table).await?;
            columns.extend(schema.fields().iter().map(|field| field.name().clone()));
        }
        columns.sort_unstable();
        columns.dedup();
        let reports = catalogue.list().iter().map(|template| {
            let parameters = template.parameters.iter().map(|parameter| parameter.name.clone());
            (template.name.clone(), parameters.collect())
        });
        Ok(Self { tables, columns, functions: session.function_names(), reports: reports.collect() })
    }

    /// Where the word at the end of `typed` begins, and what it may become.
    fn complete(&self, typed: &str) -> (usize, Vec<String>) {
        if let Some(start) = open_place(typed) {
            return files(start, &typed[start..]);
        }
        let start = typed
            .rfind(|character: char| !is_of_word(character))
            .map_or(0, |at| at + last_length(&typed[at..]));
        let before: Vec<&str> = typed[..start].split_whitespace().collect();
        let line = typed.trim_start();
        if line.starts_with('\\') && !line.contains(char::is_whitespace) {
            return (typed.len() - line.len(), matching(COMMANDS.iter().map(|(name, _, _)| *name), line));
        }
        match before.first() {
            Some(command) if command.starts_with('\\') => self.argument(command, &before[1..], start, typed),
            _ => self.word(&before, start, &typed[start..]),
        }
    }

    fn argument(&self, command: &str, before: &[&str], start: usize, typed: &str) -> (usize, Vec<String>) {
        let word = &typed[start..];
        let names = self.reports.iter().map(|(name, _)| name.as_str());
        match (command, before) {
            ("\\d", []) => (start, matching(self.tables.iter().map(String::as_str), word)),
            ("\\format", []) => (start, matching(Format::names(), word)),
            ("\\r" | "\\report", []) => {
                // A report's name may hold a hyphen, which ends a word of SQL.
                let start = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                (start, matching(names, &typed[start..]))
            }
            ("\\r" | "\\report", [name, ..]) if names.clone().any(|known| known == *name) => {
                let parameters =
                    self.reports.iter().filter(|(known, _)| known == name).flat_map(|(_, names)| names);
                let assigned: Vec<String> = parameters.map(|parameter| format!("{parameter}=")).collect();
                (start, matching(assigned.iter().map(String::as_str), word))
            }
            ("\\r" | "\\report", _) => {
                let start = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                (start, matching(names, &typed[start..]))
            }
            ("\\o", _) => {
                let start = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                files(start, &typed[start..])
            }
            _ => (start, Vec::new()),
        }
    }

    fn word(&self, before: &[&str], start: usize, word: &str) -> (usize, Vec<String>) {
        if let Some((_, column)) = word.rsplit_once('.') {
            let start = start + word.len() - column.len();
            return (start, matching(self.columns.iter().map(String::as_str), column));
        }
        let tables = self.tables.iter().map(String::as_str);
        let is_after = |words: &[&str]| {
            before.last().is_some_and(|last| words.iter().any(|word| last.eq_ignore_ascii_case(word)))
        };
        if is_after(&BEFORE_TABLES) {
            return (start, matching(tables.chain(["read_pieces("]), word));
        }
        if word.is_empty() {
            return (start, Vec::new());
        }
        let is_lower = word.chars().all(|character| !character.is_uppercase());
        let keyword = |keyword: &&str| if is_lower { keyword.to_lowercase() } else { (*keyword).to_owned() };
        let keywords: Vec<String> = KEYWORDS.iter().map(keyword).collect();
        let names = self.columns.iter().chain(&self.functions).chain(&keywords).map(String::as_str);
        (start, matching(tables.chain(names), word))
    }
}

/// Those of `words` that begin like `typed`, sorted, each once.
fn matching<'w>(words: impl Iterator<Item = &'w str>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    let mut found: Vec<String> =
        words.filter(|word| word.to_lowercase().starts_with(&typed)).map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.')
}

fn last_length(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Where the text begins that `read_pieces('` has opened and nothing has closed.
fn open_place(typed: &str) -> Option<usize> {
    let at = typed.to_ascii_lowercase().rfind("read_pieces(")? + "read_pieces(".len();
    let space = typed[at..].len() - typed[at..].trim_start().len();
    let place = typed[at + space..].strip_prefix('\'')?;
    (!place.contains('\'')).then_some(typed.len() - place.len())
}

/// Files and folders that `typed`, which begins at `start`, may become. Folders end in a slash.
fn files(start: usize, typed: &str) -> (usize, Vec<String>) {
    let (folder, beginning) = typed.rsplit_once('/').map_or(("", typed), |(folder, name)| (folder, name));
    let base = typed.len() - beginning.len();
    let place = match (base, folder) {
        (0, _) => Path::new("."),
        (_, "") => Path::new("/"),
        (_, folder) => Path::new(folder),
    };
    let Ok(entries) = std::fs::read_dir(place) else { return (start, Vec::new()) };
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let is_shown =
                name.starts_with(beginning) && (!name.starts_with('.') || beginning.starts_with('.'));
            let slash = if entry.path().is_dir() { "/" } else { "" };
            is_shown.then(|| format!("{name}{slash}"))
        })
        .collect();
    found.sort_unstable();
    (start + base, found)
}

/// The vocabulary as the line editor asks for it.
#[derive(Debug)]
pub(super) struct SqlHelper(pub(super) Vocabulary);

impl Completer for SqlHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, words) = self.0.complete(&line[..at]);
        let pair = |word: String| Pair { display: word.clone(), replacement: word };
        Ok((start, words.into_iter().map(pair).collect()))
    }
}

impl Hinter for SqlHelper {
    type Hint = String;
}

impl Highlighter for SqlHelper {}

impl Validator for SqlHelper {}

impl Helper for SqlHelper {}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(typed: &str) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let vocabulary = Vocabulary {
            tables: words(&["endpoints", "all_endpoints", "users"]),
            columns: words(&["channel_type", "city", "country", "user_id"]),
            functions: words(&["count", "upper"]),
            reports: vec![
                ("opt-out".to_owned(), words(&["channel", "top"])),
                ("growth".to_owned(), Vec::new()),
            ],
        };
        let (start, found) = vocabulary.complete(typed);
        found.into_iter().map(|word| format!("{}{word}", &typed[..start])).collect()
    }

    #[test]
    fn words_of_sql_tables_and_columns() {
        assert_eq!(completed("sel"), ["select"]);
        assert_eq!(completed("SEL"), ["SELECT"]);
        assert_eq!(completed("select cou"), ["select count", "select country"]);
        assert_eq!(completed("select e.ci"), ["select e.city"]);
        assert_eq!(completed("select max(ci"), ["select max(city"]);
        assert_eq!(completed("select * from e"), ["select * from endpoints"]);
        assert_eq!(completed("select * from rea"), ["select * from read_pieces("]);
        assert_eq!(completed("select é.ci"), ["select é.city"]);
        assert!(completed("select ").is_empty());
    }

    #[test]
    fn commands_and_their_arguments() {
        assert_eq!(completed("\\ti"), ["\\timing"]);
        assert_eq!(completed("\\d us"), ["\\d users"]);
        assert_eq!(completed("\\r opt-o"), ["\\r opt-out"]);
        assert_eq!(completed("\\report gro"), ["\\report growth"]);
        assert_eq!(completed("\\r opt-out to"), ["\\r opt-out top="]);
        assert_eq!(completed("\\format pa"), ["\\format parquet"]);
    }

    #[test]
    fn places_of_pieces_are_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("exports")).unwrap();
        std::fs::write(folder.path().join("export.gz"), "").unwrap();
        std::fs::write(folder.path().join(".hidden"), "").unwrap();
        let typed = format!("select * from read_pieces('{}/", folder.path().display());
        assert_eq!(
            completed(&format!("{typed}exp")),
            [format!("{typed}export.gz"), format!("{typed}exports/")]
        );
        assert_eq!(completed(&typed).len(), 2);
        assert!(completed(&format!("{typed}none/x")).is_empty());
    }
}
