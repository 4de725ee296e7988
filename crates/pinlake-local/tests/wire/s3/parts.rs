//! Multipart uploads: checksums, numbers, listings and copies of parts.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use pinlake_local::LocalOptions;

use super::{BUCKET, failure};
use crate::world::{TestResult, World};

/// S3's fewest bytes of a part that is not the last.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// Sends a part.
async fn send(
    s3: &Client,
    (key, upload_id): (&str, &str),
    number: i32,
    content: &[u8],
) -> Result<CompletedPart, Box<dyn std::error::Error>> {
    let part = s3.upload_part().bucket(BUCKET).key(key).upload_id(upload_id).part_number(number);
    let part = part.checksum_algorithm(ChecksumAlgorithm::Sha256);
    let part = part.body(ByteStream::from(content.to_vec())).send().await?;
    let named = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
    Ok(named.set_checksum_sha256(part.checksum_sha256).build())
}

/// A completing request of these parts.
macro_rules! complete {
    ($s3:expr, $upload:expr, $parts:expr) => {{
        let parts: Vec<CompletedPart> = $parts;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        $s3.complete_multipart_upload()
            .bucket(BUCKET)
            .key($upload.0)
            .upload_id($upload.1)
            .multipart_upload(parts)
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_have_checksums_and_make_one_of_them() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    let upload = s3.create_multipart_upload().bucket(BUCKET).key("big");
    let upload = upload.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await?;
    assert_eq!(upload.checksum_type(), Some(&ChecksumType::Composite));
    let upload = ("big", upload.upload_id().ok_or("no upload")?);
    let second = send(s3, upload, 2, b"tail").await?;
    let first = send(s3, upload, 1, &vec![b'a'; PART_BYTES]).await?;
    let other = send(s3, ("big", upload.1), 3, b"other").await?;

    let listed = s3.list_parts().bucket(BUCKET).key("big").upload_id(upload.1).send().await?;
    assert_eq!(listed.parts()[1].checksum_sha256(), second.checksum_sha256());
    assert!(listed.parts()[1].last_modified().is_some() && listed.storage_class().is_some());

    assert_eq!(
        refused!(complete!(s3, upload, vec![second.clone(), first.clone()])),
        (400, "InvalidPartOrder".to_owned())
    );
    assert_eq!(
        refused!(complete!(s3, upload, vec![first.clone(), second.clone(), other])),
        (400, "EntityTooSmall".to_owned())
    );
    let wrong = CompletedPart::builder().part_number(2).set_e_tag(second.e_tag.clone());
    let wrong = wrong.set_checksum_sha256(first.checksum_sha256.clone()).build();
    assert_eq!(refused!(complete!(s3, upload, vec![first.clone(), wrong])), (400, "InvalidPart".to_owned()));
    let short = complete!(s3, upload, vec![first.clone(), second.clone()]).mpu_object_size(5);
    assert_eq!(refused!(short), (400, "InvalidRequest".to_owned()));

    let done = complete!(s3, upload, vec![first, second]).send().await?;
    // SHA-256 of the two parts' digests, worked out with Python's hashlib.
    let expected = "02fcpk5/QKJNsvzEdkeBlFeIWeYNwKJOAWPjbe9fHIs=-2";
    assert_eq!(done.checksum_sha256(), Some(expected));
    let head = s3.head_object().bucket(BUCKET).key("big").checksum_mode(ChecksumMode::Enabled).send().await?;
    assert_eq!(
        (head.checksum_sha256(), head.checksum_type()),
        (Some(expected), Some(&ChecksumType::Composite))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_read_by_the_parts_it_was_sent_in() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    let upload = s3.create_multipart_upload().bucket(BUCKET).key("big").send().await?;
    let upload = ("big", upload.upload_id().ok_or("no upload")?);
    let parts =
        vec![send(s3, upload, 1, &vec![b'a'; PART_BYTES]).await?, send(s3, upload, 5, b"tail").await?];
    complete!(s3, upload, parts).send().await?;

    let get = |number| s3.get_object().bucket(BUCKET).key("big").part_number(number);
    let part = get(2).send().await?;
    assert_eq!((part.parts_count(), part.content_range()), (Some(2), Some("bytes 5242880-5242883/5242884")));
    assert_eq!(part.body.collect().await?.into_bytes().as_ref(), b"tail");
    assert_eq!(refused!(get(3)), (416, "InvalidPartNumber".to_owned()));
    assert_eq!(refused!(get(1).range("bytes=0-1")), (400, "InvalidRequest".to_owned()));
    let seam = s3.get_object().bucket(BUCKET).key("big").range("bytes=5242878-5242881").send().await?;
    assert_eq!(seam.body.collect().await?.into_bytes().as_ref(), b"aata");
    let whole = s3.get_object().bucket(BUCKET).key("big").checksum_mode(ChecksumMode::Enabled).send().await?;
    assert_eq!(whole.checksum_type(), Some(&ChecksumType::FullObject));
    assert_eq!(whole.body.collect().await?.into_bytes().len(), PART_BYTES + 4, "the SDK checks the CRC-64");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_copied_and_uploads_under_way_are_listed() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    world.server.store().put(BUCKET, "source", "0123456789")?;
    let mut upload_ids = Vec::new();
    for key in ["a/1", "a/2", "b", "b"] {
        let upload = s3.create_multipart_upload().bucket(BUCKET).key(key).send().await?;
        upload_ids.push(upload.upload_id().ok_or("no upload")?.to_owned());
    }
    let copy = |range: &str| {
        let part = s3.upload_part_copy().bucket(BUCKET).key("a/1").upload_id(&upload_ids[0]).part_number(1);
        part.copy_source(format!("{BUCKET}/source")).copy_source_range(range)
    };
    for wrong in ["bytes=5-10", "bytes=5-", "5-6"] {
        assert_eq!(refused!(copy(wrong)), (400, "InvalidArgument".to_owned()), "{wrong}");
    }
    let copied = copy("bytes=2-4").send().await?;
    let etag = copied.copy_part_result().and_then(|part| part.e_tag()).ok_or("no ETag")?;
    let part = CompletedPart::builder().part_number(1).e_tag(etag).build();

    let list = || s3.list_multipart_uploads().bucket(BUCKET);
    let keys: Vec<_> =
        list().send().await?.uploads().iter().filter_map(|upload| upload.key.clone()).collect();
    assert_eq!(keys, ["a/1", "a/2", "b", "b"]);
    let rolled = list().delimiter("/").send().await?;
    assert_eq!((rolled.common_prefixes()[0].prefix(), rolled.uploads().len()), (Some("a/"), 2));
    assert_eq!(list().prefix("a/2").send().await?.uploads().len(), 1);
    let (mut seen, mut key, mut upload_id) = (Vec::new(), None, None);
    loop {
        let page = list().max_uploads(1).set_key_marker(key).set_upload_id_marker(upload_id).send().await?;
        seen.extend(page.uploads().iter().filter_map(|upload| upload.upload_id.clone()));
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, upload_id) = (page.next_key_marker, page.next_upload_id_marker);
    }
    seen.sort();
    let mut all = upload_ids.clone();
    all.sort();
    assert_eq!(seen, all);

    complete!(s3, ("a/1", upload_ids[0].as_str()), vec![part]).send().await?;
    assert_eq!(world.server.store().get(BUCKET, "a/1")?.bytes()?, "234");
    let elsewhere = s3.list_multipart_uploads().bucket("never-there");
    assert_eq!(refused!(elsewhere), (404, "NoSuchBucket".to_owned()));
    Ok(())
}
