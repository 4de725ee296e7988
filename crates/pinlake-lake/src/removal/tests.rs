//! Snapshots dropped: with and without their files, twice, after a kill, and with links in the way.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::fixture::{batch, id, ids_in, lake, publish, tree};
use crate::layout::Layout;
use crate::lock::FileLock;
use crate::{ErrorKind, Lake, LakeError, LeftOver, StageOptions, VerifyOptions};

/// A lake with the snapshots `a` and `b`.
async fn two(root: &Path) -> Lake {
    let lake = lake(root).await;
    publish(&lake, "a", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    publish(&lake, "b", StageOptions::default(), &[batch("b", 2)]).await.unwrap();
    Lake::open(root).await.unwrap()
}

async fn names(root: &Path) -> Vec<String> {
    let opened = Lake::open(root).await.unwrap();
    opened.snapshots().iter().map(|snapshot| snapshot.id.to_string()).collect()
}

/// Insists on a sound lake, looked at as closely as can be; returns how many notes there are.
async fn sound(root: &Path) -> usize {
    let options = VerifyOptions { deep: true, threads: 2 };
    let found = Lake::open(root).await.unwrap().verify(None, options).await.unwrap();
    assert_eq!(found.findings, []);
    found.notes.len()
}

fn of(root: &Path, name: &str) -> Vec<String> {
    let files = tree(root).into_iter();
    files
        .filter(|path| path.contains(&format!("snapshot={name}/")) || path.contains(&format!("runs/{name}/")))
        .collect()
}

#[tokio::test]
async fn dropping_takes_a_snapshot_out_and_leaves_its_files() {
    let folder = tempdir().unwrap();
    let opened = two(folder.path()).await;
    let dropped = opened.drop_snapshot(&id("a"), false).await.unwrap();
    assert_eq!(dropped.snapshot.unwrap().rows, 3);
    assert_eq!((dropped.removed, dropped.left.files), (LeftOver::default(), 3));
    assert_eq!(names(folder.path()).await, ["b"]);
    assert_eq!(of(folder.path(), "a").len(), 3);
    assert_eq!(sound(folder.path()).await, 1, "the left-overs are told");

    // Whoever reads the version before still finds it.
    let log = folder.path().join("endpoints/_delta_log");
    assert_eq!(fs::read_dir(log).unwrap().count() as u64, dropped.table_version + 1);

    // Once more is no error, and with `vacuum` the files go.
    let again = opened.drop_snapshot(&id("a"), false).await.unwrap();
    assert_eq!((again.snapshot, again.left), (None, dropped.left));
    let vacuumed = opened.drop_snapshot(&id("a"), true).await.unwrap();
    assert_eq!((vacuumed.removed, vacuumed.left), (dropped.left, LeftOver::default()));
    assert_eq!(of(folder.path(), "a"), [""; 0]);
    assert!(!folder.path().join("endpoints/snapshot=a").exists() && !folder.path().join("runs/a").exists());
    assert_eq!(of(folder.path(), "b").len(), 3);
    assert_eq!(sound(folder.path()).await, 0);
    assert_eq!(opened.drop_snapshot(&id("a"), true).await.unwrap().removed, LeftOver::default());
}

#[tokio::test]
async fn dropping_with_its_files_is_one_commit() {
    let folder = tempdir().unwrap();
    let opened = two(folder.path()).await;
    let dropped = opened.drop_snapshot(&id("b"), true).await.unwrap();
    assert_eq!(dropped.table_version, opened.table_version() + 1);
    assert_eq!(of(folder.path(), "b"), [""; 0]);
    assert_eq!(names(folder.path()).await, ["a"]);
    assert_eq!(sound(folder.path()).await, 0);
}

#[tokio::test]
async fn an_export_of_nobody_can_be_dropped() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "empty", StageOptions::default(), &[]).await.unwrap();
    lake.drop_snapshot(&id("empty"), true).await.unwrap();
    assert_eq!(names(folder.path()).await, [""; 0]);
    assert_eq!(sound(folder.path()).await, 0);
}

#[tokio::test]
async fn an_unknown_snapshot_is_told_with_the_latest() {
    let folder = tempdir().unwrap();
    let opened = two(folder.path()).await;
    for vacuum in [false, true] {
        let error = opened.drop_snapshot(&id("c"), vacuum).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("`c`") && error.to_string().contains("`b`"), "{error}");
    }
    assert_eq!(names(folder.path()).await, ["a", "b"]);
}

