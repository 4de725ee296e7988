//! Lakes read by what any other program sees: the Delta log's JSON and the Parquet files it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pinlake_report::{CountFact, LakeTables, PieceFact, RunFacts, SnapshotFact, TableFile};
use serde_json::Value;

/// A lake's folder.
pub(crate) struct LakeFolder {
    root: PathBuf,
}

impl LakeFolder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The data files that the Delta log names, relative to `endpoints/`: what was added and not removed.
    pub(crate) fn live_files(&self) -> BTreeSet<String> {
        self.live_adds().into_keys().collect()
    }

    /// What the Delta log says of each data file that was added and not removed, by its path relative to `endpoints/`.
    pub(crate) fn live_adds(&self) -> BTreeMap<String, Value> {
        let mut live = BTreeMap::new();
        for action in self.log() {
            if let Some(path) = action.pointer("/add/path").and_then(Value::as_str) {
                live.insert(path.to_owned(), action["add"].clone());
            }
            if let Some(path) = action.pointer("/remove/path").and_then(Value::as_str) {
                live.remove(path);
            }
        }
        live
    }

    /// Number of commits to the table.
    pub(crate) fn commits(&self) -> usize {
        self.commit_files().len()
    }

    /// The Parquet files that lie under `endpoints/`, relative to it.
    pub(crate) fn parquet_files(&self) -> BTreeSet<String> {
        files_below(&self.root.join("endpoints"))
            .into_keys()
            .filter(|name| has_ending(name, "parquet"))
            .collect()
    }

    /// Insists that the folder and the log name the same files. Work in progress may be kept for a run that goes on with it.
    pub(crate) fn assert_consistent(&self) {
        assert_eq!(self.parquet_files(), self.live_files(), "files and log of {}", self.root.display());
    }

    /// Insists that the folder and the log name the same files, and that nothing is left of work in progress.
    pub(crate) fn assert_sound(&self) {
        self.assert_consistent();
        let staged: Vec<String> = files_below(&self.root.join(".staging")).into_keys().collect();
        assert!(staged.iter().all(|name| name.contains('~')), "staged files stay behind: {staged:?}");
    }

    /// Names of everything right under `.staging`, sorted.
    pub(crate) fn staged(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(".staging")).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What a reader could see of the lake: every file with its length, but for staging and the rejects of failed runs.
    pub(crate) fn visible(&self) -> BTreeMap<String, u64> {
        let mut files = files_below(&self.root);
        files.retain(|name, _| !name.starts_with(".staging") && !name.contains("~failed"));
        files
    }

    /// The rows of one snapshot's data files as JSON objects with every column, in the order of piece and line.
    pub(crate) fn rows(&self, snapshot: &str) -> Vec<Value> {
        let folder = format!("snapshot={snapshot}/");
        let files = self.live_files();
        let mut rows: Vec<Value> = files
            .iter()
            .filter(|name| name.starts_with(&folder))
            .flat_map(|name| parquet_rows(&self.root.join("endpoints").join(name)))
            .collect();
        let place = |row: &Value| (row["piece"].as_str().map(str::to_owned), row["line"].as_i64());
        rows.sort_by_key(place);
        rows
    }

    /// The `id` of every row of one snapshot, sorted.
    pub(crate) fn ids(&self, snapshot: &str) -> Vec<String> {
        let ids = self.rows(snapshot).into_iter();
        let mut ids: Vec<String> = ids.map(|row| row["id"].as_str().unwrap_or_default().to_owned()).collect();
        ids.sort();
        ids
    }

    /// A run's manifest.
    pub(crate) fn manifest(&self, snapshot: &str) -> Value {
        let path = self.root.join("runs").join(snapshot).join("run.json");
        serde_json::from_reader(
            File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        )
        .unwrap()
    }

    /// The lines of a run's `rejects.ndjson`.
    pub(crate) fn rejects(&self, snapshot: &str) -> Vec<Value> {
        json_lines(&self.root.join("runs").join(snapshot).join("rejects.ndjson"))
    }

    /// The lake as the report crate is handed it, with a snapshot selected.
    pub(crate) fn tables(&self, selected: &str) -> LakeTables {
        let folder = self.root.join("endpoints");
        let mut files = Vec::new();
        let mut snapshots: BTreeMap<String, SnapshotFact> = BTreeMap::new();
        let mut fields = Vec::new();
        for name in self.live_files() {
            let (snapshot, _) = name.strip_prefix("snapshot=").and_then(|name| name.split_once('/')).unwrap();
            let path = folder.join(&name);
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
            let bytes = path.metadata().unwrap().len();
            let rows = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap();
            fields = reader.schema().fields().to_vec();
            let snapshot = snapshot.to_owned();
            let empty = || SnapshotFact {
                snapshot: snapshot.clone(),
                rows: 0,
                files: 0,
                bytes: 0,
                committed_at: None,
            };
            let fact = snapshots.entry(snapshot.clone()).or_insert_with(empty);
            *fact = SnapshotFact {
                rows: fact.rows + rows,
                files: fact.files + 1,
                bytes: fact.bytes + bytes,
                ..fact.clone()
            };
            files.push(TableFile { path, bytes, rows, snapshot });
        }
        fields.push(Arc::new(Field::new("snapshot", DataType::Utf8, false)));
        LakeTables {
            schema: Arc::new(Schema::new(fields)),
            files,
            snapshots: snapshots.into_values().collect(),
            selected: Some(selected.to_owned()),
            run: run_facts(&self.manifest(selected)),
        }
    }

    fn log(&self) -> impl Iterator<Item = Value> {
        self.commit_files().into_iter().flat_map(|path| json_lines(&path))
    }

    fn commit_files(&self) -> Vec<PathBuf> {
        let folder = self.root.join("endpoints/_delta_log");
        let names = files_below(&folder).into_keys();
        names.filter(|name| has_ending(name, "json")).map(|name| folder.join(name)).collect()
    }
}

/// What a manifest says of the pieces and of what was reconciled.
fn run_facts(manifest: &Value) -> RunFacts {
    let list = |name: &str| manifest[name].as_array().unwrap().clone();
    let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
    let count = |of: &Value, name: &str| of[name].as_u64().unwrap();
    let pieces = list("pieces").into_iter().map(|of| PieceFact {
        piece: text(&of, "piece"),
        size: count(&of, "size"),
        etag: of["etag"].as_str().map(str::to_owned),
        sha256: text(&of, "sha256"),
        lines: count(&of, "lines"),
        rows: count(&of, "rows"),
        rejects: count(&of, "rejects"),
        blank: count(&of, "blank"),
    });
    let counts = list("reconciliation").into_iter().map(|of| CountFact {
        check: text(&of, "check"),
        expected: count(&of, "expected"),
        actual: count(&of, "actual"),
        ok: of["ok"].as_bool().unwrap(),
    });
    RunFacts { pieces: pieces.collect(), reconciliation: counts.collect() }
}

/// The rows of a Parquet file as JSON objects with every column, null ones included.
pub(crate) fn parquet_rows(path: &Path) -> Vec<Value> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    for batch in reader {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let text = String::from_utf8(writer.into_inner()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The values of a file with a JSON value a line.
pub(crate) fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == ending)
}

/// Every file below a folder, relative to it, with its length. A folder that is not there has none.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, path.metadata().unwrap().len());
            }
        }
    }
    found
}
