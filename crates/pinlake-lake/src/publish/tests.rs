//! Publishing met with replacement, refusal, and a kill between any two of its steps.

use std::fs;
use std::path::Path;

use tempfile::tempdir;
use uuid::Uuid;

use super::intent::Intent;
use crate::fixture::{batch, id, ids_in, lake, manifest, publish, tree};
use crate::layout::Layout;
use crate::{ErrorKind, Lake, LakeError, StageOptions, WriterOptions};

const REPLACE: StageOptions = StageOptions { replace: true, identity: None };

fn parquet_files(root: &Path) -> Vec<String> {
    tree(root).into_iter().filter(|path| path.ends_with(".parquet")).collect()
}

async fn ids(root: &Path, name: &str) -> Vec<String> {
    let opened = Lake::open(root).await.unwrap();
    let mut ids: Vec<_> = opened.data_files(Some(&id(name))).unwrap().iter().flat_map(ids_in).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn an_id_that_is_taken_is_refused() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "x", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    // `lake` has not been refreshed: what counts is the table as it is now.
    let error = publish(&lake, "x", StageOptions::default(), &[batch("b", 3)]).await.unwrap_err();
    assert!(matches!(error, LakeError::SnapshotExists { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(ids(folder.path(), "x").await, ["a-0", "a-1", "a-2"]);
}

#[tokio::test]
async fn replacing_swaps_the_files_and_the_manifest() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "x", StageOptions::default(), &[batch("a", 3), batch("b", 1)]).await.unwrap();
    publish(&lake, "y", StageOptions::default(), &[batch("y", 1)]).await.unwrap();
    let published = publish(&lake, "x", REPLACE, &[batch("c", 2)]).await.unwrap();
    assert!(published.replaced);
    assert_eq!(ids(folder.path(), "x").await, ["c-0", "c-1"]);
    assert_eq!(parquet_files(folder.path()).len(), 2, "files of the replaced snapshot are still there");
    let opened = Lake::open(folder.path()).await.unwrap();
    assert_eq!(opened.manifest(&id("x")).unwrap().totals.rows, 2);
    let names: Vec<_> = opened.snapshots().iter().map(|snapshot| snapshot.id.as_str()).collect();
    assert_eq!(names, ["y", "x"]);
}

#[tokio::test]
async fn a_commit_that_was_cut_off_leaves_nothing_beside_the_log() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let log = folder.path().join("endpoints/_delta_log");
    fs::write(log.join(".pinlake-5ccdf862-0daa-4665-91f1-f53822dfb12b.tmp"), "half a commi").unwrap();
    fs::write(log.join(".other.tmp"), "not ours").unwrap();
    publish(&lake, "x", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let names = tree(folder.path()).into_iter();
    let names: Vec<String> = names.filter(|path| path.contains("_delta_log/.")).collect();
    assert_eq!(names, ["endpoints/_delta_log/.other.tmp"]);
}

#[tokio::test]
async fn a_snapshot_may_become_empty_and_full_again() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    for rows in [3, 0, 2] {
        publish(&lake, "x", REPLACE, &[batch("a", rows)]).await.unwrap();
        let opened = Lake::open(folder.path()).await.unwrap();
        assert_eq!(opened.latest().unwrap().rows, rows as u64);
        assert_eq!(opened.snapshots().len(), 1);
        assert_eq!(parquet_files(folder.path()).len(), usize::from(rows > 0));
    }
}

