//! Fetching from folders and from a bucket with faults.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::fake::{FakeBucket, Fault, connect, connect_within, etag_of};
use crate::piece::Location;

/// Bytes that differ from place to place.
fn pattern(bytes: usize, seed: u8) -> Bytes {
    (0..bytes).map(|at| u8::try_from((at * 31 + at / 251) % 256).unwrap() ^ seed).collect()
}

fn object(key: &str, bytes: &[u8]) -> Piece {
    Piece {
        name: key.to_owned(),
        size: bytes.len() as u64,
        etag: Some(etag_of(bytes)),
        location: Location::S3 { bucket: "bucket".to_owned(), key: key.to_owned() },
    }
}

fn limits(window_bytes: usize, whole_piece_bytes: u64, chunk_bytes: usize) -> FetchLimits {
    FetchLimits { window_bytes, max_requests: 4, whole_piece_bytes, chunk_bytes }
}

/// All of a body, and its facts.
async fn read(body: &mut PieceBody) -> Result<(Vec<u8>, PieceFacts), SourceError> {
    let mut all = Vec::new();
    let mut chunks = 0;
    while let Some(chunk) = body.next_chunk().await {
        all.extend_from_slice(&chunk?);
        chunks += 1;
    }
    assert!(!body.is_whole || chunks == 1);
    Ok((all, body.facts().unwrap().clone()))
}

async fn read_one(aws: &Aws, piece: Piece, limits: FetchLimits) -> Result<Vec<u8>, SourceError> {
    let mut fetch = fetch(Some(aws.clone()), vec![piece].into(), limits);
    let mut body = fetch.next().await.unwrap()?;
    Ok(read(&mut body).await?.0)
}

