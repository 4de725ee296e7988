//! `rejects.ndjson`, held against what the manifest counts. A line is read as it comes, and nothing of its raw text is kept.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::RunManifest;

/// What is kept of a line at most. The names in it are short; its raw text is passed over as it is read.
const MAX_LINE_BYTES: u64 = 1 << 30;
/// How many bad lines are told one by one.
const MAX_TOLD: u64 = 20;

/// The members that every reject has.
#[derive(Deserialize)]
struct Reject {
    piece: String,
    line: u64,
    #[serde(rename = "offset")]
    _offset: u64,
    reason: String,
}

/// What is wrong with the rejects, in words that follow their path.
pub(super) fn check(path: &Path, manifest: &RunManifest) -> Vec<String> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return vec!["is no file".to_owned()],
        Err(error) if error.kind() == io::ErrorKind::NotFound => return vec!["is missing".to_owned()],
        Err(error) => return vec![format!("cannot be read ({error})")],
    }
    let mut counting =
        Counting { manifest, lines: 0, bad: 0, by_piece: BTreeMap::new(), problems: Vec::new() };
    match File::open(path).and_then(|file| counting.read(BufReader::new(file))) {
        Ok(()) => counting.sum_up(),
        Err(error) => counting.problems.push(format!("cannot be read ({error})")),
    }
    counting.problems
}

struct Counting<'a> {
    manifest: &'a RunManifest,
    lines: u64,
    bad: u64,
    by_piece: BTreeMap<usize, u64>,
    problems: Vec<String>,
}

impl Counting<'_> {
    fn read(&mut self, mut file: impl BufRead) -> io::Result<()> {
        let places: BTreeMap<&str, usize> =
            self.manifest.pieces.iter().enumerate().map(|(at, piece)| (piece.piece.as_str(), at)).collect();
        while !file.fill_buf()?.is_empty() {
            self.lines += 1;
            let mut line = Line { file: &mut file, ended: false }.take(MAX_LINE_BYTES);
            let reject = serde_json::from_reader::<_, Reject>(&mut line);
            let ended = line.into_inner().pass_over()?;
            match reject {
                Ok(reject) => self.count(&places, &reject),
                Err(error) if error.is_io() => return Err(error.into()),
                // serde_json's words may quote what it met.
                Err(_) => self.tell("is no object with piece, line, offset and reason"),
            }
            if !ended {
                self.tell("is cut short: no line end follows");
            }
        }
        Ok(())
    }

    fn count(&mut self, places: &BTreeMap<&str, usize>, reject: &Reject) {
        let Some(at) = places.get(reject.piece.as_str()) else {
            self.tell("is of a piece that run.json does not have");
            return;
        };
        *self.by_piece.entry(*at).or_default() += 1;
        if !(1..=self.manifest.pieces[*at].lines).contains(&reject.line) {
            self.tell("is of a line that its piece does not have");
        }
        if reject.reason.is_empty() {
            self.tell("gives no reason");
        }
    }

    /// Tells of the line that is being read.
    fn tell(&mut self, problem: &str) {
        self.bad += 1;
        if self.bad <= MAX_TOLD {
            self.problems.push(format!("line {}: {problem}", self.lines));
        }
    }

    fn sum_up(&mut self) {
        if self.bad > MAX_TOLD {
            self.problems.push(format!("{} more lines are bad", self.bad - MAX_TOLD));
        }
        if self.lines != self.manifest.totals.rejects {
            let (lines, counted) = (self.lines, self.manifest.totals.rejects);
            self.problems.push(format!("has {lines} lines; run.json counts {counted} rejects"));
        }
        // Of a single piece it is the same figure.
        let pieces = &self.manifest.pieces;
        for (at, piece) in pieces.iter().enumerate().filter(|_| pieces.len() > 1) {
            let found = self.by_piece.get(&at).copied().unwrap_or_default();
            if found != piece.rejects {
                let problem = format!(
                    "has {found} lines of piece `{}`; run.json counts {}",
                    piece.piece, piece.rejects
                );
                self.problems.push(problem);
            }
        }
    }
}

/// The bytes up to the next line feed.
struct Line<'a, R> {
    file: &'a mut R,
    ended: bool,
}

impl<R: BufRead> Line<'_, R> {
    /// Reads what is left of the line; whether a line feed ended it.
    fn pass_over(mut self) -> io::Result<bool> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.ended)
    }
}

impl<R: BufRead> Read for Line<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        let there = self.file.fill_buf()?;
        let line = there.iter().position(|byte| *byte == b'\n');
        let taken = line.unwrap_or(there.len()).min(out.len());
        out[..taken].copy_from_slice(&there[..taken]);
        self.ended = line == Some(taken);
        self.file.consume(taken + usize::from(self.ended));
        Ok(taken)
    }
}
