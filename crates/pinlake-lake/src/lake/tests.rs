//! A lake from outside: made, opened, read back, refused, damaged.

use std::fs;

use tempfile::tempdir;

use crate::fixture::{batch, foreign_batch, id, ids_in, lake, publish, schema, tree};
use crate::{ErrorKind, Lake, LakeError, StageOptions};

#[tokio::test]
async fn what_is_published_is_read_back_after_reopening() {
    let folder = tempdir().unwrap();
    let made = lake(folder.path()).await;
    assert!(made.latest().is_none());
    let published =
        publish(&made, "first", StageOptions::default(), &[batch("a", 100), batch("b", 7)]).await.unwrap();
    assert_eq!(published.snapshot.rows, 107);
    assert_eq!(published.table_version, 1);
    assert!(!published.replaced);

    let opened = Lake::open(folder.path()).await.unwrap();
    assert_eq!(opened.snapshots(), [published.snapshot]);
    let files = opened.data_files(Some(&id("first"))).unwrap();
    assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), 107);
    let mut ids: Vec<_> = files.iter().flat_map(ids_in).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 107);

    let manifest = opened.manifest(&id("first")).unwrap();
    assert_eq!(manifest.snapshot, id("first"));
    assert_eq!(manifest.files.len(), 2);
    for file in &manifest.files {
        let bytes = fs::metadata(folder.path().join(&file.path)).unwrap().len();
        assert_eq!(bytes, file.bytes);
    }
    assert_eq!(fs::read(opened.rejects_path(&id("first"))).unwrap(), b"");
}

#[tokio::test]
async fn a_lake_has_these_files_and_no_others() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "only", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let mut files = tree(folder.path());
    let data = files.remove(2);
    assert!(data.starts_with("endpoints/snapshot=only/part-00000-"), "{data}");
    assert_eq!(
        files,
        [
            "endpoints/_delta_log/00000000000000000000.json",
            "endpoints/_delta_log/00000000000000000001.json",
            "runs/only/rejects.ndjson",
            "runs/only/run.json",
        ]
    );
}

#[tokio::test]
async fn snapshots_stand_in_the_order_of_their_commits() {
    let folder = tempdir().unwrap();
    let mut lake = lake(folder.path()).await;
    for name in ["z", "a", "m"] {
        publish(&lake, name, StageOptions::default(), &[batch(name, 2)]).await.unwrap();
    }
    assert!(lake.snapshots().is_empty());
    lake.refresh().await.unwrap();
    let names: Vec<_> = lake.snapshots().iter().map(|snapshot| snapshot.id.as_str()).collect();
    assert_eq!(names, ["z", "a", "m"]);
    assert_eq!(lake.latest().unwrap().id, id("m"));
    assert_eq!(lake.data_files(None).unwrap().len(), 3);
    assert_eq!(lake.data_files(Some(&id("a"))).unwrap().len(), 1);
}

#[tokio::test]
async fn an_export_of_nobody_is_a_snapshot() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "empty", StageOptions::default(), &[]).await.unwrap();
    publish(&lake, "no-rows", StageOptions::default(), &[batch("a", 0)]).await.unwrap();
    let opened = Lake::open(folder.path()).await.unwrap();
    let found: Vec<_> = opened.snapshots().iter().map(|s| (s.id.as_str(), s.rows, s.files)).collect();
    assert_eq!(found, [("empty", 0, 0), ("no-rows", 0, 0)]);
    assert!(opened.data_files(Some(&id("empty"))).unwrap().is_empty());
    assert!(!tree(folder.path()).iter().any(|path| path.ends_with(".parquet")));
}

#[tokio::test]
async fn readers_see_plain_columns_and_the_partition_last() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    let columns: Vec<_> =
        lake.schema().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    assert_eq!(columns[1], "channel_type Utf8");
    assert_eq!(columns[2], "creation_date Timestamp(µs, \"UTC\")");
    assert!(columns[5].contains("key_value") && columns[5].contains("element"), "{}", columns[5]);
    assert_eq!(columns.last().unwrap(), "snapshot Utf8");
}

#[tokio::test]
async fn a_folder_without_a_lake_says_how_to_make_one() {
    let folder = tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("absent")] {
        let error = Lake::open(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("pinlake convert SRC --lake"), "{error}");
        assert!(tree(folder.path()).is_empty(), "opening made something");
    }
}

#[tokio::test]
async fn a_folder_of_other_things_is_not_made_a_lake() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("holiday.jpg"), "x").unwrap();
    let error = Lake::open_or_create(folder.path(), schema()).await.unwrap_err();
    assert!(matches!(&error, LakeError::NotEmpty { found, .. } if found == "holiday.jpg"), "{error}");
    let error = Lake::open_or_create(&folder.path().join("holiday.jpg"), schema()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert_eq!(tree(folder.path()), ["holiday.jpg"]);
}

#[tokio::test]
async fn a_lake_whose_making_was_cut_short_is_made() {
    let folder = tempdir().unwrap();
    for name in ["endpoints/_delta_log", "runs", ".staging"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("endpoints/_delta_log/.pinlake-x.tmp"), "half a com").unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "first", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
}

