//! The prompt's own commands, which begin with a backslash.

use std::path::PathBuf;

use pinlake_report::Format;

use crate::args::values::assignment;

/// What they are, for people and for completion.
pub(super) const COMMANDS: [(&str, &str, &str); 9] = [
    ("\\d", "", "list the tables and views"),
    ("\\d", "NAME", "list the columns of one"),
    ("\\r", "", "list the reports"),
    ("\\r", "NAME [name=value]…", "run a report (also \\report)"),
    ("\\o", "[FILE]", "write each result to a file, in place of the one before; back to the terminal"),
    ("\\format", "[FORMAT]", "table, csv, json, ndjson, markdown …; back to table"),
    ("\\timing", "", "show how long each query takes, or stop that"),
    ("\\?", "", "this help"),
    ("\\q", "", "leave (also Ctrl-D)"),
];

/// A command that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Quit,
    Tables,
    Columns(String),
    Reports,
    Report { name: String, given: Vec<(String, String)> },
    Out(Option<PathBuf>),
    Format(Option<Format>),
    Timing,
}

impl Command {
    /// Reads a line that begins with a backslash.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let words = words(line)?;
        let (name, arguments) = words.split_first().ok_or("nothing to do")?;
        let at_most = |most: usize, command: Self| match arguments.get(most) {
            None => Ok(command),
            Some(stray) => Err(format!("`{stray}` is one word too many for {name}")),
        };
        let first = arguments.first();
        match name.as_str() {
            "\\?" | "\\h" | "\\help" => at_most(0, Self::Help),
            "\\q" | "\\quit" => at_most(0, Self::Quit),
            "\\d" => at_most(1, first.map_or(Self::Tables, |table| Self::Columns(table.clone()))),
            "\\o" => at_most(1, Self::Out(first.map(PathBuf::from))),
            "\\format" => {
                let format = first.map(|format| format.parse::<Format>()).transpose();
                at_most(1, Self::Format(format.map_err(|error| error.to_string())?))
            }
            "\\timing" => at_most(0, Self::Timing),
            "\\r" | "\\report" => match arguments.split_first() {
                None => Ok(Self::Reports),
                Some((name, given)) => {
                    let given = given.iter().map(|word| assignment(word)).collect::<Result<_, _>>()?;
                    Ok(Self::Report { name: name.clone(), given })
                }
            },
            unknown => Err(format!("there is no command {unknown}; \\? lists them")),
        }
    }
}

/// The words of a line: separated by white space, which quotes keep together.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a quote {open} without an end"));
    }
    words.extend(word);
    Ok(words)
}

/// The commands, one a line.
pub(super) fn help() -> String {
    let queries = [
        ("SELECT …;", "", "run a query; it may span lines and ends with a semicolon"),
        ("… FROM read_pieces('PLACE')", "", "pieces where they lie: a folder, a file, an S3 prefix"),
    ];
    let keys = [
        ("Tab", "", "complete a word of SQL, a table, a column, a report, a file"),
        ("Ctrl-C", "", "clear what is typed, or stop the query that runs"),
    ];
    let all = queries.iter().chain(&COMMANDS).chain(&keys);
    let line = |(name, arguments, about): &(&str, &str, &str)| {
        format!("  {:<30}{about}", format!("{name} {arguments}"))
    };
    all.map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_their_words() {
        assert_eq!(Command::parse("\\d"), Ok(Command::Tables));
        assert_eq!(Command::parse("\\d users"), Ok(Command::Columns("users".into())));
        assert_eq!(Command::parse("\\o 'my rows.csv'"), Ok(Command::Out(Some("my rows.csv".into()))));
        assert_eq!(Command::parse("\\o"), Ok(Command::Out(None)));
        assert_eq!(Command::parse("\\format json"), Ok(Command::Format(Some(Format::Json))));
        let given = vec![("name".to_owned(), "two words".to_owned()), ("n".to_owned(), "=".to_owned())];
        let report = Command::Report { name: "growth".into(), given };
        assert_eq!(Command::parse("\\report growth name=\"two words\" n=="), Ok(report));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("\\x", "\\x"),
            ("\\format docx", "docx"),
            ("\\d a b", "`b`"),
            ("\\r growth month", "`month`"),
            ("\\o 'open", "quote"),
        ] {
            let error = Command::parse(line).unwrap_err();
            assert!(error.contains(named), "{line}: {error}");
        }
    }
}
