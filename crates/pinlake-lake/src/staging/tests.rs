//! Staging: exclusive, abortable, private.

use std::fs;

use tempfile::tempdir;

use crate::fixture::{batch, id, lake, publish, tree};
use crate::{DataFileWriter, Lake, LakeError, RunIdentity, StageOptions, Staging, WriterOptions};

#[test]
fn a_staging_is_shared_and_writers_move_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>(_: Option<T>) {}
    shared::<Staging>();
    shared::<Lake>();
    moved(None::<DataFileWriter>);
}

#[tokio::test]
async fn dropping_leaves_nothing() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let before = tree(folder.path());
    let staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
    let mut writer = staging.writer(&WriterOptions::default()).unwrap();
    writer.write(&batch("a", 3)).unwrap();
    writer.close().unwrap();
    let open = staging.writer(&WriterOptions::default()).unwrap();
    assert!(tree(folder.path()).len() > before.len());
    drop(staging);
    drop(open);
    assert_eq!(tree(folder.path()), before);
}

#[tokio::test]
async fn one_run_at_a_time_makes_a_snapshot() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
    let error =
        lake.stage(id("x"), StageOptions { replace: true, ..StageOptions::default() }).await.err().unwrap();
    assert!(matches!(error, LakeError::Busy { .. }) && error.is_retryable(), "{error}");
    assert!(error.to_string().contains("snapshot `x` is in use by process"), "{error}");
    let other = lake.stage(id("y"), StageOptions::default()).await.unwrap();
    drop((staging, other));
    lake.stage(id("x"), StageOptions::default()).await.unwrap();
}

#[tokio::test]
async fn what_a_dead_run_staged_is_cleared() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let left = folder.path().join(".staging/x/snapshot=x");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("part-00000-dead.parquet"), "half").unwrap();
    fs::write(folder.path().join(".staging/x~lock"), "process 1").unwrap();
    publish(&lake, "x", StageOptions::default(), &[batch("a", 1)]).await.unwrap();
    assert!(!tree(folder.path()).iter().any(|path| path.contains("dead")));
}

#[tokio::test]
async fn rejects_are_published_with_the_run() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let mut staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
    fs::write(staging.rejects(), "{\"line\":1}\n").unwrap();
    staging.publish(Vec::new(), crate::fixture::manifest(0)).await.unwrap();
    let published = lake.rejects_path(&id("x"));
    assert_eq!(fs::read_to_string(&published).unwrap(), "{\"line\":1}\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&published).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_failed_run_keeps_its_rejects_and_nothing_else() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    for line in ["first\n", "second\n"] {
        let staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
        staging.writer(&WriterOptions::default()).unwrap().write(&batch("a", 1)).unwrap();
        fs::write(staging.rejects(), line).unwrap();
        let kept = staging.keep_rejects().unwrap();
        assert_eq!(kept, folder.path().join("runs/x~failed/rejects.ndjson"));
        assert_eq!(fs::read_to_string(kept).unwrap(), line);
    }
    assert!(!tree(folder.path()).iter().any(|path| path.ends_with(".parquet")));
    publish(&lake, "x", StageOptions::default(), &[batch("a", 1)]).await.unwrap();
}

fn work(terms: &str) -> StageOptions {
    let identity = RunIdentity { source: "in".to_owned(), terms: terms.to_owned() };
    StageOptions { replace: false, identity: Some(identity) }
}

/// Stages `x`, makes two checkpoints of one file each, begins a third file, and goes away.
async fn interrupted(lake: &Lake) {
    let mut staging = lake.stage(id("x"), work("a")).await.unwrap();
    assert!(staging.checkpoints().is_empty());
    for (name, rows) in [("first", 2), ("second", 3)] {
        let mut writer = staging.writer(&WriterOptions::default()).unwrap();
        writer.write(&batch(name, rows)).unwrap();
        let file = writer.close().unwrap();
        fs::write(staging.scratch().join(name), "more").unwrap();
        staging.checkpoint(vec![file], serde_json::json!(name)).unwrap();
    }
    staging.writer(&WriterOptions::default()).unwrap().write(&batch("third", 1)).unwrap();
}

