//! A lake looked at from outside: what its readers see at any moment, and what must hold when a command is done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::rows::{DueRows, ReadFile, ReadRows, Reader, by_rank, sha256};
use super::tally::Findings;
use crate::harness::{Room, files_below};

/// The snapshot that is in every lake before anything happens.
pub(super) const BASE: &str = "base";
/// Its rows.
pub(super) const BASE_ROWS: u64 = 60;

/// What a command is to make of a lake.
pub(super) struct Goal {
    /// The snapshot's id; none where the program chooses one.
    pub(super) id: Option<&'static str>,
    pub(super) due: DueRows,
    /// Places of the lines that are no endpoints.
    pub(super) rejects: BTreeSet<(String, u64)>,
    /// What the snapshot held before, where it is replaced.
    pub(super) before: Option<DueRows>,
    /// Whether pieces have names that nobody knows before.
    pub(super) is_by_rank: bool,
}

impl Goal {
    /// What is wrong with rows that a reader counted, by snapshot: each has what it had before, or what is due.
    pub(super) fn may_count(&self, rows: &BTreeMap<String, u64>) -> Findings {
        let mut findings = Findings::default();
        if rows.get(BASE) != Some(&BASE_ROWS) {
            findings.problem(format!("a reader counts {rows:?}"));
        }
        let made: Vec<u64> = rows.iter().filter(|(id, _)| *id != BASE).map(|(_, count)| *count).collect();
        let may_be = [Some(&self.due), self.before.as_ref()].map(|due| due.map(|due| due.len() as u64));
        if made.iter().any(|count| !may_be.contains(&Some(*count)))
            || (made.is_empty() && self.before.is_some())
        {
            findings.problem(format!("a reader counts {rows:?}"));
        }
        findings
    }
}

/// What readers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// What was there before.
    Before,
    /// All of it.
    Done,
}

/// A lake in a room with what lay in it at the start.
pub(super) struct Watch {
    reader: Reader,
    /// Files of the base snapshot, with their hashes.
    base: BTreeMap<String, String>,
}

impl Watch {
    /// Remembers the base snapshot of the room's lake.
    pub(super) fn new(room: &Room) -> Self {
        Self { reader: Reader::default(), base: base_files(room) }
    }

    /// What readers see now, and what is wrong with it: a snapshot is there entirely or not at all.
    pub(super) fn look(&self, room: &Room, goal: &Goal) -> (Seen, Findings) {
        let mut findings = Findings::default();
        let snapshots = self.snapshots(room, &mut findings);
        let (ids, mut made): (Vec<String>, Vec<ReadRows>) = snapshots.into_iter().unzip();
        if ids.len() > 1 || goal.id.is_some_and(|id| ids.iter().any(|other| other != id)) {
            findings.problem(format!("there are the snapshots {ids:?}"));
        }
        let Some(rows) = made.pop() else {
            if goal.before.is_some() {
                findings.problem("the snapshot that is to be replaced is gone");
            }
            return (Seen::Before, findings);
        };
        let rows = if goal.is_by_rank { by_rank(rows) } else { rows };
        if let Some(before) = &goal.before
            && before.compare(rows.clone()).problems.is_empty()
        {
            return (Seen::Before, findings);
        }
        findings += goal.due.compare(rows);
        (Seen::Done, findings)
    }

    /// The rows of every snapshot but the base.
    fn snapshots(&self, room: &Room, findings: &mut Findings) -> BTreeMap<String, ReadRows> {
        if base_files(room) != self.base {
            findings.problem("the other snapshot is not as it was");
        }
        let mut snapshots: BTreeMap<String, ReadRows> = BTreeMap::new();
        for (path, add) in room.lake().live_adds() {
            match self.whole(room, &path, &add) {
                Ok(file) => {
                    snapshots.entry(id_of(&path)).or_default().extend(file.rows.iter().cloned());
                }
                Err(problem) => findings.half_file(format!("{path}: {problem}")),
            }
        }
        snapshots.remove(BASE);
        snapshots
    }

    /// What is wrong where all these snapshots were to be made, each of the same rows.
    pub(super) fn holds(&self, room: &Room, goal: &Goal, ids: &[&str]) -> Findings {
        let mut findings = Findings::default();
        let snapshots = self.snapshots(room, &mut findings);
        if !snapshots.keys().eq(ids) {
            findings.problem(format!("there are the snapshots {:?}, not {ids:?}", snapshots.keys()));
        }
        for rows in snapshots.into_values() {
            findings += goal.due.compare(rows);
        }
        Self::tidy(room, &mut findings);
        for id in ids {
            self.hold_the_manifest(room, goal, id, &mut findings);
        }
        findings
    }

    /// What is wrong now that the command says that it is done. Staged work of others than the snapshot may be left where
    /// `is_alone` is not set.
    pub(super) fn finished(&self, room: &Room, goal: &Goal) -> Findings {
        let (seen, mut findings) = self.look(room, goal);
        if seen != Seen::Done {
            findings.lost += goal.due.len() as u64;
            findings.problem("it said that it is done, and there is no snapshot");
            return findings;
        }
        Self::tidy(room, &mut findings);
        let ids: BTreeSet<String> = room.lake().live_files().iter().map(|path| id_of(path)).collect();
        for id in ids.iter().filter(|id| *id != BASE) {
            self.hold_the_manifest(room, goal, id, &mut findings);
        }
        findings
    }

