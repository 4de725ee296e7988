//! Checkpoints: which pieces are done for good, so that a run that dies need not read them again.
//!
//! A data file holds rows of any pieces that were open while it was, so pieces can be noted as done only when none is open
//! and every file is closed. [`Ledger`] says when that is worth its price; [`Notes`] are what the journal of the staging keeps of
//! it; [`Resumed`] is what a run finds there. A checkpoint is taken up whole or not at all: if one of its pieces is not as it
//! was, all of them are read again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, SystemTime};

use pinlake_decode::drift::DriftEntry;
use pinlake_decode::{Drift, DriftKind};
use pinlake_lake::{Checkpoint, PieceRecord, Staging};
use pinlake_source::{Location, Piece};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::error::IngestError;
use crate::plan::Plan;
use crate::scratch::Scratch;

/// Between two checkpoints lies at least so much time, and a quarter of what the run has taken, up to the second bound: closing
/// files idles the workers for some hundredths of a second (a million endpoints: 40 ms, 2026-11-25) and makes files smaller.
const PAUSE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

/// When nothing comes for so long and no piece is open, a checkpoint costs nothing but a file.
const IDLE_PAUSE: Duration = Duration::from_millis(250);

/// What is noted of the pieces of one checkpoint.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Notes {
    pieces: Vec<PieceNote>,
    drift: Vec<DriftNote>,
    unnamed_drift: u64,
    /// Names of files with the hashes of ids.
    id_runs: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PieceNote {
    /// What tells that the piece is still the same.
    stamp: String,
    record: PieceRecord,
    /// The name of the file with its rejects, if it has any.
    rejects: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DriftNote {
    member: String,
    kind: DriftKind,
    count: u64,
    /// The index of the piece among those of the checkpoint.
    first_piece: usize,
    first_line: u64,
}

impl Notes {
    /// Notes of pieces by their index in the plan, each with the name of its rejects. `None` where one may have changed since it was
    /// listed: such pieces are not noted.
    pub(crate) fn new(
        plan: &Plan,
        pieces: Vec<(usize, PieceRecord, Option<String>)>,
        drift: &Drift,
        id_runs: Vec<String>,
    ) -> Option<Self> {
        let places: HashMap<usize, usize> =
            pieces.iter().enumerate().map(|(place, (index, ..))| (*index, place)).collect();
        let note = |(index, record, rejects): (usize, PieceRecord, Option<String>)| {
            Some(PieceNote {
                stamp: stamp(plan.pieces.get(index)?, plan.started_at.into())?,
                record,
                rejects,
            })
        };
        let drifted = drift.entries().filter_map(|(member, kind, entry)| {
            Some(DriftNote {
                member: member.to_owned(),
                kind,
                count: entry.count,
                first_piece: *places.get(&entry.first_piece)?,
                first_line: entry.first_line,
            })
        });
        let drift_notes = drifted.collect();
        let pieces = pieces.into_iter().map(note).collect::<Option<_>>()?;
        Some(Self { pieces, drift: drift_notes, unnamed_drift: drift.unnamed, id_runs })
    }
}

/// What tells one state of a piece from another: where it is, its length, and its `ETag` or the time of its last change. `None` for
/// a file that was changed after `listed_at`.
fn stamp(piece: &Piece, listed_at: SystemTime) -> Option<String> {
    match &piece.location {
        Location::S3 { bucket, key } => {
            let etag = piece.etag.as_deref().unwrap_or_default();
            Some(format!("s3://{bucket}/{key} {} {etag}", piece.size))
        }
        Location::File(path) => {
            let changed = std::fs::metadata(path).and_then(|file| file.modified()).ok()?;
            let since = changed.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let path = std::fs::canonicalize(path).ok()?;
            (changed < listed_at).then(|| format!("{} {} {}", path.display(), piece.size, since.as_nanos()))
        }
    }
}

/// What an interrupted run of the same work has done, as far as it is still of use.
#[derive(Debug, Default)]
pub(crate) struct Resumed {
    /// By the index of the piece in the plan.
    pub(crate) records: BTreeMap<usize, PieceRecord>,
    /// Names of rejects by the index of the piece.
    pub(crate) rejects: BTreeMap<usize, String>,
    pub(crate) drift: Drift,
    pub(crate) id_runs: Vec<String>,
}

impl Resumed {
    /// Takes up the checkpoints of a staging; lets go of those that do not fit the plan, and of what else lies in its scratch folder.
    pub(crate) fn take_up(plan: &Plan, staging: &mut Staging) -> Result<Self, IngestError> {
        let mut resumed = Self::default();
        if !staging.checkpoints().is_empty() {
            let places: HashMap<&str, usize> =
                plan.pieces.iter().enumerate().map(|(index, piece)| (piece.name.as_str(), index)).collect();
            staging.retain_checkpoints(|checkpoint| resumed.add(plan, &places, checkpoint).is_some());
        }
        let names: HashSet<String> = resumed.rejects.values().chain(&resumed.id_runs).cloned().collect();
        Scratch::new(staging.scratch()).keep_only(&names)?;
        Ok(resumed)
    }

    /// Adds a checkpoint all of whose pieces are in the plan as they were, and in no checkpoint before it.
    fn add(&mut self, plan: &Plan, places: &HashMap<&str, usize>, checkpoint: &Checkpoint) -> Option<()> {
        let notes = Notes::deserialize(&checkpoint.notes).ok()?;
        let listed_at = plan.started_at.into();
        let index_of = |note: &PieceNote| {
            let index = *places.get(note.record.piece.as_str())?;
            let is_new = !self.records.contains_key(&index);
            let stamp = plan.pieces.get(index).and_then(|piece| stamp(piece, listed_at));
            (is_new && stamp.as_ref() == Some(&note.stamp)).then_some(index)
        };
        let indices = notes.pieces.iter().map(index_of).collect::<Option<Vec<usize>>>()?;
        for note in notes.drift {
            let first_piece = *indices.get(note.first_piece)?;
            let entry = DriftEntry { count: note.count, first_piece, first_line: note.first_line };
            self.drift.add(note.member, note.kind, entry);
        }
        self.drift.unnamed += notes.unnamed_drift;
        self.id_runs.extend(notes.id_runs);
        for (index, note) in indices.into_iter().zip(notes.pieces) {
            self.records.insert(index, note.record);
            self.rejects.extend(note.rejects.map(|name| (index, name)));
        }
        Some(())
    }
}

/// The pieces that are done, and whether it is time to note them.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// By the index of the piece in the plan.
    records: BTreeMap<usize, PieceRecord>,
    /// Those that are in no checkpoint.
    unsaved: Vec<usize>,
    unsaved_bytes: u64,
    /// After so many bytes a checkpoint is due, if the user says so.
    every_bytes: Option<u64>,
    began: Instant,
    last: Instant,
    /// When a piece was done last.
    progressed: Instant,
}

