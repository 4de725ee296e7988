//! Multisets of rows: what the oracle says that a snapshot holds, and what data files hold.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pinlake_local::Population;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::tally::Findings;
use crate::harness::{parquet_rows, row_of};

/// A row's place, its piece and line.
pub(super) type Place = (String, u64);

/// Rows that were read: where each comes from, and a digest of all of its values.
pub(super) type ReadRows = Vec<(Place, u64)>;

/// The rows that are due: one at each place, with the digest of its values.
#[derive(Debug, Clone, Default)]
pub(super) struct DueRows(BTreeMap<Place, u64>);

impl DueRows {
    /// The rows of an audience in pieces of these names.
    pub(super) fn of(population: &Population, pieces: &[String]) -> Self {
        let mut due = BTreeMap::new();
        let ranges = population.pieces(pieces.len() as u64);
        assert_eq!(ranges.len(), pieces.len());
        for (piece, range) in pieces.iter().zip(ranges) {
            for (line, index) in range.enumerate() {
                let row = digest(&row_of(&population.endpoint(index)));
                due.insert((piece.clone(), line as u64 + 1), row);
            }
        }
        Self(due)
    }

    /// The same rows with each piece called by its rank.
    pub(super) fn by_rank(self) -> Self {
        let rows: ReadRows = self.0.into_iter().collect();
        Self(by_rank(rows).into_iter().collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether these are the rows, by number and places, as far as a look says.
    pub(super) fn compare(&self, read: ReadRows) -> Findings {
        let mut findings = Findings::default();
        let mut missing = self.0.clone();
        for (place, row) in read {
            match missing.remove(&place) {
                Some(due) if due == row => {}
                Some(_) => {
                    findings.twice += 1;
                    findings.problem(format!("the row of {place:?} has other values"));
                }
                None => {
                    findings.twice += 1;
                    findings.problem(format!("the row of {place:?} is there twice, or should not be there"));
                }
            }
        }
        findings.lost = missing.len() as u64;
        if let Some(place) = missing.into_keys().next() {
            findings.problem(format!("{} rows are lost, that of {place:?} first", findings.lost));
        }
        findings
    }
}

/// Calls each piece by its rank among the names, for pieces whose names are not known before.
pub(super) fn by_rank(rows: ReadRows) -> ReadRows {
    let mut names: Vec<String> = rows.iter().map(|((piece, _), _)| piece.clone()).collect();
    names.sort();
    names.dedup();
    let rank = |piece: String| format!("#{}", names.binary_search(&piece).unwrap_or_default());
    rows.into_iter().map(|((piece, line), row)| ((rank(piece), line), row)).collect()
}

/// A data file as it was read.
pub(super) struct ReadFile {
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) rows: Arc<ReadRows>,
}

/// Reads data files, each content once: a thousand runs write the same few again and again.
#[derive(Default)]
pub(super) struct Reader {
    known: Mutex<HashMap<String, Arc<ReadRows>>>,
}

impl Reader {
    /// A whole data file, or what is wrong with it.
    pub(super) fn read(&self, path: &Path) -> Result<ReadFile, String> {
        let content = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let sha256 = sha256(&content);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = if let Some(rows) = known.get(&sha256) {
            Arc::clone(rows)
        } else {
            let path = path.to_owned();
            let read = std::panic::catch_unwind(move || parquet_rows(&path));
            let rows = read.map_err(|_| "it is no whole Parquet file".to_owned())?;
            let rows = Arc::new(rows.iter().map(placed).collect());
            known.insert(sha256.clone(), Arc::clone(&rows));
            rows
        };
        Ok(ReadFile { sha256, bytes: content.len() as u64, rows })
    }
}

/// SHA-256 in lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// A row's place and the digest of the rest.
fn placed(row: &Value) -> (Place, u64) {
    let mut row = row.as_object().unwrap().clone();
    let piece = row.remove("piece").and_then(|piece| piece.as_str().map(str::to_owned)).unwrap_or_default();
    let line = row.remove("line").and_then(|line| line.as_u64()).unwrap_or_default();
    if let Some(Value::String(extra)) = row.get("extra") {
        let parsed = serde_json::from_str(extra).unwrap();
        row.insert("extra".to_owned(), parsed);
    }
    ((piece, line), digest(&Value::Object(row)))
}

fn digest(row: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.to_string().hash(&mut hasher);
    hasher.finish()
}