    /// Nothing lies there that nobody names, and no work stays staged.
    fn tidy(room: &Room, findings: &mut Findings) {
        let lake = room.lake();
        let live = lake.live_files();
        for path in lake.parquet_files().into_iter().filter(|path| !live.contains(path)) {
            findings.half_file(format!("{path} lies there, and the log does not name it"));
        }
        let left: Vec<String> = lake.staged().into_iter().filter(|name| !name.contains('~')).collect();
        if !left.is_empty() {
            findings.problem(format!("staged work stays behind: {left:?}"));
        }
        for name in files_below(&room.path("lake/endpoints/_delta_log")).into_keys() {
            if Path::new(&name).extension().is_none_or(|ending| ending != "json") {
                findings.problem(format!("{name} stays behind in the log"));
            }
        }
        let ids: BTreeSet<String> = live.iter().map(|path| id_of(path)).collect();
        let runs: BTreeSet<String> = room.names_in("lake/runs").into_iter().collect();
        if ids != runs {
            findings.problem(format!("the snapshots {ids:?} have the runs {runs:?}"));
        }
    }

    /// Holds `run.json` and the rejects against the files and the oracle.
    fn hold_the_manifest(&self, room: &Room, goal: &Goal, id: &str, findings: &mut Findings) {
        let lake = room.lake();
        let manifest = lake.manifest(id);
        let mut due: BTreeMap<String, Value> = BTreeMap::new();
        for (path, add) in lake.live_adds() {
            if id_of(&path) == id
                && let Ok(file) = self.whole(room, &path, &add)
            {
                let path = format!("endpoints/{path}");
                let fact = json!({ "path": path, "rows": file.rows.len(), "bytes": file.bytes, "sha256": file.sha256 });
                due.insert(path, fact);
            }
        }
        let told = manifest["files"].as_array().cloned().unwrap_or_default().into_iter();
        let told: BTreeMap<String, Value> =
            told.map(|file| (file["path"].as_str().unwrap_or_default().to_owned(), file)).collect();
        if told != due {
            findings.half_file(format!("run.json tells of the files {told:?}, and there are {due:?}"));
        }
        let rejects: BTreeSet<(String, u64)> = lake
            .rejects(id)
            .iter()
            .map(|one| {
                (one["piece"].as_str().unwrap_or_default().to_owned(), one["line"].as_u64().unwrap_or(0))
            })
            .collect();
        if rejects != goal.rejects || lake.rejects(id).len() != goal.rejects.len() {
            findings.lost += 1;
            findings.problem(format!("the rejects are {rejects:?}, not {:?}", goal.rejects));
        }
        let totals = (&manifest["totals"]["rows"], &manifest["totals"]["rejects"]);
        if totals != (&json!(goal.due.len()), &json!(goal.rejects.len())) {
            findings.problem(format!("run.json counts {} rows and {} rejects", totals.0, totals.1));
        }
        let sum = |member: &str| -> u64 {
            let pieces = manifest["pieces"].as_array().into_iter().flatten();
            pieces.map(|piece| piece[member].as_u64().unwrap_or_default()).sum()
        };
        if sum("rows") != goal.due.len() as u64 || sum("rejects") != goal.rejects.len() as u64 {
            findings.problem(format!("its pieces have {} rows and {} rejects", sum("rows"), sum("rejects")));
        }
    }

    /// A data file that is all that the log says of it.
    fn whole(&self, room: &Room, path: &str, add: &Value) -> Result<ReadFile, String> {
        let file = self.reader.read(&room.path("lake/endpoints").join(path))?;
        if add["size"].as_u64() != Some(file.bytes) {
            return Err(format!("it has {} bytes, and the log says {}", file.bytes, add["size"]));
        }
        let stats: Value =
            serde_json::from_str(add["stats"].as_str().unwrap_or_default()).unwrap_or_default();
        if stats["numRecords"].as_u64() != Some(file.rows.len() as u64) {
            return Err(format!("it has {} rows, and the log says {}", file.rows.len(), stats["numRecords"]));
        }
        Ok(file)
    }
}

/// The snapshot that a data file is of, from `snapshot=ID/part-….parquet`.
fn id_of(path: &str) -> String {
    let folder = path.split('/').next().unwrap_or_default();
    folder.strip_prefix("snapshot=").unwrap_or_default().to_owned()
}

/// Every file of the base snapshot, with its hash.
fn base_files(room: &Room) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for folder in [format!("lake/endpoints/snapshot={BASE}"), format!("lake/runs/{BASE}")] {
        for name in files_below(&room.path(&folder)).into_keys() {
            let path = room.path(&folder).join(&name);
            files.insert(format!("{folder}/{name}"), sha256(&std::fs::read(path).unwrap_or_default()));
        }
    }
    let live: Vec<String> = room.lake().live_files().into_iter().filter(|path| id_of(path) == BASE).collect();
    files.insert("in the log".to_owned(), live.join(" "));
    files
}