#[tokio::test]
async fn an_id_can_be_used_again_and_its_old_files_make_way() {
    for vacuum in [false, true] {
        let folder = tempdir().unwrap();
        let opened = two(folder.path()).await;
        opened.drop_snapshot(&id("a"), vacuum).await.unwrap();
        let published = publish(&opened, "a", StageOptions::default(), &[batch("new", 1)]).await.unwrap();
        assert!(!published.replaced);
        assert_eq!(names(folder.path()).await, ["b", "a"]);
        assert_eq!(of(folder.path(), "a").len(), 3, "{:?}", of(folder.path(), "a"));
        let files = Lake::open(folder.path()).await.unwrap().data_files(Some(&id("a"))).unwrap();
        assert_eq!(files.iter().flat_map(ids_in).collect::<Vec<_>>(), ["new-0"]);
        assert_eq!(sound(folder.path()).await, 0);
        // And dropped again.
        opened.drop_snapshot(&id("a"), true).await.unwrap();
        assert_eq!(names(folder.path()).await, ["b"]);
        assert_eq!(sound(folder.path()).await, 0);
    }
}

#[tokio::test]
async fn a_failed_conversion_to_a_dropped_id_leaves_the_left_overs_as_they_were() {
    let folder = tempdir().unwrap();
    let opened = two(folder.path()).await;
    opened.drop_snapshot(&id("a"), false).await.unwrap();
    let before = tree(folder.path());
    // A folder in the place of the next commit: linking there fails.
    let blocked = folder.path().join("endpoints/_delta_log/00000000000000000004.json");
    let staging = opened.stage(id("a"), StageOptions::default()).await.unwrap();
    let mut writer = staging.writer(&crate::WriterOptions::default()).unwrap();
    writer.write(&batch("new", 1)).unwrap();
    let files = vec![writer.close().unwrap()];
    fs::create_dir(&blocked).unwrap();
    assert!(staging.publish(files, crate::fixture::manifest(1)).await.is_err());
    fs::remove_dir(&blocked).unwrap();
    assert_eq!(tree(folder.path()), before);
    assert_eq!(sound(folder.path()).await, 1);
}

#[tokio::test]
async fn a_run_that_makes_the_snapshot_is_not_disturbed() {
    let folder = tempdir().unwrap();
    let opened = two(folder.path()).await;
    let layout = Layout::new(opened.root().to_owned());
    let held = FileLock::take(&layout.staging_lock(&id("a")), "it").unwrap();
    let error = opened.drop_snapshot(&id("a"), true).await.unwrap_err();
    assert!(matches!(error, LakeError::Busy { .. }), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(held);
    assert_eq!(names(folder.path()).await, ["a", "b"]);
}

/// Removing stops after any of its steps, and the next time does the rest.
#[tokio::test]
async fn a_kill_while_files_are_removed_is_mended_by_doing_it_again() {
    for kept in 0..=3 {
        let folder = tempdir().unwrap();
        let opened = two(folder.path()).await;
        opened.drop_snapshot(&id("a"), false).await.unwrap();
        for path in of(folder.path(), "a").into_iter().skip(kept) {
            fs::remove_file(folder.path().join(path)).unwrap();
        }
        assert_eq!(sound(folder.path()).await, usize::from(kept > 0));
        opened.drop_snapshot(&id("a"), true).await.unwrap();
        assert_eq!(of(folder.path(), "a"), [""; 0]);
        assert!(!folder.path().join("endpoints/snapshot=a").exists());
        assert_eq!(sound(folder.path()).await, 0);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_outside_of_the_lake_is_removed() {
    use std::os::unix::fs::symlink;
    let outside = tempdir().unwrap();
    let folder = tempdir().unwrap();
    let opened = two(folder.path()).await;
    // The snapshot's folders have been moved elsewhere, and links stand in their places.
    for name in ["endpoints/snapshot=a", "runs/a"] {
        let aside = outside.path().join(name.replace('/', "-"));
        fs::rename(folder.path().join(name), &aside).unwrap();
        symlink(&aside, folder.path().join(name)).unwrap();
    }
    let before = tree(outside.path());
    assert_eq!(before.len(), 3);
    opened.drop_snapshot(&id("a"), true).await.unwrap();
    assert_eq!(tree(outside.path()), before);
    assert!(fs::symlink_metadata(folder.path().join("runs/a")).is_err(), "the link itself is gone");
    assert_eq!(sound(folder.path()).await, 0);
}