#[tokio::test]
async fn files_that_contradict_the_manifest_are_not_published() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let mut staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
    let mut writer = staging.writer(&WriterOptions::default()).unwrap();
    writer.write(&batch("a", 3)).unwrap();
    let files = vec![writer.close().unwrap()];
    let error = staging.publish(files, manifest(4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    drop(staging);
    assert!(parquet_files(folder.path()).is_empty());
    assert!(Lake::open(folder.path()).await.unwrap().snapshots().is_empty());
}

#[tokio::test]
async fn a_table_that_does_not_hold_what_was_published_is_told_with_both_figures() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "x", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let commit = folder.path().join("endpoints/_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&commit).unwrap();
    let published = Lake::open(folder.path()).await.unwrap();
    let facts = published.manifest(&id("x")).unwrap();
    let layout = Layout::new(published.root().to_owned());
    for (tampered, told) in [
        (text.clone(), None),
        (text.replace(r#"\"numRecords\":3"#, r#"\"numRecords\":4"#), Some("counts 3 rows; the Delta log 4")),
        (text.replace("\"size\":", "\"size\":1"), Some("the Delta log says 1")),
        (text.replace("part-00000", "part-00009"), Some("which the Delta log does")),
        (
            text.lines().filter(|line| !line.contains("\"add\"")).collect(),
            Some("which the Delta log does not"),
        ),
    ] {
        fs::write(&commit, tampered).unwrap();
        let table = crate::log::open(&layout).await.unwrap();
        let catalog = crate::catalog::Catalog::read(&table, &layout).unwrap();
        match (super::as_published(&catalog, &layout, &id("x"), &facts), told) {
            (Ok(snapshot), None) => assert_eq!(snapshot.rows, 3),
            (Err(error), Some(told)) => {
                assert_eq!(error.kind(), ErrorKind::Integrity);
                assert!(error.to_string().contains(told), "{error}");
            }
            (outcome, told) => panic!("{outcome:?} where {told:?} was due"),
        }
    }
}

#[tokio::test]
async fn files_of_dropped_writers_are_left_out() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let mut staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
    let mut dropped = staging.writer(&WriterOptions::default()).unwrap();
    dropped.write(&batch("dropped", 3)).unwrap();
    drop(dropped);
    let mut kept = staging.writer(&WriterOptions::default()).unwrap();
    kept.write(&batch("kept", 1)).unwrap();
    let files = vec![kept.close().unwrap()];
    staging.publish(files, manifest(1)).await.unwrap();
    assert_eq!(ids(folder.path(), "x").await, ["kept-0"]);
    assert_eq!(parquet_files(folder.path()).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_snapshots_can_be_published_at_once() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let tasks: Vec<_> = ["a", "b", "c", "d"]
        .map(|name| {
            let lake = lake.clone();
            tokio::spawn(
                async move { publish(&lake, name, StageOptions::default(), &[batch(name, 2)]).await },
            )
        })
        .into();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(Lake::open(folder.path()).await.unwrap().snapshots().len(), 4);
}

#[tokio::test]
async fn a_failed_commit_is_undone() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "x", StageOptions::default(), &[batch("old", 1)]).await.unwrap();
    let before = tree(folder.path());
    for (name, options) in [("x", REPLACE), ("new", StageOptions::default())] {
        let mut staging = lake.stage(id(name), options).await.unwrap();
        let mut writer = staging.writer(&WriterOptions::default()).unwrap();
        writer.write(&batch("a", 3)).unwrap();
        let files = vec![writer.close().unwrap()];
        // A folder in the place of the next commit: linking there fails, whoever runs the tests.
        let blocked = folder.path().join("endpoints/_delta_log/00000000000000000002.json");
        fs::create_dir(&blocked).unwrap();
        let result =
            tokio::time::timeout(std::time::Duration::from_mins(1), staging.publish(files, manifest(3)))
                .await
                .unwrap();
        fs::remove_dir(&blocked).unwrap();
        assert!(result.is_err());
        drop(staging);
        assert_eq!(tree(folder.path()), before);
    }
    assert_eq!(ids(folder.path(), "x").await, ["old-0"]);
}

/// Stages a replacement of `x` and carries its publication as far as `steps` allow, as a killed run would leave it.
async fn killed_after(root: &Path, steps: usize) {
    let lake = lake(root).await;
    let layout = Layout::new(root.to_owned());
    let mut staging = lake.stage(id("x"), REPLACE).await.unwrap();
    let mut writer = staging.writer(&WriterOptions::default()).unwrap();
    writer.write(&batch("new", 2)).unwrap();
    let file = writer.close().unwrap();
    let removals = crate::catalog::removals(&staging.table, &layout, &id("x")).unwrap();
    let intent = Intent {
        uuid: Uuid::new_v4(),
        snapshot: id("x"),
        added: [file.name().to_owned()].into(),
        replaced: removals.iter().map(|removal| removal.path.clone()).collect(),
    };
    let mut facts = manifest(2);
    facts.snapshot = id("x");
    facts.write(&layout.staged(&id("x")).run().join("run.json")).unwrap();
    intent.write(&staging.staged).unwrap();
    staging.fate = crate::publish::Fate::InDoubt;
    if steps >= 1 {
        let run = layout.run(&id("x"));
        if run.exists() {
            fs::rename(&run, staging.staged.replaced_run()).unwrap();
        }
    }
    if steps >= 2 {
        fs::rename(staging.staged.run(), layout.run(&id("x"))).unwrap();
    }
    if steps >= 3 {
        let place = layout.partition(&id("x"));
        fs::create_dir_all(&place).unwrap();
        fs::rename(staging.staged.partition().join(file.name()), place.join(file.name())).unwrap();
    }
    if steps >= 4 {
        let files = [file];
        let publication =
            crate::log::Publication { uuid: intent.uuid, id: &id("x"), files: &files, removals };
        crate::log::commit(&mut staging.table, &layout, publication).await.unwrap();
    }
    if steps >= 5 {
        for path in &intent.replaced {
            fs::remove_file(layout.table().join(path)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_kill_between_any_two_steps_is_settled_by_the_next_run() {
    for replaced in [true, false] {
        for steps in 0..=5 {
            let folder = tempdir().unwrap();
            if replaced {
                let lake = lake(folder.path()).await;
                publish(&lake, "x", StageOptions::default(), &[batch("old", 1)]).await.unwrap();
            }
            let runs = tree(folder.path()).into_iter().filter(|p| p.starts_with("runs/"));
            let runs_before: Vec<_> = runs.collect();
            killed_after(folder.path(), steps).await;

            // The next run is one of another snapshot; it settles what it finds.
            let next = lake(folder.path()).await;
            drop(next.stage(id("other"), StageOptions::default()).await.unwrap());
            let case = format!("replaced {replaced}, killed after step {steps}");
            let parquet: Vec<_> =
                parquet_files(folder.path()).into_iter().filter(|p| p.starts_with("endpoints")).collect();
            let opened = Lake::open(folder.path()).await.unwrap();
            let named: Vec<_> = opened
                .data_files(None)
                .unwrap()
                .iter()
                .map(|file| file.path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned())
                .collect();
            assert_eq!(parquet, named, "{case}");
            if steps >= 4 {
                assert_eq!(ids(folder.path(), "x").await, ["new-0", "new-1"], "{case}");
                assert_eq!(opened.manifest(&id("x")).unwrap().totals.rows, 2, "{case}");
            } else {
                let runs: Vec<_> =
                    tree(folder.path()).into_iter().filter(|path| path.starts_with("runs/")).collect();
                assert_eq!(runs, runs_before, "{case}");
                if replaced {
                    assert_eq!(ids(folder.path(), "x").await, ["old-0"], "{case}");
                    assert_eq!(opened.manifest(&id("x")).unwrap().totals.rows, 1, "{case}");
                }
            }
            // And the run that was killed can be run again.
            publish(&next, "x", REPLACE, &[batch("again", 1)]).await.unwrap();
            assert_eq!(ids(folder.path(), "x").await, ["again-0"], "{case}");
        }
    }
}

#[tokio::test]
async fn a_publication_of_a_living_run_is_left_to_it() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let staging = lake.stage(id("x"), StageOptions::default()).await.unwrap();
    let intent =
        Intent { uuid: Uuid::new_v4(), snapshot: id("x"), added: ["f".to_owned()].into(), replaced: vec![] };
    intent.write(&staging.staged).unwrap();
    drop(lake.stage(id("y"), StageOptions::default()).await.unwrap());
    assert!(staging.staged.intent().exists());
}

#[tokio::test]
async fn a_damaged_record_of_a_dead_run_is_told() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    fs::create_dir_all(folder.path().join(".staging/x")).unwrap();
    fs::write(folder.path().join(".staging/x/publish.json"), "{\"uuid\":").unwrap();
    let error = lake.stage(id("y"), StageOptions::default()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    assert!(error.to_string().contains(".staging/x/publish.json"), "{error}");
}
