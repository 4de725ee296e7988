//! S3 as stock clients use it; `tests/clients/s3_walk.py` walks it with boto3 and the `aws` command.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, Delete,
    EncodingType, MetadataDirective, ObjectAttributes, ObjectIdentifier,
};
use pinlake_local::{LocalCredentials, LocalOptions};

use crate::world::{TestResult, World, s3_client};

const BUCKET: &str = "pinlake-local";

/// The HTTP status and S3's code of a failure.
fn failure<E: ProvideErrorMetadata>(error: &SdkError<E>) -> (u16, Option<&str>) {
    (error.raw_response().map_or(0, |response| response.status().as_u16()), error.code())
}

/// The failure of a call that must not succeed.
macro_rules! refused {
    ($call:expr) => {
        match $call.send().await {
            Ok(answer) => panic!("not refused: {answer:?}"),
            Err(error) => {
                let (status, code) = failure(&error);
                (status, code.unwrap_or_default().to_owned())
            }
        }
    };
}

mod durable;
mod parts;
mod refusals;

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_put_read_in_parts_copied_and_deleted() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    let put = s3
        .put_object()
        .bucket(BUCKET)
        .key("a/b c+d%.txt")
        .content_type("text/plain")
        .metadata("who", "me")
        .body(ByteStream::from_static(b"0123456789"))
        .send()
        .await?;
    assert_eq!(put.e_tag(), Some("\"781e5e245d69b566979b86e28d23f2c7\""));

    let object = s3.get_object().bucket(BUCKET).key("a/b c+d%.txt").send().await?;
    assert_eq!((object.content_type(), object.content_length()), (Some("text/plain"), Some(10)));
    assert_eq!(object.metadata().and_then(|metadata| metadata.get("who")).map(String::as_str), Some("me"));
    assert_eq!(object.e_tag(), put.e_tag());
    assert_eq!(object.body.collect().await?.into_bytes().as_ref(), b"0123456789");

    let part = s3.get_object().bucket(BUCKET).key("a/b c+d%.txt").range("bytes=2-4").send().await?;
    assert_eq!(part.content_range(), Some("bytes 2-4/10"));
    assert_eq!(part.body.collect().await?.into_bytes().as_ref(), b"234");
    let beyond = s3.get_object().bucket(BUCKET).key("a/b c+d%.txt").range("bytes=10-");
    assert_eq!(refused!(beyond), (416, "InvalidRange".to_owned()));

    s3.copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source(format!("{BUCKET}/a/b%20c%2Bd%25.txt"))
        .send()
        .await?;
    let head = s3.head_object().bucket(BUCKET).key("copy").send().await?;
    assert_eq!(
        (head.content_length(), head.content_type(), head.e_tag()),
        (Some(10), Some("text/plain"), put.e_tag())
    );

    let objects = ["copy", "never-there"].map(|key| ObjectIdentifier::builder().key(key).build());
    let delete =
        Delete::builder().set_objects(Some(objects.into_iter().collect::<Result<_, _>>()?)).build()?;
    let deleted = s3.delete_objects().bucket(BUCKET).delete(delete).send().await?;
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (2, 0));
    assert_eq!(refused!(s3.get_object().bucket(BUCKET).key("copy")), (404, "NoSuchKey".to_owned()));
    s3.delete_object().bucket(BUCKET).key("a/b c+d%.txt").send().await?;
    assert!(world.server.store().keys(BUCKET, "")?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_412_and_304() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    let etag = world.server.store().put(BUCKET, "a", "content")?.etag().to_owned();
    let get = || s3.get_object().bucket(BUCKET).key("a");
    get().if_match(format!("\"{etag}\"")).send().await?;
    assert_eq!(refused!(get().if_match("\"0123\"")), (412, "PreconditionFailed".to_owned()));
    assert_eq!(refused!(get().if_none_match(format!("\"{etag}\""))).0, 304);
    get().if_none_match("\"0123\"").send().await?;
    assert_eq!(refused!(s3.head_object().bucket(BUCKET).key("a").if_match("\"0123\"")).0, 412);
    let create = || s3.put_object().bucket(BUCKET).if_none_match("*").body(ByteStream::from_static(b"x"));
    assert_eq!(refused!(create().key("a")), (412, "PreconditionFailed".to_owned()));
    create().key("b").send().await?;
    let replace = |key| s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x"));
    assert_eq!(refused!(replace("a").if_match("\"0123\"")), (412, "PreconditionFailed".to_owned()));
    assert_eq!(refused!(replace("none").if_match(format!("\"{etag}\""))), (404, "NoSuchKey".to_owned()));
    replace("a").if_match(format!("\"{etag}\"")).send().await?;
    let delete = || s3.delete_object().bucket(BUCKET).key("a");
    assert_eq!(refused!(delete().if_match(format!("\"{etag}\""))), (412, "PreconditionFailed".to_owned()));
    delete().if_match("*").send().await?;
    assert_eq!(world.server.store().keys(BUCKET, "")?, ["b"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_with_an_object_is_told_again() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    let expires = DateTime::from_secs(1_893_553_445);
    s3.put_object()
        .bucket(BUCKET)
        .key("told")
        .content_encoding("identity")
        .content_language("de")
        .content_disposition("attachment; filename=\"x y\"")
        .cache_control("max-age=60")
        .expires(expires)
        .body(ByteStream::from_static(b"told"))
        .send()
        .await?;
    let head = s3.head_object().bucket(BUCKET).key("told").send().await?;
    assert_eq!((head.content_encoding(), head.content_language()), (Some("identity"), Some("de")));
    assert_eq!(head.content_disposition(), Some("attachment; filename=\"x y\""));
    assert_eq!(
        (head.cache_control(), head.content_type()),
        (Some("max-age=60"), Some("application/octet-stream"))
    );
    assert_eq!(head.expires_string(), Some("Wed, 02 Jan 2030 03:04:05 GMT"));

    let itself = s3.copy_object().bucket(BUCKET).key("told").copy_source(format!("{BUCKET}/told"));
    assert_eq!(refused!(itself), (400, "InvalidRequest".to_owned()));
    let replaced = s3.copy_object().bucket(BUCKET).key("told").copy_source(format!("{BUCKET}/told"));
    replaced.metadata_directive(MetadataDirective::Replace).content_type("x/y").send().await?;
    let head = s3.head_object().bucket(BUCKET).key("told").send().await?;
    assert_eq!(
        (head.content_type(), head.cache_control(), head.content_length()),
        (Some("x/y"), None, Some(4))
    );
    let tagged =
        s3.put_object().bucket(BUCKET).key("tagged").tagging("a=b").body(ByteStream::from_static(b""));
    assert_eq!(refused!(tagged), (501, "NotImplemented".to_owned()));
    assert!(s3.get_object_tagging().bucket(BUCKET).key("told").send().await?.tag_set().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_rolled_up_started_anywhere_and_encoded() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let (s3, store) = (&world.s3, world.server.store());
    for key in ["e/1.gz", "e/2 +%.gz", "e/sub/3.gz", "e/sub/4.gz", "e-sibling/5.gz", "z"] {
        store.put(BUCKET, key, key)?;
    }
    let list = s3.list_objects_v2().bucket(BUCKET).prefix("e/").delimiter("/").send().await?;
    let keys: Vec<_> = list.contents().iter().filter_map(|object| object.key()).collect();
    let prefixes: Vec<_> = list.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect();
    assert_eq!((keys, prefixes, list.key_count()), (vec!["e/1.gz", "e/2 +%.gz"], vec!["e/sub/"], Some(3)));
    assert_eq!(list.is_truncated(), Some(false));

    let list = s3.list_objects_v2().bucket(BUCKET).start_after("e/sub/3.gz").max_keys(1).send().await?;
    assert_eq!(list.contents()[0].key(), Some("e/sub/4.gz"));
    assert_eq!((list.is_truncated(), list.max_keys()), (Some(true), Some(1)));
    let token = list.next_continuation_token().unwrap_or_default();
    let rest = s3.list_objects_v2().bucket(BUCKET).continuation_token(token).send().await?;
    assert_eq!(rest.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), ["z"]);
    let wrong = s3.list_objects_v2().bucket(BUCKET).continuation_token("?");
    assert_eq!(refused!(wrong), (400, "InvalidArgument".to_owned()));

    let encoded =
        s3.list_objects_v2().bucket(BUCKET).prefix("e/2").encoding_type(EncodingType::Url).send().await?;
    assert_eq!(encoded.contents()[0].key(), Some("e/2%20%2B%25.gz"));
    let first = s3.list_objects().bucket(BUCKET).max_keys(2).send().await?;
    assert_eq!((first.contents().len(), first.next_marker()), (2, Some("e/1.gz")));
    assert!(first.contents()[0].owner().is_some(), "the first version tells owners, the second when asked");
    let owned = s3.list_objects_v2().bucket(BUCKET).fetch_owner(true).send().await?;
    assert!(owned.contents()[0].owner().is_some() && encoded.contents()[0].owner().is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn large_objects_come_in_parts() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    let upload = s3.create_multipart_upload().bucket(BUCKET).key("big").content_type("x/y").send().await?;
    let upload_id = upload.upload_id().ok_or("no upload")?;
    let contents = [vec![7_u8; 5 * 1024 * 1024], b"tail".to_vec()];
    let mut parts = Vec::new();
    for (number, content) in (1..).zip(&contents) {
        let part = s3
            .upload_part()
            .bucket(BUCKET)
            .key("big")
            .upload_id(upload_id)
            .part_number(number)
            .body(ByteStream::from(content.clone()))
            .send()
            .await?;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).build());
    }
    let listed = s3.list_parts().bucket(BUCKET).key("big").upload_id(upload_id).send().await?;
    assert_eq!(
        listed.parts().iter().filter_map(aws_sdk_s3::types::Part::size).collect::<Vec<_>>(),
        [5_242_880, 4]
    );
    let completed = s3
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("big")
        .upload_id(upload_id)
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .send()
        .await?;
    let etag = completed.e_tag().ok_or("no ETag")?;
    assert!(etag.ends_with("-2\""), "{etag}");
    let object = s3.get_object().bucket(BUCKET).key("big").if_match(etag).send().await?;
    assert_eq!((object.content_type(), object.e_tag()), (Some("x/y"), Some(etag)));
    assert_eq!(object.body.collect().await?.into_bytes(), contents.concat());

    let upload = s3.create_multipart_upload().bucket(BUCKET).key("none").send().await?;
    let upload_id = upload.upload_id().ok_or("no upload")?;
    s3.abort_multipart_upload().bucket(BUCKET).key("none").upload_id(upload_id).send().await?;
    let gone = s3.list_parts().bucket(BUCKET).key("none").upload_id(upload_id);
    assert_eq!(refused!(gone), (404, "NoSuchUpload".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_and_checksums_are_as_in_aws() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let s3 = &world.s3;
    s3.create_bucket().bucket("another").send().await?;
    let buckets = s3.list_buckets().send().await?;
    let names: Vec<_> = buckets.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["another", BUCKET]);
    assert_eq!(refused!(s3.create_bucket().bucket("another")), (409, "BucketAlreadyOwnedByYou".to_owned()));
    s3.head_bucket().bucket("another").send().await?;
    let location = s3.get_bucket_location().bucket("another").send().await?;
    // us-east-1 is told as an empty element.
    assert!(location.location_constraint().is_none_or(|region| region.as_str().is_empty()));
    s3.delete_bucket().bucket("another").send().await?;
    assert_eq!(refused!(s3.head_bucket().bucket("another")).0, 404);
    assert_eq!(refused!(s3.list_objects_v2().bucket("another")), (404, "NoSuchBucket".to_owned()));

    let put = s3.put_object().bucket(BUCKET).key("sum").checksum_algorithm(ChecksumAlgorithm::Sha256);
    let put = put.body(ByteStream::from_static(b"summed")).send().await?;
    let object =
        s3.get_object().bucket(BUCKET).key("sum").checksum_mode(ChecksumMode::Enabled).send().await?;
    assert_eq!(object.checksum_sha256(), put.checksum_sha256());
    assert_eq!(object.checksum_type(), Some(&ChecksumType::FullObject));
    let listed = s3.list_objects_v2().bucket(BUCKET).prefix("sum").send().await?;
    assert_eq!(listed.contents()[0].checksum_algorithm(), [ChecksumAlgorithm::Sha256]);
    let part =
        s3.get_object().bucket(BUCKET).key("sum").range("bytes=0-0").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(part.send().await?.checksum_sha256(), None, "the checksum is one of the whole object");
    let attributes = s3.get_object_attributes().bucket(BUCKET).key("sum");
    let attributes = attributes.object_attributes(ObjectAttributes::ObjectSize);
    let attributes = attributes.object_attributes(ObjectAttributes::Checksum).send().await?;
    let told = attributes.checksum().and_then(aws_sdk_s3::types::Checksum::checksum_sha256);
    assert_eq!((attributes.object_size(), told), (Some(6), put.checksum_sha256()));
    let wrong = s3.put_object().bucket(BUCKET).key("sum").checksum_crc32("AAAAAA==");
    let wrong = wrong.body(ByteStream::from_static(b"summed"));
    assert_eq!(refused!(wrong), (400, "BadDigest".to_owned()));
    let wrong = s3.put_object().bucket(BUCKET).key("sum").content_md5("no digest");
    let wrong = wrong.body(ByteStream::from_static(b"summed"));
    assert_eq!(refused!(wrong), (400, "InvalidDigest".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_checked() -> TestResult {
    let world = World::start(LocalOptions::default()).await?;
    let keys = world.server.credentials();
    assert!(!format!("{keys:?}").contains(&keys.secret_access_key));
    let wrong_secret = LocalCredentials { secret_access_key: "wrong".to_owned(), ..keys.clone() };
    let s3 = s3_client(&world.server, &wrong_secret);
    assert_eq!(refused!(s3.list_objects_v2().bucket(BUCKET)), (403, "SignatureDoesNotMatch".to_owned()));
    let wrong_key = LocalCredentials { access_key_id: "AKIAWRONG".to_owned(), ..keys.clone() };
    let s3 = s3_client(&world.server, &wrong_key);
    assert_eq!(refused!(s3.list_objects_v2().bucket(BUCKET)), (403, "InvalidAccessKeyId".to_owned()));
    assert!(world.s3.list_buckets().send().await?.request_id().is_some());
    Ok(())
}