#[tokio::test]
async fn the_same_work_goes_on_with_what_was_done_for_good() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    interrupted(&lake).await;
    let identity = work("a").identity.unwrap();
    assert_eq!(lake.interrupted_runs(&identity).unwrap(), [id("x")]);

    let mut staging = lake.stage(id("x"), work("a")).await.unwrap();
    assert_eq!(lake.interrupted_runs(&identity).unwrap(), [], "somebody is at it");
    let kept = staging.checkpoints().to_vec();
    let notes: Vec<_> = kept.iter().map(|checkpoint| checkpoint.notes.as_str().unwrap()).collect();
    assert_eq!(notes, ["first", "second"]);
    assert_eq!(fs::read_to_string(staging.scratch().join("second")).unwrap(), "more");
    let staged = fs::read_dir(folder.path().join(".staging/x/snapshot=x")).unwrap().count();
    assert_eq!(staged, 2, "what was half done is gone");
    let files: Vec<_> = kept.into_iter().flat_map(|checkpoint| checkpoint.files).collect();
    let published = staging.publish(files, crate::fixture::manifest(5)).await.unwrap();
    assert_eq!(published.snapshot.rows, 5);
    drop(staging);
    assert!(!tree(folder.path()).iter().any(|path| path.starts_with(".staging/")));
}

#[tokio::test]
async fn a_damaged_checkpoint_is_not_relied_upon() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    interrupted(&lake).await;
    let staged = folder.path().join(".staging/x/snapshot=x");
    let first = tree(&staged).into_iter().find(|name| name.starts_with("part-00000")).unwrap();
    let mut bytes = fs::read(staged.join(&first)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(staged.join(&first), bytes).unwrap();
    let staging = lake.stage(id("x"), work("a")).await.unwrap();
    assert_eq!(staging.checkpoints().len(), 1);
    assert_eq!(staging.checkpoints()[0].notes, "second");
    assert!(!staged.join(first).exists());
}

#[tokio::test]
async fn other_work_begins_anew_and_leaves_that_of_others() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    interrupted(&lake).await;
    // Another snapshot leaves it alone; what nobody can go on with is removed.
    fs::create_dir_all(folder.path().join(".staging/dead/run")).unwrap();
    drop(lake.stage(id("y"), work("a")).await.unwrap());
    assert!(!folder.path().join(".staging/dead").exists());
    assert_eq!(lake.interrupted_runs(&work("a").identity.unwrap()).unwrap(), [id("x")]);
    // The same snapshot of other work cannot use it.
    let staging = lake.stage(id("x"), work("b")).await.unwrap();
    assert!(staging.checkpoints().is_empty());
    drop(staging);
    assert_eq!(lake.interrupted_runs(&work("a").identity.unwrap()).unwrap(), []);
    assert!(!tree(folder.path()).iter().any(|path| path.starts_with(".staging/")));
}

#[tokio::test]
async fn work_that_is_discarded_is_not_gone_on_with() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    interrupted(&lake).await;
    lake.stage(id("x"), work("a")).await.unwrap().discard();
    assert_eq!(lake.interrupted_runs(&work("a").identity.unwrap()).unwrap(), []);
}

#[tokio::test]
async fn a_run_that_died_behind_the_commit_is_found_published_by_the_same_work_alone() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let mut staging = lake.stage(id("x"), work("a")).await.unwrap();
    let mut writer = staging.writer(&WriterOptions::default()).unwrap();
    writer.write(&batch("a", 2)).unwrap();
    let file = writer.close().unwrap();
    let published = staging.publish(vec![file], crate::fixture::manifest(2)).await.unwrap();
    // A kill before anybody was told.
    staging.fate = crate::publish::Fate::InDoubt;
    drop(staging);

    let error = lake.stage(id("x"), work("b")).await.err().unwrap();
    assert!(matches!(error, LakeError::SnapshotExists { .. }), "{error}");
    drop(lake.stage(id("y"), work("a")).await.unwrap());
    let identity = work("a").identity.unwrap();
    assert_eq!(lake.interrupted_runs(&identity).unwrap(), [id("x")]);
    let staging = lake.stage(id("x"), work("a")).await.unwrap();
    assert_eq!(staging.earlier_publication().map(|it| &it.snapshot), Some(&published.snapshot));
    drop(staging);
    let error = lake.stage(id("x"), work("a")).await.err().unwrap();
    assert!(matches!(error, LakeError::SnapshotExists { .. }), "told once: {error}");
}