#[tokio::test]
async fn names_with_odd_characters_are_paths_like_others() {
    let folder = tempdir().unwrap();
    let root = folder.path().join("späte lakes/50% of #1 {a}+b?");
    let lake = lake(&root).await;
    publish(&lake, "a.b_c-D", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let opened = Lake::open(&root).await.unwrap();
    let files = opened.data_files(None).unwrap();
    assert_eq!(ids_in(&files[0]).len(), 3);
}

#[tokio::test]
async fn a_path_that_the_log_could_not_name_is_refused_before_anything_is_made() {
    let folder = tempdir().unwrap();
    for name in ["p%41", "a\\b", "line\nbreak"] {
        let root = folder.path().join(name);
        let error = Lake::open_or_create(&root, schema()).await.unwrap_err();
        assert!(matches!(&error, LakeError::UnusablePath { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(!root.exists(), "{name}");
    }
}

#[tokio::test]
async fn a_path_with_dots_is_the_path_that_it_means() {
    let folder = tempdir().unwrap();
    let made = lake(&folder.path().join("sub/../lake")).await;
    assert_eq!(made.root(), fs::canonicalize(folder.path()).unwrap().join("lake"));
    assert!(Lake::open_if_any(&folder.path().join("other")).await.unwrap().is_none());
}

#[tokio::test]
async fn other_columns_are_refused_and_named() {
    let folder = tempdir().unwrap();
    lake(folder.path()).await;
    let error = Lake::open_or_create(folder.path(), foreign_batch().schema()).await.unwrap_err();
    assert!(matches!(&error, LakeError::SchemaMismatch { .. }), "{error}");
    assert!(error.to_string().contains("`id string`, not `n integer`"), "{error}");
}

#[tokio::test]
async fn an_unknown_snapshot_is_told_with_the_latest() {
    let folder = tempdir().unwrap();
    let made = lake(folder.path()).await;
    let error = made.data_files(Some(&id("x"))).unwrap_err();
    assert!(error.to_string().ends_with("it has none at all"), "{error}");
    publish(&made, "first", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let error = lake(folder.path()).await.manifest(&id("x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().ends_with("the latest is `first`"), "{error}");
}

#[tokio::test]
async fn a_missing_or_shortened_data_file_is_damage() {
    let folder = tempdir().unwrap();
    let made = lake(folder.path()).await;
    publish(&made, "first", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let opened = lake(folder.path()).await;
    let path = opened.data_files(None).unwrap().remove(0).path;
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let error = opened.data_files(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
    fs::remove_file(&path).unwrap();
    let error = opened.data_files(None).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
}

#[tokio::test]
async fn a_damaged_manifest_is_damage() {
    let folder = tempdir().unwrap();
    let made = lake(folder.path()).await;
    publish(&made, "first", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let opened = lake(folder.path()).await;
    let path = folder.path().join("runs/first/run.json");
    for text in ["", "{", "[]", "{\"tool\":1}"] {
        fs::write(&path, text).unwrap();
        assert_eq!(opened.manifest(&id("first")).unwrap_err().kind(), ErrorKind::Integrity, "{text:?}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(opened.manifest(&id("first")).unwrap_err().kind(), ErrorKind::Integrity);
}

/// Whatever becomes of a commit, opening either works or says that the lake is damaged.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_an_error_and_no_panic() {
    let folder = tempdir().unwrap();
    let made = lake(folder.path()).await;
    publish(&made, "first", StageOptions::default(), &[batch("a", 3)]).await.unwrap();
    let log = folder.path().join("endpoints/_delta_log");
    let mut refused = 0;
    for version in 0..2 {
        let path = log.join(format!("{version:020}.json"));
        let whole = fs::read(&path).unwrap();
        let cuts = (0..whole.len()).step_by(whole.len() / 12).map(|at| whole[..at].to_vec());
        let flips = (0..whole.len()).step_by(whole.len() / 24).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x08;
            bytes
        });
        let garbage = [b"\xff\xfe\x00".to_vec(), b"{}".to_vec(), b"[1]".to_vec(), b"{\"add\":{}}".to_vec()];
        for bytes in cuts.chain(flips).chain(garbage) {
            fs::write(&path, bytes).unwrap();
            if let Err(error) = Lake::open(folder.path()).await {
                assert!(matches!(error.kind(), ErrorKind::Integrity | ErrorKind::Usage), "{error}");
                refused += 1;
            }
        }
        fs::remove_file(&path).unwrap();
        if let Err(error) = Lake::open(folder.path()).await {
            assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(refused > 20, "only {refused} damages were noticed");
    Lake::open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn the_log_holds_no_personal_data() {
    let folder = tempdir().unwrap();
    let lake = lake(folder.path()).await;
    publish(&lake, "first", StageOptions::default(), &[batch("canary", 50)]).await.unwrap();
    for version in 0..2 {
        let path = folder.path().join(format!("endpoints/_delta_log/{version:020}.json"));
        let log = fs::read_to_string(path).unwrap();
        assert!(!log.contains("canary") && !log.contains("Köln"), "{log}");
    }
    let run = fs::read_to_string(folder.path().join("runs/first/run.json")).unwrap();
    assert!(!run.contains("canary"));
}
