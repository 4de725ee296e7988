//! `rejects.ndjson`: every rejected line, in the order of pieces and lines, whatever order blocks are decoded in.
//!
//! Each piece's rejects go to a part of their own, opened with the first; at the end the parts become one file. They stay until
//! the run is published, so that a run that dies can be taken up again with the parts of the pieces that were done.
//! In memory are only those of blocks that were decoded before an earlier block of their piece. How many are too many is
//! said here too ([`MaxRejects`]), and judged at the end by whoever publishes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pinlake_decode::Reject;

use crate::error::IngestError;
use crate::scratch::{Scratch, spill};

/// How many rejects are put up with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxRejects {
    /// At most this many lines.
    Count(u64),
    /// At most this share of the lines that are not blank, in percent.
    Percent(f64),
}

impl MaxRejects {
    /// Whether `rejects` among `lines` lines that are not blank are too many.
    #[must_use]
    pub fn is_exceeded(self, rejects: u64, lines: u64) -> bool {
        match self {
            Self::Count(most) => rejects > most,
            Self::Percent(percent) => rejects as f64 * 100.0 > percent * lines as f64,
        }
    }
}

impl FromStr for MaxRejects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is neither a number of lines nor a percentage such as 0.1%");
        match text.strip_suffix('%') {
            Some(percent) => percent
                .parse()
                .ok()
                .filter(|percent: &f64| (0.0..=100.0).contains(percent))
                .map(Self::Percent)
                .ok_or_else(wrong),
            None => text.parse().map(Self::Count).map_err(|_| wrong()),
        }
    }
}

/// Where the rejects of all pieces are collected.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: PathBuf,
    scratch: Scratch,
    /// Whether the text of the lines is written.
    is_raw: bool,
    /// The names of the pieces' parts, by the index of the piece.
    parts: Mutex<BTreeMap<usize, String>>,
}

impl Rejects {
    /// Collects into `path`, an existing empty file, by way of parts in `scratch`; `parts` are there already. Where not `is_raw`, the
    /// text of the lines is left out.
    pub(crate) fn new(path: PathBuf, scratch: Scratch, parts: BTreeMap<usize, String>, is_raw: bool) -> Self {
        Self { path, scratch, is_raw, parts: Mutex::new(parts) }
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<usize, String>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the part of a piece.
    fn open_part(&self, piece: usize) -> Result<RejectPart, IngestError> {
        let (name, file) = self.scratch.make(&format!("rejects-{piece:09}"))?;
        let path = self.scratch.path(&name);
        self.parts().insert(piece, name);
        Ok(RejectPart { path, file: BufWriter::new(file), is_raw: self.is_raw })
    }

    /// Makes the part of a finished piece last and gives its name, if the piece has one.
    pub(crate) fn save(&self, piece: usize) -> Result<Option<String>, IngestError> {
        let name = self.parts().get(&piece).cloned();
        name.map(|name| self.scratch.sync(&name).map(|()| name)).transpose()
    }

    /// Makes one file of the parts. Returns the first line of it, for a message.
    pub(crate) fn join(&self) -> Result<Option<FirstReject>, IngestError> {
        let mut all =
            OpenOptions::new().append(true).open(&self.path).map_err(|source| spill(&self.path, source))?;
        for name in self.parts().values() {
            let part = self.scratch.path(name);
            let mut file = File::open(&part).map_err(|source| spill(&part, source))?;
            std::io::copy(&mut file, &mut all).map_err(|source| spill(&self.path, source))?;
        }
        drop(all);
        FirstReject::read(&self.path)
    }
}

/// The first line of a finished `rejects.ndjson`, without its raw text.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct FirstReject {
    piece: String,
    line: u64,
    reason: String,
}

impl FirstReject {
    fn read(path: &Path) -> Result<Option<Self>, IngestError> {
        let file = File::open(path).map_err(|source| spill(path, source))?;
        // Not by way of the line's text: escaped, a long line of control characters is six times as long.
        let mut json = serde_json::Deserializer::from_reader(BufReader::new(file));
        match <Self as serde::Deserialize>::deserialize(&mut json) {
            Ok(first) => Ok(Some(first)),
            Err(error) if error.is_io() => Err(spill(path, error.into())),
            Err(_) => Ok(None),
        }
    }
}

