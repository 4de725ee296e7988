//! Listings of a bucket with pages, odd keys and faults.

use std::time::Duration;

use super::*;
use crate::error::ErrorKind;
use crate::fake::{FakeBucket, Fault, connect, connect_within};

async fn listed(bucket: &FakeBucket, url: &str) -> Result<Listing, SourceError> {
    let aws = connect(&bucket.serve().await).await;
    list(&aws, &url.parse().unwrap(), &Filter::fetched().unwrap()).await
}

fn listing_error(error: SourceError) -> ListingError {
    match error {
        SourceError::Listing(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_page_is_listed_and_siblings_are_not() {
    let bucket = FakeBucket::new(7);
    for index in 0..50 {
        bucket.put(&format!("exports/2025-02-1/{index}.gz"), "x");
    }
    bucket.put("exports/2025-02-12/a.gz", "x");
    bucket.put("exports/2025-02-1/", "");
    bucket.put("exports/2025-02-1/readme.txt", "hello");
    let listing = listed(&bucket, "s3://bucket/exports/2025-02-1").await.unwrap();
    assert_eq!(listing.pieces.len(), 50);
    assert!(listing.pieces.is_sorted_by(|a, b| a.name < b.name));
    assert!(listing.pieces.iter().all(|piece| piece.etag.is_some() && piece.size == 1));
    assert_eq!(listing.relative_name(&listing.pieces[0]), "0.gz");
    let skipped: Vec<_> = listing.skipped.iter().map(|it| (it.name.as_str(), it.reason.as_str())).collect();
    assert_eq!(
        skipped,
        [("exports/2025-02-1/", "a folder marker"), ("exports/2025-02-1/readme.txt", "does not match *.gz")]
    );
    assert_eq!(listing.source, "s3://bucket/exports/2025-02-1/");
}

#[tokio::test]
async fn keys_come_as_they_are() {
    let bucket = FakeBucket::new(2);
    let keys = ["p/+%20.gz", "p/a b.gz", "p/a\nb.gz", "p/é\u{202e}.gz", "p/<&>.gz", "p/../x.gz"];
    for key in keys {
        bucket.put(key, "x");
    }
    let listing = listed(&bucket, "s3://bucket/p/").await.unwrap();
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    assert_eq!(listing.pieces.iter().map(|piece| piece.name.as_str()).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn one_key_is_a_source_too() {
    let bucket = FakeBucket::new(10);
    for key in ["p/x.gz", "p/x.gz.json", "p/x.gz/deep.gz", "p/folder.gz/y.gz"] {
        bucket.put(key, "x");
    }
    let listing = listed(&bucket, "s3://bucket/p/x.gz").await.unwrap();
    assert_eq!(listing.pieces.len(), 1);
    assert_eq!((listing.pieces[0].name.as_str(), listing.prefix.as_str()), ("p/x.gz", "p/"));
    // Ending like a piece does not make a folder one.
    let listing = listed(&bucket, "s3://bucket/p/folder.gz").await.unwrap();
    assert_eq!(listing.pieces[0].name, "p/folder.gz/y.gz");
}

#[tokio::test]
async fn places_without_pieces_are_told_apart() {
    let bucket = FakeBucket::new(10);
    bucket.put("p/notes.txt", "x");
    let error = listing_error(listed(&bucket, "s3://bucket/q/").await.unwrap_err());
    assert!(matches!(&error, ListingError::NothingUnderPrefix { place } if place == "s3://bucket/q/"));
    let error = listing_error(listed(&bucket, "s3://bucket/p/").await.unwrap_err());
    assert!(matches!(error, ListingError::NoPieces { skipped: 1, .. }) && error.is_without_pieces());
    let error = listing_error(listed(&bucket, "s3://absent/p/").await.unwrap_err());
    assert!(matches!(&error, ListingError::NoSuchBucket { bucket, .. } if bucket == "absent"));
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn passing_faults_pass_and_others_are_named() {
    let bucket = FakeBucket::new(1);
    for key in ["p/a.gz", "p/b.gz", "p/c.gz"] {
        bucket.put(key, "x");
    }
    bucket.fail("?list", [Fault::Status(503, "SlowDown"), Fault::Status(500, "InternalError")]);
    assert_eq!(listed(&bucket, "s3://bucket/p/").await.unwrap().pieces.len(), 3);

    bucket.fail("?list", [Fault::Status(403, "AccessDenied")]);
    let error = listed(&bucket, "s3://bucket/p/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(matches!(listing_error(error), ListingError::Denied { .. }));

    // Credentials that are found expired are loaded anew, once.
    bucket.fail("?list", [Fault::Status(400, "ExpiredToken")]);
    assert_eq!(listed(&bucket, "s3://bucket/p/").await.unwrap().pieces.len(), 3);
    bucket.fail("?list", [Fault::Status(400, "ExpiredToken"), Fault::Status(400, "ExpiredToken")]);
    let error = listed(&bucket, "s3://bucket/p/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    let ListingError::Request { cause, attempts: 2, .. } = listing_error(error) else { panic!() };
    assert!(cause.to_string().contains("expired"), "{cause}");

    bucket.fail("?list", [Fault::Status(301, "PermanentRedirect")]);
    let error = listed(&bucket, "s3://bucket/p/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn a_repeated_token_does_not_go_round_for_ever() {
    let bucket = FakeBucket::new(1);
    bucket.put("p/a.gz", "x");
    bucket.put("p/b.gz", "x");
    bucket.repeat_tokens();
    let error = listing_error(listed(&bucket, "s3://bucket/p/").await.unwrap_err());
    assert!(matches!(error, ListingError::RepeatedToken { .. }));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_network_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let aws = connect_within(&url, Duration::from_millis(200), Duration::from_millis(100)).await;
    let error =
        list(&aws, &"s3://bucket/p/".parse().unwrap(), &Filter::fetched().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    let ListingError::Request { cause, .. } = listing_error(error) else { panic!() };
    assert_eq!(cause.kind(), FailureKind::Unconnected, "{cause}");
}
