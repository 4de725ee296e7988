//! A data folder over restarts, kills and second servers.

use std::fs;

use bytes::Bytes;
use s3s::dto::{Checksum, ChecksumType};

use super::*;
use crate::store::{CompletedPart, ObjectHeaders, Store, UploadFacts, UploadTarget};

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// The names of the files that hold bytes.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folder.join(OBJECTS_FOLDER))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}

/// Bytes as they have been received.
fn received(store: &Store, bytes: &[u8]) -> Result<crate::store::Received, StoreError> {
    let mut intake = store.intake(s3s::checksum::ChecksumHasher::default())?;
    intake.push(&Bytes::copy_from_slice(bytes));
    intake.finish()
}

#[test]
fn everything_told_is_there_after_a_restart() -> TestResult {
    let folder = tempfile::tempdir()?;
    let headers = ObjectHeaders {
        content_type: Some("text/plain".to_owned()),
        expires: Some("Wed, 02 Jan 2030 03:04:05 GMT".to_owned()),
        metadata: [("who".to_owned(), "me".to_owned())].into(),
        ..ObjectHeaders::default()
    };
    let checksum = Checksum {
        checksum_sha256: Some("abc=-2".to_owned()),
        checksum_type: Some(ChecksumType::from_static(ChecksumType::COMPOSITE)),
        ..Checksum::default()
    };
    let (buckets, written) = {
        let store = Store::open(folder.path())?;
        store.create_bucket("pieces")?;
        store.create_bucket("gone")?;
        store.delete_bucket("gone")?;
        let object = Object::new(Bytes::from_static(b"content"));
        let object = object.with_headers(headers.clone()).with_checksum(checksum.clone());
        let written = store.put_object("pieces", "a/ü +%", object)?;
        store.put("pieces", "empty", "")?;
        store.put("pieces", "deleted", "x")?;
        store.put("pieces", "replaced", "before")?;
        store.put("pieces", "replaced", "after")?;
        store.delete("pieces", "deleted")?;
        (store.buckets(), written)
    };
    assert_eq!(files(folder.path())?.len(), 2, "an empty object has no file");
    let store = Store::open(folder.path())?;
    assert_eq!(store.buckets(), buckets);
    assert_eq!(store.keys("pieces", "")?, ["a/ü +%", "empty", "replaced"]);
    let read = store.get("pieces", "a/ü +%")?;
    assert_eq!((read.etag(), read.headers(), read.checksum()), (written.etag(), &headers, &checksum));
    assert_eq!(
        (read.last_modified(), read.bytes()?.as_ref()),
        (written.last_modified(), b"content".as_slice())
    );
    assert_eq!(store.get("pieces", "empty")?.bytes()?, Bytes::new());
    assert_eq!(store.get("pieces", "replaced")?.bytes()?, "after");
    Ok(())
}

#[test]
fn what_a_kill_left_is_gone_when_the_folder_is_opened() -> TestResult {
    let folder = tempfile::tempdir()?;
    {
        let store = Store::open(folder.path())?;
        store.create_bucket("pieces")?;
        store.put("pieces", "kept", "kept")?;
        // Killed after the file was written and before it was named: what would remove the file does not run.
        std::mem::forget(received(&store, b"an object that was never named")?);
        std::mem::forget(store.intake(s3s::checksum::ChecksumHasher::default())?);
    }
    fs::write(folder.path().join(OBJECTS_FOLDER).join("notes.txt"), "somebody else's")?;
    assert_eq!(files(folder.path())?.len(), 4);
    let store = Store::open(folder.path())?;
    assert_eq!(store.keys("pieces", "")?, ["kept"]);
    assert_eq!(store.get("pieces", "kept")?.bytes()?, "kept");
    let left = files(folder.path())?;
    assert!(left.len() == 2 && left.contains(&"notes.txt".to_owned()), "{left:?}");
    Ok(())
}

