//! Downloads from a bucket into folders in every state.

use std::fs;

use super::*;
use crate::fake::{FakeBucket, Fault, connect};
use crate::filter::Filter;
use crate::listing::Source;

async fn listed(aws: &Aws, prefix: &str) -> Listing {
    let source: Source = format!("s3://bucket/{prefix}").parse().unwrap();
    source.list(Some(aws), &Filter::new(&["*"], &[]).unwrap()).await.unwrap()
}

async fn run(aws: &Aws, dest: &Path) -> Result<DownloadSummary, SourceError> {
    let listing = listed(aws, "p/").await;
    download(Some(aws.clone()), &listing, dest, &DownloadOptions::default(), |_| {}).await
}

fn index(dest: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(dest.join(INDEX_FILE)).unwrap()).unwrap()
}

/// Every path below `dest`.
fn tree(dest: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut to_do = vec![dest.to_owned()];
    while let Some(folder) = to_do.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                to_do.push(path);
            } else {
                paths.push(path.strip_prefix(dest).unwrap().display().to_string());
            }
        }
    }
    paths.sort();
    paths
}

#[tokio::test]
async fn a_second_run_fetches_only_what_changed() {
    let bucket = FakeBucket::new(2);
    for key in ["p/a.gz", "p/b/c.gz", "p/d.gz"] {
        bucket.put(key, key.as_bytes());
    }
    bucket.put("p/", "");
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("new/dest");

    let first = run(&aws, &dest).await.unwrap();
    assert_eq!((first.fetched, first.unchanged, first.skipped), (3, 0, 1));
    assert_eq!(tree(&dest), ["a.gz", "b/c.gz", "d.gz", "fetch.json"]);
    assert_eq!(fs::read(dest.join("b/c.gz")).unwrap(), b"p/b/c.gz");
    let noted = &index(&dest)["pieces"]["p/b/c.gz"];
    assert_eq!(noted["file"], "b/c.gz");
    assert_eq!(noted["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(index(&dest)["skipped"][0]["key"], "p/");

    bucket.put("p/a.gz", "changed");
    fs::remove_file(dest.join("d.gz")).unwrap();
    let gets = bucket.gets().len();
    let second = run(&aws, &dest).await.unwrap();
    assert_eq!((second.fetched, second.unchanged), (2, 1));
    assert_eq!(bucket.gets().len(), gets + 2);
    assert_eq!(fs::read(dest.join("a.gz")).unwrap(), b"changed");

    bucket.remove("p/d.gz");
    let third = run(&aws, &dest).await.unwrap();
    assert_eq!((third.fetched, third.unchanged), (0, 2));
    assert!(third.warnings[0].contains("d.gz"), "{:?}", third.warnings);
}

#[tokio::test]
async fn hostile_keys_stay_inside_and_apart() {
    let bucket = FakeBucket::new(100);
    let long = format!("p/{}", "n".repeat(900));
    let keys = [
        "p/../x",
        "p//abs",
        "p/a/../../b",
        "p/a\\b",
        "p/a\nb",
        "p/x",
        "p/x/y",
        "p/X",
        "p/fetch.json",
        "p/z.partial",
        "p/.h",
        "p/+%20 é",
        &long,
    ];
    for key in keys {
        bucket.put(key, key.as_bytes());
    }
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("dest");
    // `fetch.json` and `z.partial` are pieces by nobody's filter.
    let summary = run(&aws, &dest).await.unwrap();
    assert_eq!(summary.files.len(), keys.len() - 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(tree(&dest).len(), keys.len() - 2 + 1);
    for file in &summary.files {
        assert_eq!(fs::read(dest.join(&file.file)).unwrap(), file.name.as_bytes(), "{file:?}");
    }
    assert_eq!(fs::read(dest.join("x/y")).unwrap(), b"p/x/y");
    assert_eq!(fs::read(dest.join("+%20 é")).unwrap(), "p/+%20 é".as_bytes());
}

#[cfg(unix)]
#[tokio::test]
async fn links_in_the_destination_are_not_followed() {
    use std::os::unix::fs::symlink;
    let bucket = FakeBucket::new(100);
    for key in ["p/a.gz", "p/sub/b.gz", "p/c.gz"] {
        bucket.put(key, key.as_bytes());
    }
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    let (dest, outside) = (folder.path().join("dest"), folder.path().join("outside"));
    fs::create_dir_all(&dest).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("kept"), b"kept").unwrap();
    symlink(outside.join("kept"), dest.join("a.gz")).unwrap();
    symlink(&outside, dest.join("sub")).unwrap();
    symlink(outside.join("kept"), dest.join("c.gz.partial")).unwrap();

    let summary = run(&aws, &dest).await.unwrap();
    assert_eq!(summary.files.iter().filter(|file| file.is_renamed).count(), 2);
    assert_eq!(tree(&outside), ["kept"]);
    assert_eq!(fs::read(outside.join("kept")).unwrap(), b"kept");
    for file in &summary.files {
        assert_eq!(fs::read(dest.join(&file.file)).unwrap(), file.name.as_bytes());
    }
}

#[tokio::test]
async fn files_of_others_are_not_replaced() {
    let bucket = FakeBucket::new(100);
    bucket.put("p/a.gz", "piece");
    bucket.put("q/a.gz", "other");
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.gz"), b"mine").unwrap();
    let error = run(&aws, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(tree(folder.path()), ["a.gz"]);
    assert_eq!(fs::read(folder.path().join("a.gz")).unwrap(), b"mine");

    fs::remove_file(folder.path().join("a.gz")).unwrap();
    run(&aws, folder.path()).await.unwrap();
    let listing = listed(&aws, "q").await;
    let error = download(Some(aws), &listing, folder.path(), &DownloadOptions::default(), |_| {}).await;
    let error = error.unwrap_err();
    assert!(matches!(error, SourceError::Download(DownloadError::OtherSource { .. })), "{error}");
    assert_eq!(fs::read(folder.path().join("a.gz")).unwrap(), b"piece");
}

#[tokio::test]
async fn an_interrupted_run_is_taken_up_again() {
    let bucket = FakeBucket::new(100);
    for key in ["p/a.gz", "p/b.gz", "p/c.gz"] {
        bucket.put(key, key.as_bytes());
    }
    bucket.fail("p/c.gz", [Fault::Status(403, "AccessDenied")]);
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    let error = run(&aws, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(index(folder.path())["pieces"]["p/c.gz"]["sha256"], serde_json::Value::Null);

    let again = run(&aws, folder.path()).await.unwrap();
    assert!(again.fetched >= 1);
    assert_eq!(tree(folder.path()), ["a.gz", "b.gz", "c.gz", "fetch.json"]);
    assert_eq!(run(&aws, folder.path()).await.unwrap().fetched, 0);
}

#[tokio::test]
async fn a_piece_that_gets_another_name_is_there_once() {
    let bucket = FakeBucket::new(100);
    bucket.put("p/a.gz", "one");
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    run(&aws, folder.path()).await.unwrap();
    assert_eq!(tree(folder.path()), ["a.gz", "fetch.json"]);
    bucket.put("p/A.gz", "two");
    let summary = run(&aws, folder.path()).await.unwrap();
    assert!(summary.files.iter().all(|file| file.is_renamed));
    assert_eq!(tree(folder.path()).len(), 3);
    assert!(!folder.path().join("a.gz").exists());
}

#[tokio::test]
async fn a_dry_run_touches_nothing() {
    let bucket = FakeBucket::new(100);
    bucket.put("p/a.gz", "");
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("dest");
    let listing = listed(&aws, "p").await;
    let options = DownloadOptions { dry_run: true, ..DownloadOptions::default() };
    let summary = download(Some(aws.clone()), &listing, &dest, &options, |_| {}).await.unwrap();
    assert_eq!(summary.fetched, 1);
    assert!(!dest.exists());
    // An empty piece is fetched all the same, and warned of.
    let mut heard = Vec::new();
    let options = DownloadOptions::default();
    let done = download(Some(aws), &listing, &dest, &options, |progress| heard.push(*progress)).await;
    assert_eq!(done.unwrap().warnings.len(), 1);
    assert_eq!(heard.iter().map(|it| it.pieces_done).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_damaged_index_is_not_guessed_at() {
    let bucket = FakeBucket::new(100);
    bucket.put("p/a.gz", "piece");
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(INDEX_FILE), b"{\"tool\":").unwrap();
    assert_eq!(run(&aws, folder.path()).await.unwrap_err().kind(), ErrorKind::Integrity);
}

/// Makes the index as a kill leaves it: everything planned, nothing noted.
fn forget_what_came(dest: &Path) {
    let mut told = index(dest);
    for entry in told["pieces"].as_object_mut().unwrap().values_mut() {
        entry.as_object_mut().unwrap().remove("sha256");
    }
    fs::write(dest.join(INDEX_FILE), told.to_string()).unwrap();
}

#[tokio::test]
async fn files_in_place_are_not_fetched_again_after_a_kill() {
    let bucket = FakeBucket::new(100);
    for key in ["p/a.gz", "p/b/c.gz", "p/d.gz"] {
        bucket.put(key, key.as_bytes());
    }
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path();
    run(&aws, dest).await.unwrap();
    let noted = index(dest);
    forget_what_came(dest);
    fs::remove_file(dest.join("d.gz")).unwrap();
    fs::write(dest.join("d.gz.partial"), b"p/d").unwrap();
    fs::write(dest.join("a.gz.partial"), b"of a run before that").unwrap();

    let gets = bucket.gets().len();
    let again = run(&aws, dest).await.unwrap();
    assert_eq!((again.fetched, again.unchanged), (1, 2));
    assert_eq!(bucket.gets().len(), gets + 1);
    assert_eq!(index(dest), noted, "hashes and all");
    assert_eq!(tree(dest), ["a.gz", "b/c.gz", "d.gz", "fetch.json"]);

    // A file of the right size that is not the object is no piece.
    forget_what_came(dest);
    fs::write(dest.join("a.gz"), b"p/X.gz").unwrap();
    assert_eq!(run(&aws, dest).await.unwrap().fetched, 1);
    assert_eq!(fs::read(dest.join("a.gz")).unwrap(), b"p/a.gz");
}

#[tokio::test]
async fn an_old_file_is_not_taken_for_the_new_one_of_its_size() {
    let bucket = FakeBucket::new(100);
    bucket.put("p/a.gz", "one");
    let aws = connect(&bucket.serve().await).await;
    let folder = tempfile::tempdir().unwrap();
    run(&aws, folder.path()).await.unwrap();
    bucket.put("p/a.gz", "two");
    bucket.fail("p/a.gz", [Fault::Status(403, "AccessDenied")]);
    run(&aws, folder.path()).await.unwrap_err();
    assert_eq!(tree(folder.path()), ["fetch.json"], "it is gone before the index speaks of the new one");
    assert_eq!(run(&aws, folder.path()).await.unwrap().fetched, 1);
    assert_eq!(fs::read(folder.path().join("a.gz")).unwrap(), b"two");
}
