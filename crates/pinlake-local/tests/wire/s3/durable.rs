//! S3 in a data folder: what was put is there after a restart, with all that was told with it.

use std::path::PathBuf;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use pinlake_local::{LocalError, LocalOptions, LocalServer, StoreError};

use super::{BUCKET, failure};
use crate::world::{TestResult, World};

fn in_folder(data: PathBuf) -> LocalOptions {
    LocalOptions { data: Some(data), ..LocalOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_there_after_a_restart() -> TestResult {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let world = World::start(in_folder(data.clone())).await?;
    let s3 = &world.s3;
    s3.create_bucket().bucket("another").send().await?;
    // Larger than what is written and read at once, and no multiple of it.
    let content: Vec<u8> = (0..3_500_001_u32).map(|number| (number % 251) as u8).collect();
    let put = s3.put_object().bucket(BUCKET).key("a/ü +%").content_type("x/y").metadata("who", "me");
    let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).body(ByteStream::from(content.clone()));
    let put = put.send().await?;
    let refused = s3.put_object().bucket(BUCKET).key("a/ü +%").checksum_crc32("AAAAAA==");
    let refused = refused.body(ByteStream::from_static(b"other"));
    assert_eq!(refused!(refused), (400, "BadDigest".to_owned()));
    s3.copy_object()
        .bucket("another")
        .key("copy")
        .copy_source(format!("{BUCKET}/a/%C3%BC%20%2B%25"))
        .send()
        .await?;
    s3.put_object().bucket(BUCKET).key("gone").body(ByteStream::from_static(b"gone")).send().await?;
    s3.delete_object().bucket(BUCKET).key("gone").send().await?;

    let upload = s3.create_multipart_upload().bucket(BUCKET).key("parts").send().await?;
    let upload_id = upload.upload_id().ok_or("no upload")?;
    let part = s3.upload_part().bucket(BUCKET).key("parts").upload_id(upload_id).part_number(1);
    let part = part.body(ByteStream::from_static(b"part")).send().await?;
    let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key("parts").upload_id(upload_id);
    complete.multipart_upload(parts).send().await?;

    let second = LocalServer::start(in_folder(data.clone())).await;
    assert!(matches!(second, Err(LocalError::Store(StoreError::InUse { .. }))), "{second:?}");
    world.server.stop().await;

    let world = World::start(in_folder(data)).await?;
    let s3 = &world.s3;
    assert_eq!(world.server.store().keys(BUCKET, "")?, ["a/ü +%", "parts"]);
    for (bucket, key) in [(BUCKET, "a/ü +%"), ("another", "copy")] {
        let object =
            s3.get_object().bucket(bucket).key(key).checksum_mode(ChecksumMode::Enabled).send().await?;
        assert_eq!((object.e_tag(), object.checksum_sha256()), (put.e_tag(), put.checksum_sha256()));
        assert_eq!(object.content_type(), Some("x/y"));
        assert_eq!(object.metadata().and_then(|told| told.get("who")).map(String::as_str), Some("me"));
        assert!(object.body.collect().await?.into_bytes() == content, "{key} has other bytes");
    }
    let range = s3.get_object().bucket(BUCKET).key("a/ü +%").range("bytes=1048570-1600000").send().await?;
    assert!(range.body.collect().await?.into_bytes() == content[1_048_570..=1_600_000]);
    let part = s3.get_object().bucket(BUCKET).key("parts").part_number(1).send().await?;
    assert_eq!((part.parts_count(), part.content_length()), (Some(1), Some(4)));
    Ok(())
}