fn fetch_error(error: SourceError) -> FetchError {
    match error {
        SourceError::Fetch(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn pieces_come_whole_or_in_chunks_in_order() {
    let bucket = FakeBucket::new(10);
    let sizes = [0_usize, 1, 100, 5_000, 37, 9_999, 100];
    let pieces: Vec<Piece> = sizes
        .iter()
        .enumerate()
        .map(|(index, size)| {
            let bytes = pattern(*size, u8::try_from(index).unwrap());
            let piece = object(&format!("p/{index}.gz"), &bytes);
            bucket.put(&piece.name, bytes);
            piece
        })
        .collect();
    let aws = connect(&bucket.serve().await).await;
    let mut fetch = fetch(Some(aws), pieces.into(), limits(1_500, 1_000, 400));
    for (index, size) in sizes.iter().enumerate() {
        let mut body = fetch.next().await.unwrap().unwrap();
        assert_eq!((body.index, body.is_whole), (index, *size <= 1_000));
        let (bytes, facts) = read(&mut body).await.unwrap();
        assert!(bytes == pattern(*size, u8::try_from(index).unwrap()), "piece {index}");
        assert_eq!(facts.bytes, *size as u64);
    }
    assert!(fetch.next().await.is_none());
    assert!(bucket.gets().iter().all(|get| get.if_match.is_some()));
}

#[tokio::test]
async fn the_window_holds_back_what_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let pieces: Vec<Piece> = (0..20)
        .map(|index| {
            let path = folder.path().join(format!("{index}.gz"));
            std::fs::write(&path, pattern(100, 0)).unwrap();
            Piece { name: format!("{index}.gz"), size: 100, etag: None, location: Location::File(path) }
        })
        .collect();
    let mut fetch = fetch(None, pieces.into(), limits(250, 100, 50));
    let mut first = fetch.next().await.unwrap().unwrap();
    let mut second = fetch.next().await.unwrap().unwrap();
    let held = first.next_chunk().await.unwrap().unwrap();
    let held_too = second.next_chunk().await.unwrap().unwrap();
    // Two pieces fill the window, so the third cannot come; virtual time would only pass if nothing could move.
    let third = tokio::time::timeout(Duration::from_millis(50), fetch.next()).await;
    assert!(third.is_err());
    drop(held);
    let third = fetch.next().await.unwrap().unwrap();
    assert_eq!(third.index, 2);
    drop(held_too);
}

#[tokio::test]
async fn breaks_are_resumed_where_they_happened() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(20_000, 7);
    let piece = object("p/a.gz", &bytes);
    bucket.put("p/a.gz", bytes.clone());
    bucket.fail(
        "p/a.gz",
        [
            Fault::Status(503, "SlowDown"),
            Fault::Reset(6_000),
            Fault::Status(500, "InternalError"),
            Fault::Stall(1_000),
            Fault::Status(429, ""),
        ],
    );
    let aws = connect(&bucket.serve().await).await;
    let got = read_one(&aws, piece, limits(100_000, 100_000, 1_000)).await.unwrap();
    assert!(got == bytes);
    let ranges: Vec<_> = bucket.gets().into_iter().map(|get| get.range).collect();
    assert_eq!(ranges[..2], [None, None]);
    assert_eq!(ranges[2].as_deref(), Some("bytes=6000-19999"));
    assert_eq!(ranges[4].as_deref(), Some("bytes=7000-19999"));
}

#[tokio::test]
async fn a_flipped_bit_is_found_and_read_again() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(3_000, 1);
    bucket.put("a.gz", bytes.clone());
    bucket.fail("a.gz", [Fault::Flip(1_234)]);
    let aws = connect(&bucket.serve().await).await;
    let got = read_one(&aws, object("a.gz", &bytes), limits(10_000, 10_000, 1_000)).await.unwrap();
    assert!(got == bytes);

    // In chunks that are already handed out nothing can be read again, so it is an error at the end.
    bucket.fail("a.gz", [Fault::Flip(12)]);
    let error = read_one(&aws, object("a.gz", &bytes), limits(10_000, 100, 1_000)).await.unwrap_err();
    assert!(matches!(fetch_error(error), FetchError::ObjectDamaged { .. }));

    bucket.fail("a.gz", vec![Fault::Flip(12); 10]);
    let error = read_one(&aws, object("a.gz", &bytes), limits(10_000, 10_000, 1_000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
}

#[tokio::test]
async fn a_server_without_ranges_is_read_past() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(3_000, 1);
    bucket.put("a.gz", bytes.clone());
    bucket.fail("a.gz", vec![Fault::NoRange; 10]);
    let aws = connect(&bucket.serve().await).await;
    let got = read_one(&aws, object("a.gz", &bytes), limits(10_000, 100, 700)).await.unwrap();
    assert!(got == bytes);
}

#[tokio::test]
async fn an_object_that_changed_or_vanished_is_said_so_at_once() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(500, 1);
    bucket.put("a.gz", pattern(500, 2));
    let aws = connect(&bucket.serve().await).await;
    let piece = object("a.gz", &bytes);
    let error = read_one(&aws, piece.clone(), limits(10_000, 10_000, 1_000)).await.unwrap_err();
    assert!(matches!(fetch_error(error), FetchError::ObjectChanged { .. }));
    bucket.remove("a.gz");
    let error = read_one(&aws, piece, limits(10_000, 10_000, 1_000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("s3://bucket/a.gz"), "{error}");
    assert_eq!(bucket.gets().len(), 2);
}

#[tokio::test]
async fn what_never_gets_better_ends_within_the_bound() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(5_000, 1);
    bucket.put("a.gz", bytes.clone());
    let bound = Duration::from_millis(300);
    let aws = connect_within(&bucket.serve().await, bound, Duration::from_millis(60)).await;
    for (fault, kind) in [
        (Fault::Status(503, "SlowDown"), ErrorKind::Network),
        (Fault::Stall(3), ErrorKind::Network),
        (Fault::Reset(0), ErrorKind::Network),
        (Fault::ErrorPage, ErrorKind::Integrity),
        (Fault::Short(1), ErrorKind::Integrity),
        (Fault::Status(403, "AccessDenied"), ErrorKind::Network),
        (Fault::Status(400, "ExpiredToken"), ErrorKind::Network),
    ] {
        bucket.fail("a.gz", vec![fault.clone(); 500]);
        let error = read_one(&aws, object("a.gz", &bytes), limits(10_000, 10_000, 1_000)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert!(error.to_string().contains("s3://bucket/a.gz (attempts: "), "{error}");
    }
}

#[tokio::test]
async fn a_failing_piece_is_an_error_in_its_turn() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(50, 1);
    for key in ["a.gz", "b.gz", "c.gz"] {
        bucket.put(key, bytes.clone());
    }
    bucket.fail("b.gz", [Fault::Status(403, "AccessDenied")]);
    let aws = connect(&bucket.serve().await).await;
    let pieces: Vec<Piece> = ["a.gz", "b.gz", "c.gz"].iter().map(|key| object(key, &bytes)).collect();
    let mut fetch = fetch(Some(aws), pieces.into(), FetchLimits::default());
    assert!(fetch.next().await.unwrap().is_ok());
    assert!(fetch.next().await.unwrap().is_err());
    assert!(fetch.next().await.unwrap().is_ok());
}

