//! Where the prompt remembers what was typed.
//!
//! Queries quote addresses and ids, so the file is its owner's alone (0600, in a folder of 0700), and `PINLAKE_HISTORY` moves
//! it or turns it off. A line that begins with a space is not remembered.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::completion::SqlHelper;
use crate::ui;

/// How many entries are kept.
const ENTRIES: usize = 2_000;

/// The line editor, with what was typed before.
pub(super) struct Remembering {
    pub(super) editor: Editor<SqlHelper, FileHistory>,
    /// None where nothing is to be remembered, or cannot be.
    file: Option<PathBuf>,
}

impl Remembering {
    pub(super) fn new(helper: SqlHelper) -> rustyline::Result<Self> {
        let config = Config::builder()
            .max_history_size(ENTRIES)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(helper));
        let mut remembering = Self { editor, file: place(|name| std::env::var_os(name)) };
        remembering.with_file(|editor, file| {
            if let Some(folder) = file.parent() {
                make_folder(folder)?;
            }
            if file.exists() { editor.load_history(file) } else { Ok(()) }
        });
        Ok(remembering)
    }

    /// Remembers what was typed, now and, unless it began with a space, for the next time.
    pub(super) fn add(&mut self, typed: &str) {
        if self.editor.add_history_entry(typed).unwrap_or(false) {
            self.with_file(Editor::append_history);
        }
    }

    /// Does something with the file. Where that fails, it is told once, and the prompt goes on without.
    fn with_file(
        &mut self,
        act: impl FnOnce(&mut Editor<SqlHelper, FileHistory>, &Path) -> rustyline::Result<()>,
    ) {
        let Some(file) = self.file.take() else { return };
        match act(&mut self.editor, &file) {
            Ok(()) => self.file = Some(file),
            Err(error) => {
                ui::warn(format!("no history from here on: {} cannot be used ({error})", file.display()));
            }
        }
    }
}

/// The file, from the environment; none where it is turned off or where there is no home.
fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(chosen) = variable("PINLAKE_HISTORY") {
        let is_off = chosen.is_empty() || chosen == "off" || chosen == "0";
        return (!is_off).then(|| PathBuf::from(chosen));
    }
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let state = folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local").join("state")))
        .or_else(|| folder("LOCALAPPDATA"))?;
    Some(state.join("pinlake").join("sql_history"))
}

fn make_folder(folder: &Path) -> Result<(), ReadlineError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    Ok(builder.create(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        place(|name| find(name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn the_environment_says_where() {
        let home = ("HOME", "/home/a");
        assert_eq!(place_with(&[home]), Some("/home/a/.local/state/pinlake/sql_history".into()));
        assert_eq!(place_with(&[home, ("XDG_STATE_HOME", "/s")]), Some("/s/pinlake/sql_history".into()));
        // The specification has relative paths ignored.
        assert_eq!(place_with(&[home, ("XDG_STATE_HOME", "s")]), place_with(&[home]));
        assert_eq!(place_with(&[home, ("PINLAKE_HISTORY", "/h")]), Some("/h".into()));
        for off in ["", "off", "0"] {
            assert_eq!(place_with(&[home, ("PINLAKE_HISTORY", off)]), None);
        }
        assert_eq!(place_with(&[]), None);
    }
}
