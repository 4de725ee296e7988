//! Whether a lake is what it says: log, data files, manifests and rejects held against one another, and the folders
//! against all of them.
//!
//! Damage is a fact here and no error: everything that is wrong is found and told, not the first of it. Nothing is
//! locked and nothing is changed. A run may publish meanwhile; so what was found wrong is looked at again wherever the
//! log or the records of unfinished publications have changed since.

mod data;
mod rejects;
mod snapshot;
mod strays;
mod tally;

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use deltalake_core::DeltaTable;

use crate::catalog::Catalog;
use crate::layout::Layout;
use crate::log::history::{self, PublicationRecord};
use crate::publish::{Unfinished, unfinished};
use crate::{LakeError, SnapshotId, log};

/// How often a lake that changes under the eyes is looked at.
const TRIES: usize = 5;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Whether to read every byte: hash each file, decode each page, and count the rows of each piece.
    pub deep: bool,
    /// Data files that are read at once, on a thread each. At least one is.
    pub threads: usize,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The snapshot it concerns; none where it is the lake's.
    pub snapshot: Option<SnapshotId>,
    /// The file or folder, absolute.
    pub path: PathBuf,
    /// What is wrong with it, in words that follow the path. It quotes no data.
    pub problem: String,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Whether every byte was read.
    pub deep: bool,
    /// Snapshots looked at.
    pub snapshots: u64,
    /// Their data files.
    pub files: u64,
    /// Their rows, by the log.
    pub rows: u64,
    /// Bytes of their data files, by the log.
    pub bytes: u64,
    /// All that is wrong. None: the lake is sound.
    pub findings: Vec<Finding>,
    /// What is not wrong and good to know: left-overs of dropped snapshots, publications under way.
    pub notes: Vec<Finding>,
}

/// What everything is held against.
struct Expected<'a> {
    layout: &'a Layout,
    /// The table's columns without the partition column.
    schema: &'a SchemaRef,
    catalog: Catalog,
    publications: Vec<PublicationRecord>,
    unfinished: Vec<Unfinished>,
    options: VerifyOptions,
}

/// See [`crate::Lake::verify`].
pub(crate) async fn verify(
    table: &mut DeltaTable,
    layout: &Layout,
    schema: &SchemaRef,
    id: Option<&SnapshotId>,
    options: VerifyOptions,
) -> Result<Verification, LakeError> {
    let mut tries = 1;
    loop {
        let (unfinished, damaged) = unfinished(layout)?;
        log::refresh(table, layout).await?;
        let version = table.version();
        let catalog = Catalog::read(table, layout)?;
        let publications = history::publications(layout)?;
        let expected = Expected { layout, schema, catalog, publications, unfinished, options };
        let mut verification = Verification { deep: options.deep, ..Verification::default() };
        for error in damaged {
            verification.add(
                None,
                layout.staging(),
                format!("has a record of a publication that is damaged: {error}"),
            );
        }
        look(&expected, id, &mut verification).await?;
        if verification.findings.is_empty() || tries == TRIES {
            return Ok(verification);
        }
        log::refresh(table, layout).await?;
        if table.version() == version && self::unfinished(layout)?.0 == expected.unfinished {
            return Ok(verification);
        }
        tries += 1;
    }
}

async fn look(
    expected: &Expected<'_>,
    id: Option<&SnapshotId>,
    verification: &mut Verification,
) -> Result<(), LakeError> {
    for version in history::missing_versions(expected.layout)? {
        let path = expected.layout.log().join(format!("{version:020}.json"));
        verification.add(None, path, "is missing, though there are later commits".to_owned());
    }
    for snapshot in &expected.catalog.snapshots {
        if id.is_none_or(|id| *id == snapshot.id) {
            verification.snapshots += 1;
            verification.files += snapshot.files;
            verification.rows = verification.rows.saturating_add(snapshot.rows);
            verification.bytes = verification.bytes.saturating_add(snapshot.bytes);
            snapshot::check(expected, snapshot, verification).await?;
        }
    }
    strays::check(expected, id, verification)
}

impl Expected<'_> {
    /// The last that the log says of a snapshot.
    fn last_publication(&self, id: &SnapshotId) -> Option<&PublicationRecord> {
        self.publications.iter().rfind(|record| record.snapshot == *id)
    }

    /// Whether the log says that it was taken away.
    fn is_dropped(&self, id: &SnapshotId) -> bool {
        self.catalog.snapshot(id).is_none()
            && self.last_publication(id).is_some_and(PublicationRecord::is_drop)
    }

    fn unfinished(&self, id: &SnapshotId) -> Option<&Unfinished> {
        self.unfinished.iter().find(|unfinished| unfinished.snapshot == *id)
    }
}

impl Verification {
    fn add(&mut self, snapshot: Option<&SnapshotId>, path: PathBuf, problem: String) {
        self.findings.push(Finding { snapshot: snapshot.cloned(), path, problem });
    }

    fn note(&mut self, snapshot: Option<&SnapshotId>, path: PathBuf, problem: String) {
        self.notes.push(Finding { snapshot: snapshot.cloned(), path, problem });
    }
}

#[cfg(test)]
mod tests;
