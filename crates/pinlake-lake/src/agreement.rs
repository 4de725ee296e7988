//! Whether a run's manifest agrees with what the Delta log says of its snapshot, and with itself.
//!
//! Publishing asks it after the commit, of the table as it then is; verifying asks it of any snapshot. Sums are made in
//! 128 bits: a manifest may have been edited to hold any number.

use std::collections::BTreeMap;

use crate::SnapshotId;
use crate::catalog::DataFileRef;
use crate::layout::Layout;
use crate::manifest::{RunManifest, Totals};

/// Where the log's files of snapshot `id` and those of its manifest differ, each in words.
pub(crate) fn with_log(
    layout: &Layout,
    id: &SnapshotId,
    manifest: &RunManifest,
    files: &[&DataFileRef],
) -> Vec<String> {
    let mut problems = Vec::new();
    if manifest.snapshot != *id {
        problems.push(format!("is of snapshot `{}`", manifest.snapshot));
    }
    let mut named = BTreeMap::new();
    for file in &manifest.files {
        if named.insert(file.path.as_str(), file).is_some() {
            problems.push(format!("names {} twice", file.path));
        }
    }
    for file in files {
        let path = path_in_lake(layout, file);
        match named.remove(path.as_str()) {
            None => problems.push(format!("does not name {path}, which the Delta log does")),
            Some(record) => {
                for (what, noted, logged) in
                    [("rows", record.rows, file.rows), ("bytes", record.bytes, file.bytes)]
                {
                    if noted != logged {
                        problems.push(format!("has {noted} {what} for {path}; the Delta log says {logged}"));
                    }
                }
            }
        }
    }
    problems.extend(named.keys().map(|path| format!("names {path}, which the Delta log does not")));
    let logged: u128 = files.iter().map(|file| u128::from(file.rows)).sum();
    if u128::from(manifest.totals.rows) != logged {
        problems.push(format!("counts {} rows; the Delta log {logged}", manifest.totals.rows));
    }
    problems
}

/// Where the manifest's own figures do not add up, each in words.
pub(crate) fn with_itself(manifest: &RunManifest) -> Vec<String> {
    let mut problems = Vec::new();
    let mut sums = [0_u128; 4];
    let mut names = std::collections::HashSet::new();
    for piece in &manifest.pieces {
        let parts = [piece.lines, piece.rows, piece.rejects, piece.blank].map(u128::from);
        if let Some(problem) = unbalanced(parts) {
            problems.push(format!("says of piece `{}` that {problem}", piece.piece));
        }
        if !names.insert(piece.piece.as_str()) {
            problems.push(format!("has the piece `{}` twice", piece.piece));
        }
        sums = std::array::from_fn(|at| sums[at] + parts[at]);
    }
    let Totals { lines, rows, rejects, blank, duplicate_ids } = manifest.totals;
    let totals = [lines, rows, rejects, blank].map(u128::from);
    if let Some(problem) = unbalanced(totals) {
        problems.push(format!("says of all pieces that {problem}"));
    }
    for (at, what) in ["lines", "rows", "rejects", "blank lines"].into_iter().enumerate() {
        if sums[at] != totals[at] {
            problems.push(format!("has {} {what} in its pieces, and {} in all", sums[at], totals[at]));
        }
    }
    if duplicate_ids > rows {
        problems.push(format!("counts {duplicate_ids} repeated ids in {rows} rows"));
    }
    for check in &manifest.reconciliation {
        if !check.ok || check.expected != check.actual {
            let (expected, actual) = (check.expected, check.actual);
            problems.push(format!("has a check that does not hold: {}: {actual} of {expected}", check.check));
        }
    }
    problems
}

/// A data file as manifests name it.
pub(crate) fn path_in_lake(layout: &Layout, file: &DataFileRef) -> String {
    let path = file.path.strip_prefix(layout.root()).unwrap_or(&file.path);
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Lines, rows, rejects and blank ones.
fn unbalanced([lines, rows, rejects, blank]: [u128; 4]) -> Option<String> {
    (lines != rows + rejects + blank)
        .then(|| format!("{lines} lines are {rows} rows, {rejects} rejects and {blank} blank ones"))
}