#[test]
fn a_reader_keeps_what_it_reads_and_files_go_with_the_last_one() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.create_bucket("pieces")?;
    store.put("pieces", "a", "first")?;
    let copy = store.get("pieces", "a")?;
    store.put_object("pieces", "copy", copy)?;
    let reader = store.get("pieces", "a")?;
    store.put("pieces", "a", "second")?;
    store.delete("pieces", "copy")?;
    assert_eq!(reader.bytes()?, "first");
    assert_eq!(files(folder.path())?.len(), 2);
    drop(reader);
    assert_eq!(files(folder.path())?.len(), 1);
    store.delete("pieces", "a")?;
    assert_eq!(files(folder.path())?.len(), 0);
    Ok(())
}

#[test]
fn objects_of_parts_are_read_over_their_seams_and_uploads_end_with_the_process() -> TestResult {
    let folder = tempfile::tempdir()?;
    let part = vec![b'a'; 5 * 1024 * 1024];
    {
        let store = Store::open(folder.path())?;
        store.create_bucket("pieces")?;
        let upload_id = store.create_upload("pieces", "big", UploadFacts::default())?;
        let target = UploadTarget { bucket: "pieces", key: "big", upload_id: &upload_id };
        for (number, bytes) in [(1, part.as_slice()), (2, b"given up"), (2, b"tail")] {
            store.put_part(target, number, received(&store, bytes)?)?;
        }
        let parts = [1, 2].map(|number| CompletedPart { number, etag: None, checksum: Checksum::default() });
        let (object, _) = store.assemble(target, &parts)?;
        store.put_object("pieces", "big", object)?;
        store.end_upload(target)?;
        let upload_id = store.create_upload("pieces", "never", UploadFacts::default())?;
        let target = UploadTarget { bucket: "pieces", key: "never", upload_id: &upload_id };
        store.put_part(target, 1, received(&store, b"lost")?)?;
        assert_eq!(files(folder.path())?.len(), 3);
    }
    let store = Store::open(folder.path())?;
    assert_eq!(files(folder.path())?.len(), 2);
    let object = store.get("pieces", "big")?;
    assert_eq!(object.parts(), [part.len(), 4]);
    assert_eq!(object.body().cut(part.len() - 2..part.len() + 2).read()?, "aata");
    assert_eq!(object.length(), part.len() + 4);
    Ok(())
}

#[test]
fn a_second_server_on_the_folder_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    let refused = Store::open(folder.path());
    assert!(matches!(&refused, Err(StoreError::InUse { path }) if path.ends_with(FILE)), "{refused:?}");
    store.create_bucket("pieces")?;
    store.put("pieces", "a", "content")?;
    // A job that did not end yet may hold the store of a server that has stopped.
    store.close();
    let next = Store::open(folder.path())?;
    assert!(matches!(store.put("pieces", "b", "x"), Err(StoreError::Closed)));
    assert!(matches!(store.delete("pieces", "a"), Err(StoreError::Closed)));
    drop(store);
    assert_eq!(
        (next.keys("pieces", "")?, next.get("pieces", "a")?.bytes()?),
        (vec!["a".to_owned()], "content".into())
    );
    Ok(())
}

#[test]
fn a_file_of_something_else_is_refused() -> TestResult {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(FILE), b"not a database".repeat(1_000))?;
    assert!(matches!(Store::open(folder.path()), Err(StoreError::Open { .. })));
    Ok(())
}

#[test]
fn bytes_that_are_lost_are_told_when_they_are_read() -> TestResult {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    store.create_bucket("pieces")?;
    store.put("pieces", "a", "content")?;
    for name in files(folder.path())? {
        fs::write(folder.path().join(OBJECTS_FOLDER).join(name), "short")?;
    }
    assert!(matches!(store.get("pieces", "a")?.bytes(), Err(StoreError::Bytes { .. })));
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_owner_alone_can_read_it() -> TestResult {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let store = Store::open(&data)?;
    store.create_bucket("pieces")?;
    store.put("pieces", "a", "content")?;
    let mode = |path: &Path| Ok::<_, io::Error>(fs::metadata(path)?.permissions().mode() & 0o777);
    assert_eq!(
        (mode(&data)?, mode(&data.join(OBJECTS_FOLDER))?, mode(&data.join(FILE))?),
        (0o700, 0o700, 0o600)
    );
    for name in files(&data)? {
        assert_eq!(mode(&data.join(OBJECTS_FOLDER).join(name))?, 0o600);
    }
    Ok(())
}