#[tokio::test]
async fn dropping_the_fetch_stops_its_requests() {
    let bucket = FakeBucket::new(10);
    let bytes = pattern(100, 1);
    let pieces: Vec<Piece> = (0..200)
        .map(|index| {
            let piece = object(&format!("{index}.gz"), &bytes);
            bucket.put(&piece.name, bytes.clone());
            piece
        })
        .collect();
    let aws = connect(&bucket.serve().await).await;
    let mut fetch = fetch(Some(aws.clone()), pieces.into(), limits(400, 100, 100));
    let body = fetch.next().await.unwrap().unwrap();
    drop((fetch, body));
    // Another round trip over the same runtime: what was aborted has had its chance to go on.
    bucket.put("last.gz", bytes.clone());
    read_one(&aws, object("last.gz", &bytes), limits(400, 100, 100)).await.unwrap();
    assert!(bucket.gets().len() < 20, "{}", bucket.gets().len());
}

#[test]
fn a_key_cannot_write_to_the_terminal() {
    let key = "p/\u{1b}]0;x\u{7}\nERROR é.gz".to_owned();
    let error = FetchError::ObjectVanished { bucket: "bucket".to_owned(), key };
    assert!(!error.to_string().chars().any(char::is_control), "{error}");
    assert!(error.to_string().contains("ERROR é.gz"));
}

#[tokio::test]
async fn files_that_change_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gz");
    std::fs::write(&path, b"12345").unwrap();
    for (size, is_whole) in [(4, true), (6, true), (4, false), (6, false)] {
        let piece =
            Piece { name: "a.gz".to_owned(), size, etag: None, location: Location::File(path.clone()) };
        let bounds = if is_whole { limits(100, 100, 100) } else { limits(100, 0, 3) };
        let mut fetch = fetch(None, vec![piece].into(), bounds);
        let error = fetch.next().await.unwrap().unwrap_err();
        assert!(matches!(fetch_error(error), FetchError::FileChanged { .. }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any sizes within any window come complete and in order, and never wait for each other.
    #[test]
    fn any_plan_comes_through_any_window(
        sizes in prop::collection::vec(0_usize..300, 1..12),
        window_bytes in 1_usize..200,
        whole_piece_bytes in 0_u64..200,
        chunk_bytes in 1_usize..200,
        max_requests in 1_usize..4,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let pieces: Vec<Piece> = sizes.iter().enumerate().map(|(index, size)| {
            let path = folder.path().join(format!("{index}.gz"));
            std::fs::write(&path, pattern(*size, 3)).unwrap();
            Piece {
                name: format!("{index}.gz"), size: *size as u64, etag: None, location: Location::File(path),
            }
        }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limits = FetchLimits { window_bytes, max_requests, whole_piece_bytes, chunk_bytes };
            let mut fetch = fetch(None, pieces.into(), limits);
            for size in &sizes {
                let mut body = fetch.next().await.unwrap().unwrap();
                assert!(read(&mut body).await.unwrap().0 == pattern(*size, 3));
            }
            assert!(fetch.next().await.is_none());
        });
    }
}