impl std::fmt::Display for FirstReject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "piece `{}`, line {}: {}", self.piece, self.line, self.reason)
    }
}

#[derive(Debug)]
struct RejectPart {
    path: PathBuf,
    file: BufWriter<File>,
    is_raw: bool,
}

/// The rejects of one piece, brought into the order of its blocks.
#[derive(Debug, Default)]
pub(crate) struct PieceRejects {
    part: Option<RejectPart>,
    /// The block whose rejects are written next.
    next_block: u64,
    /// Rejects of later blocks.
    waiting: BTreeMap<u64, Vec<Reject>>,
}

impl PieceRejects {
    /// Takes the rejects of a block, none included, so that the order is known.
    pub(crate) fn add(
        &mut self,
        rejects: &Rejects,
        (piece_index, piece): (usize, &str),
        block: u64,
        lines: Vec<Reject>,
    ) -> Result<(), IngestError> {
        self.waiting.insert(block, lines);
        while let Some(lines) = self.waiting.remove(&self.next_block) {
            self.next_block += 1;
            for reject in lines {
                let part = match &mut self.part {
                    Some(part) => part,
                    None => self.part.insert(rejects.open_part(piece_index)?),
                };
                part.write(&reject, piece)?;
            }
        }
        Ok(())
    }

    /// Everything was added.
    pub(crate) fn finish(&mut self) -> Result<(), IngestError> {
        match self.part.take() {
            Some(mut part) => part.file.flush().map_err(|source| spill(&part.path, source)),
            None => Ok(()),
        }
    }
}

impl RejectPart {
    fn write(&mut self, reject: &Reject, piece: &str) -> Result<(), IngestError> {
        let written = if self.is_raw {
            serde_json::to_writer(&mut self.file, &reject.with_piece(piece))
        } else {
            serde_json::to_writer(&mut self.file, &reject.without_raw(piece))
        };
        written
            .map_err(std::io::Error::from)
            .and_then(|()| self.file.write_all(b"\n"))
            .map_err(|source| spill(&self.path, source))
    }
}

#[cfg(test)]
mod tests {
    use pinlake_decode::reject::Reason;

    use super::*;

    fn reject(line: u64) -> Reject {
        Reject { line, offset: 0, reason: Reason::NotAnObject { found: "null" }, raw: b"null".to_vec() }
    }

    #[test]
    fn the_order_is_that_of_pieces_and_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.ndjson");
        File::create(&path).unwrap();
        let scratch = Scratch::new(folder.path().to_owned());
        let rejects = Rejects::new(path.clone(), scratch, BTreeMap::new(), true);
        let (mut first, mut second) = (PieceRejects::default(), PieceRejects::default());
        second.add(&rejects, (1, "b"), 0, vec![reject(1)]).unwrap();
        first.add(&rejects, (0, "a"), 2, vec![reject(9)]).unwrap();
        first.add(&rejects, (0, "a"), 1, Vec::new()).unwrap();
        first.add(&rejects, (0, "a"), 0, vec![reject(3), reject(4)]).unwrap();
        first.finish().unwrap();
        second.finish().unwrap();
        let shown = rejects.join().unwrap().unwrap().to_string();
        assert_eq!(shown, "piece `a`, line 3: not a JSON object but a JSON null");
        let lines: Vec<(String, u64)> = std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<FirstReject>(line).unwrap())
            .map(|line| (line.piece, line.line))
            .collect();
        let expected = [("a", 3), ("a", 4), ("a", 9), ("b", 1)];
        assert_eq!(lines, expected.map(|(piece, line)| (piece.to_owned(), line)));
        assert_eq!(rejects.save(1).unwrap().as_deref(), Some("rejects-000000001"));
        assert_eq!(rejects.save(2).unwrap(), None);
    }

    #[test]
    fn rejects_are_allowed_by_number_or_share() {
        let max = |text: &str| text.parse::<MaxRejects>().unwrap();
        assert!(!max("0").is_exceeded(0, 10));
        assert!(max("0").is_exceeded(1, 10));
        assert!(!max("10%").is_exceeded(1, 10));
        assert!(max("9.9%").is_exceeded(1, 10));
        for wrong in ["", "-1", "x", "101%", "%", "1.5"] {
            assert!(wrong.parse::<MaxRejects>().is_err(), "{wrong}");
        }
    }
}
