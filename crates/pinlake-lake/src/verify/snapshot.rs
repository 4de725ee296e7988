//! One snapshot: its data files, its manifest, its rejects.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::data::{self, Task};
use super::tally::Tally;
use super::{Expected, Verification, rejects};
use crate::catalog::{DataFileRef, Snapshot};
use crate::{LakeError, RunManifest, agreement, disk};

/// Looks at everything of a snapshot that the log has.
pub(super) async fn check(
    expected: &Expected<'_>,
    snapshot: &Snapshot,
    verification: &mut Verification,
) -> Result<(), LakeError> {
    let id = &snapshot.id;
    let files: Vec<_> = expected.catalog.files.iter().filter(|file| file.snapshot == *id).collect();
    let record = expected.last_publication(id);
    if let Some(published) = record.and_then(|record| record.files)
        && published != snapshot.files
    {
        let problem = format!(
            "names {} files of snapshot `{id}`, which was published with {published}",
            snapshot.files
        );
        verification.add(Some(id), expected.layout.log(), problem);
    }
    let layout = expected.layout;
    let path = expected.unfinished(id).map_or_else(|| layout.manifest(id), |it| it.manifest.clone());
    let manifest = match read_manifest(layout.root(), &path) {
        Ok(manifest) => Some(manifest),
        // Another program's commit: there never was a run to tell of it.
        Err(_) if record.is_none() && !path.exists() => {
            let problem = "is not there: another program committed the snapshot".to_owned();
            verification.note(Some(id), path.clone(), problem);
            None
        }
        Err(problem) => {
            verification.add(Some(id), path.clone(), problem);
            None
        }
    };
    let tally = manifest.as_ref().filter(|_| expected.options.deep).map(|it| Tally::new(&it.pieces));
    let tally = tally.map(|tally| Arc::new(Mutex::new(tally)));
    let are_read = check_files(expected, &files, manifest.as_ref(), tally.as_ref(), verification).await;

    let Some(manifest) = manifest else { return Ok(()) };
    let mut problems = agreement::with_log(layout, id, &manifest, &files);
    problems.extend(agreement::with_itself(&manifest));
    if let Some(tally) = tally {
        problems.extend(tally.lock().unwrap_or_else(PoisonError::into_inner).problems(are_read));
    }
    for problem in problems {
        verification.add(Some(id), path.clone(), problem);
    }
    let path = path.with_file_name(crate::layout::REJECTS_NAME);
    for problem in rejects::check(&path, &manifest) {
        verification.add(Some(id), path.clone(), problem);
    }
    Ok(())
}

/// A manifest that lies in the lake itself; or what is wrong with it, in words that follow its path.
fn read_manifest(root: &Path, path: &Path) -> Result<RunManifest, String> {
    if disk::link_below(root, path).is_some() {
        return Err("is reached through a link, which is not followed".to_owned());
    }
    RunManifest::read(path).map_err(|error| match std::error::Error::source(&error) {
        Some(cause) => format!("is no manifest of a run ({cause})"),
        None => format!("is no manifest of a run ({error})"),
    })
}

/// Looks at the data files, some at a time; whether every row of them was read and counted.
async fn check_files(
    expected: &Expected<'_>,
    files: &[&DataFileRef],
    manifest: Option<&RunManifest>,
    tally: Option<&Arc<Mutex<Tally>>>,
    verification: &mut Verification,
) -> bool {
    let hashes: HashMap<&str, &str> = manifest
        .map(|manifest| {
            manifest.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str())).collect()
        })
        .unwrap_or_default();
    let mut tasks = files.iter().map(|file| Task {
        layout: expected.layout.clone(),
        file: (*file).clone(),
        sha256: hashes
            .get(agreement::path_in_lake(expected.layout, file).as_str())
            .map(|hash| (*hash).to_owned()),
        schema: Arc::clone(expected.schema),
        deep: expected.options.deep,
        tally: tally.cloned(),
    });
    let mut found = Vec::new();
    let mut are_read = true;
    let mut running = JoinSet::new();
    loop {
        while running.len() < expected.options.threads.max(1) {
            let Some(task) = tasks.next() else { break };
            running.spawn_blocking(move || {
                let looked = data::check(&task);
                (task.file, looked)
            });
        }
        match running.join_next().await {
            None => break,
            Some(Ok((file, looked))) => {
                are_read &= looked.is_read;
                found.extend(looked.problems.into_iter().map(|problem| (file.clone(), problem)));
            }
            // Reading is guarded file by file, so this is a runtime that is shutting down.
            Some(Err(_)) => are_read = false,
        }
    }
    found.sort_by(|a, b| a.0.path.cmp(&b.0.path));
    for (file, problem) in found {
        verification.add(Some(&file.snapshot), file.path, problem);
    }
    are_read
}