impl Ledger {
    pub(crate) fn new(records: BTreeMap<usize, PieceRecord>, every_bytes: Option<u64>) -> Self {
        let now = Instant::now();
        let (unsaved, unsaved_bytes) = (Vec::new(), 0);
        Self { records, unsaved, unsaved_bytes, every_bytes, began: now, last: now, progressed: now }
    }

    /// A piece is done.
    pub(crate) fn add(&mut self, index: usize, record: PieceRecord) {
        self.unsaved_bytes += record.size;
        self.unsaved.push(index);
        self.records.insert(index, record);
        self.progressed = Instant::now();
    }

    pub(crate) fn done(&self) -> usize {
        self.records.len()
    }

    /// Bytes, as stored, of all pieces that are done.
    pub(crate) fn bytes(&self) -> u64 {
        self.records.values().map(|record| record.size).sum()
    }

    /// The pieces of a plan of so many that are not done.
    pub(crate) fn left(&self, pieces: usize) -> Vec<usize> {
        (0..pieces).filter(|index| !self.records.contains_key(index)).collect()
    }

    /// Whether pieces are done that no checkpoint has.
    pub(crate) fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// Whether it is time for a checkpoint: no further piece should be opened until there is one.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due_at(Instant::now())
    }

    fn is_due_at(&self, now: Instant) -> bool {
        let is_time = || now >= self.last + self.pause(PAUSE.0, now);
        self.is_unsaved() && self.every_bytes.map_or_else(is_time, |bytes| self.unsaved_bytes >= bytes)
    }

    fn pause(&self, least: Duration, now: Instant) -> Duration {
        ((now - self.began) / 4).clamp(least, PAUSE.1)
    }

    /// Comes back when a checkpoint is worth its price because nothing happens anyway.
    pub(crate) async fn idle(&self) {
        match self.idle_at(Instant::now()) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn idle_at(&self, now: Instant) -> Option<Instant> {
        let at = (self.progressed + IDLE_PAUSE).max(self.last + self.pause(IDLE_PAUSE, now));
        self.is_unsaved().then_some(at)
    }

    /// The pieces for a checkpoint that is about to be made.
    pub(crate) fn take_unsaved(&mut self) -> Vec<(usize, PieceRecord)> {
        self.unsaved_bytes = 0;
        let unsaved = std::mem::take(&mut self.unsaved);
        unsaved.into_iter().filter_map(|index| Some((index, self.records.get(&index)?.clone()))).collect()
    }

    /// A checkpoint was made.
    pub(crate) fn saved(&mut self) {
        self.last = Instant::now();
    }

    /// All pieces that are done, in the order of the plan.
    pub(crate) fn into_records(self) -> Vec<PieceRecord> {
        self.records.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(size: u64) -> PieceRecord {
        PieceRecord {
            piece: "a.gz".to_owned(),
            size,
            etag: None,
            sha256: String::new(),
            lines: 0,
            rows: 0,
            rejects: 0,
            blank: 0,
        }
    }

    #[test]
    fn a_checkpoint_is_due_after_the_bytes_that_were_asked_for() {
        let mut ledger = Ledger::new(BTreeMap::new(), Some(10));
        assert!(!ledger.is_due());
        ledger.add(0, record(9));
        assert!(!ledger.is_due());
        ledger.add(1, record(1));
        assert!(ledger.is_due());
        assert_eq!(ledger.take_unsaved().len(), 2);
        ledger.saved();
        assert!(!ledger.is_due() && !ledger.is_unsaved());
        assert_eq!(ledger.done(), 2);
    }

    #[test]
    fn without_a_wish_time_decides_and_the_pauses_grow() {
        let mut ledger = Ledger::new(BTreeMap::new(), None);
        let mut made = 0;
        for second in 0..600 {
            ledger.add(second, record(1));
            let now = ledger.began + Duration::from_secs(second as u64);
            if ledger.is_due_at(now) {
                ledger.take_unsaved();
                ledger.last = now;
                made += 1;
            }
        }
        assert!((20..30).contains(&made), "{made} checkpoints in ten minutes");
    }

    #[test]
    fn a_pause_of_the_network_is_made_use_of() {
        let mut ledger = Ledger::new(BTreeMap::new(), None);
        assert_eq!(ledger.idle_at(ledger.began), None, "there is nothing to save");
        ledger.add(0, record(1));
        assert_eq!(ledger.idle_at(ledger.progressed), Some(ledger.progressed + IDLE_PAUSE));
        // Late in a long run a pause must be longer for it.
        let late = ledger.began + Duration::from_secs(40);
        assert_eq!(ledger.idle_at(late), Some(ledger.last + Duration::from_secs(10)));
    }

    #[test]
    fn a_file_that_changed_after_it_was_listed_has_no_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        std::fs::write(&path, "a").unwrap();
        let piece =
            Piece { name: "a.gz".to_owned(), size: 1, etag: None, location: Location::File(path.clone()) };
        let changed = std::fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(stamp(&piece, changed), None);
        let before = stamp(&piece, changed + Duration::from_secs(1)).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(changed - Duration::from_secs(1)).unwrap();
        assert_ne!(stamp(&piece, changed + Duration::from_secs(1)).unwrap(), before);
    }
}
