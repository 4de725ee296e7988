//! Staging: exclusive, abortable, private.

use std::fs;

use tempfile::tempdir;

use crate::fixture::{batch, id, lake, publish, tree};
use crate::{DataFileWriter, Lake, LakeError, StageOptions, Staging, WriterOptions};

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
    let error = lake.stage(id("x"), StageOptions { replace: true }).await.err().unwrap();
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
    let staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
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
