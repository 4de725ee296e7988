//! The journal of a staging: what of its work is done for good, so that nobody need do it again.
//!
//! `.staging/ID/journal.ndjson` has one JSON object a line. The first says what work it is ([`RunIdentity`]); a
//! [`Checkpoint`] names data files that are whole and synced, with the caller's notes on what is in them; the last says
//! which publication was about to be made. A line is synced before anybody relies on it, and files are synced before
//! the line that names them. A kill may cut the last line short: it is passed over then, and written again.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::disk::{self, At as _};
use crate::layout::StagedLayout;
use crate::{DataFile, LakeError};

/// What work a run does. A run goes on with what another staged only if the two are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// What is read, as it was named.
    pub source: String,
    /// Everything else that decides what the data files hold, in any form of the caller's.
    pub terms: String,
}

/// A part of the work that is done for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Data files that are whole, synced and in no other checkpoint.
    pub files: Vec<DataFile>,
    /// What the caller noted of them.
    pub notes: serde_json::Value,
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Begun(RunIdentity),
    Checkpoint(Checkpoint),
    Publishing(Uuid),
}

/// What a journal says.
#[derive(Debug)]
pub(crate) struct Journaled {
    pub(crate) identity: RunIdentity,
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// The publication that was about to be made when the journal ended.
    pub(crate) publishing: Option<Uuid>,
}

impl Journaled {
    /// Reads the journal of a staging that nobody works on. `None` where there is none, or not one whole line of it.
    pub(crate) fn read(staged: &StagedLayout) -> Result<Option<Self>, LakeError> {
        let path = staged.journal();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            result => result.at("read", &path)?,
        };
        let mut lines = whole_lines(&bytes);
        let Some(Line::Begun(identity)) = lines.next() else { return Ok(None) };
        let mut journaled = Self { identity, checkpoints: Vec::new(), publishing: None };
        for line in lines {
            match line {
                Line::Begun(_) => break,
                Line::Checkpoint(checkpoint) => journaled.checkpoints.push(checkpoint),
                Line::Publishing(uuid) => journaled.publishing = Some(uuid),
            }
        }
        Ok(Some(journaled))
    }

    /// Whether something would be lost with it.
    pub(crate) fn is_of_use(&self) -> bool {
        !self.checkpoints.is_empty() || self.publishing.is_some()
    }
}

/// Lines up to the first that is none.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = Line> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.map_while(|line| serde_json::from_slice(line.strip_suffix(b"\n")?).ok())
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Begins a journal with what an earlier run left and is still good. It takes the place of the earlier one whole.
    pub(crate) fn begin(
        staged: &StagedLayout,
        identity: RunIdentity,
        kept: &[Checkpoint],
    ) -> Result<Self, LakeError> {
        let path = staged.journal();
        let mut text = line_text(&path, &Line::Begun(identity))?;
        for checkpoint in kept {
            text.push_str(&line_text(&path, &Line::Checkpoint(checkpoint.clone()))?);
        }
        disk::write_whole(&path, |out| out.write_all(text.as_bytes()))?;
        let file = OpenOptions::new().append(true).open(&path).at("open", &path)?;
        Ok(Self { path, file })
    }

    /// Notes a checkpoint, whose files are synced.
    pub(crate) fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), LakeError> {
        self.append(&Line::Checkpoint(checkpoint))
    }

    /// Notes which publication is about to be made.
    pub(crate) fn publishing(&mut self, uuid: Uuid) -> Result<(), LakeError> {
        self.append(&Line::Publishing(uuid))
    }

    fn append(&mut self, line: &Line) -> Result<(), LakeError> {
        let text = line_text(&self.path, line)?;
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        written.at("write", &self.path)
    }
}

fn line_text(path: &Path, line: &Line) -> Result<String, LakeError> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from).at("write", path)?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::id;
    use crate::layout::Layout;

    fn identity() -> RunIdentity {
        RunIdentity { source: "s3://bucket/prefix/".to_owned(), terms: "abc".to_owned() }
    }

    fn checkpoint(number: u64) -> Checkpoint {
        Checkpoint { files: Vec::new(), notes: serde_json::json!({ "number": number }) }
    }

    #[test]
    fn a_journal_cut_at_any_byte_tells_what_was_whole() {
        let folder = tempfile::tempdir().unwrap();
        let staged = Layout::new(folder.path().to_owned()).staged(&id("x"));
        disk::make_folder(staged.folder()).unwrap();
        assert!(Journaled::read(&staged).unwrap().is_none());
        let mut journal = Journal::begin(&staged, identity(), &[checkpoint(0)]).unwrap();
        let mut ends = vec![std::fs::read(staged.journal()).unwrap().len()];
        for number in 1..4 {
            journal.checkpoint(checkpoint(number)).unwrap();
            ends.push(std::fs::read(staged.journal()).unwrap().len());
        }
        journal.publishing(Uuid::from_u128(7)).unwrap();
        let whole = std::fs::read(staged.journal()).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(staged.journal(), &whole[..cut]).unwrap();
            let Some(read) = Journaled::read(&staged).unwrap() else {
                assert!(cut < ends[0]);
                continue;
            };
            assert_eq!(read.identity, identity());
            let expected: Vec<_> =
                (0..4).filter(|number| ends[usize::try_from(*number).unwrap()] <= cut).collect();
            let numbers: Vec<_> =
                read.checkpoints.iter().map(|it| it.notes["number"].as_u64().unwrap()).collect();
            assert!(numbers == expected || (cut < ends[0] && numbers.is_empty()), "{cut}: {numbers:?}");
            assert_eq!(read.publishing.is_some(), cut == whole.len());
        }
    }
}
