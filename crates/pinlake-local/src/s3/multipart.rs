//! Multipart uploads, as the operations of S3 see them.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Checksum, ChecksumAlgorithm, ChecksumType,
    CommonPrefix, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, Initiator, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part, Range, StorageClass,
    Timestamp, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::checksums;
use super::conditions::Conditions;
use super::reading::{self, KeyEncoding};
use super::service::{LocalS3, with_checksum};
use super::writing::{self, object_headers, upload_facts};
use crate::store::{self, CompletedPart, Object, Received, UploadFacts, UploadQuery, UploadTarget};

/// The upload that an input names.
macro_rules! target {
    ($input:expr) => {
        UploadTarget { bucket: &$input.bucket, key: &$input.key, upload_id: &$input.upload_id }
    };
}

/// `CreateMultipartUpload`.
pub(super) fn create_multipart_upload(
    s3: &LocalS3,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    writing::refuse_tags(input.tagging.as_deref())?;
    let algorithm = input.checksum_algorithm.clone();
    let checksum_type =
        algorithm.as_ref().map(|algorithm| checksum_type(algorithm, input.checksum_type.as_ref()));
    let checksum_type = checksum_type.transpose()?;
    let facts = UploadFacts {
        headers: object_headers!(input),
        checksum_algorithm: algorithm.clone(),
        checksum_type: checksum_type.clone(),
    };
    let upload_id = s3.store.create_upload(&input.bucket, &input.key, facts)?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        checksum_algorithm: algorithm,
        checksum_type,
        ..CreateMultipartUploadOutput::default()
    }))
}

/// The type of an upload's checksum, which not every algorithm can have.
fn checksum_type(algorithm: &ChecksumAlgorithm, asked: Option<&ChecksumType>) -> S3Result<ChecksumType> {
    let whole = ChecksumType::from_static(ChecksumType::FULL_OBJECT);
    let composite = ChecksumType::from_static(ChecksumType::COMPOSITE);
    let is_sha = matches!(algorithm.as_str(), ChecksumAlgorithm::SHA1 | ChecksumAlgorithm::SHA256);
    let is_crc64 = algorithm.as_str() == ChecksumAlgorithm::CRC64NVME;
    let asked = asked.cloned().unwrap_or_else(|| if is_crc64 { whole.clone() } else { composite.clone() });
    if (is_sha && asked == whole) || (is_crc64 && asked == composite) {
        let message = format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            asked.as_str(),
            algorithm.as_str().to_lowercase()
        );
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    Ok(asked)
}

/// Refuses numbers of parts that S3 does not know.
fn check_number(number: i32) -> S3Result<()> {
    if (1..=10_000).contains(&number) {
        return Ok(());
    }
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
}

/// `UploadPart`.
pub(super) async fn upload_part(
    s3: &LocalS3,
    mut request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    check_number(request.input.part_number)?;
    let upload = s3.store.upload(target!(request.input))?;
    let algorithm = upload.facts().checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let body = request.input.body.take();
    let received = writing::receive(&s3.store, body, upload_facts!(request, algorithm)).await?;
    let input = request.input;
    let part = s3.store.put_part(target!(input), input.part_number, received)?;
    let e_tag = Some(ETag::Strong(part.etag()));
    Ok(S3Response::new(
        with_checksum!(UploadPartOutput { e_tag: e_tag; UploadPartOutput::default() }, part.checksum()),
    ))
}

/// `UploadPartCopy`.
pub(super) async fn upload_part_copy(
    s3: &LocalS3,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    check_number(input.part_number)?;
    let upload = s3.store.upload(target!(input))?;
    let source = s3.source(&input.copy_source)?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match.clone(),
        if_none_match: input.copy_source_if_none_match.clone(),
        if_modified_since: input.copy_source_if_modified_since.clone(),
        if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
    };
    conditions.check_copy(&source)?;
    let body = source.body().cut(copied_range(&source, input.copy_source_range.as_deref())?);
    let algorithm = upload.facts().checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    let hasher = checksums::hasher(algorithm);
    let copied = writing::on_disk(|| Received::copied(body, hasher)).await?;
    let part = s3.store.put_part(target!(input), input.part_number, copied)?;
    let result = with_checksum!(
        CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag())),
            last_modified: Some(Timestamp::from(part.sent())),
        },
        part.checksum()
    );
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        ..UploadPartCopyOutput::default()
    }))
}

/// The offsets that a part is copied from: here both ends must be named and lie inside.
fn copied_range(source: &Object, range: Option<&str>) -> S3Result<std::ops::Range<usize>> {
    let Some(range) = range else { return Ok(0..source.length()) };
    let bounds = match Range::parse(range) {
        Ok(Range::Int { first, last: Some(last) }) if first <= last => {
            usize::try_from(first).ok().zip(usize::try_from(last).ok())
        }
        _ => None,
    };
    match bounds {
        Some((first, last)) if last < source.length() => Ok(first..last + 1),
        _ => {
            let message = "The range specified is not valid for the source object";
            Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message))
        }
    }
}

/// `ListParts`.
pub(super) fn list_parts(
    s3: &LocalS3,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let upload = s3.store.upload(target!(input))?;
    let max_parts = reading::page_size(input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let mut parts = upload
        .parts()
        .iter()
        .filter(|(number, _)| **number > marker)
        .map(|(number, part)| described(*number, part));
    let page: Vec<Part> = parts.by_ref().take(usize::try_from(max_parts).unwrap_or(0)).collect();
    let is_truncated = parts.next().is_some();
    Ok(S3Response::new(ListPartsOutput {
        is_truncated: Some(is_truncated),
        next_part_number_marker: page.last().and_then(|part| part.part_number),
        max_parts: Some(max_parts),
        part_number_marker: Some(marker),
        parts: Some(page),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        checksum_algorithm: upload.facts().checksum_algorithm.clone(),
        checksum_type: upload.facts().checksum_type.clone(),
        owner: Some(reading::owner()),
        initiator: Some(initiator()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..ListPartsOutput::default()
    }))
}

/// A part as a listing tells it.
fn described(number: i32, part: &store::Part) -> Part {
    with_checksum!(
        Part {
            e_tag: Some(ETag::Strong(part.etag())),
            part_number: Some(number),
            size: Some(reading::length(part.size())),
            last_modified: Some(Timestamp::from(part.sent())),
        },
        part.checksum()
    )
}

fn initiator() -> Initiator {
    let owner = reading::owner();
    Initiator { display_name: owner.display_name, id: owner.id }
}

/// `ListMultipartUploads`.
pub(super) fn list_multipart_uploads(
    s3: &LocalS3,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let encoding = KeyEncoding::new(input.encoding_type.as_ref());
    let max_uploads = reading::page_size(input.max_uploads)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let delimiter = input.delimiter.clone().filter(|delimiter| !delimiter.is_empty());
    let upload_id_marker = input.upload_id_marker.clone().filter(|marker| !marker.is_empty());
    let after = input.key_marker.clone().filter(|marker| !marker.is_empty());
    let query =
        UploadQuery { prefix: prefix.clone(), after: after.map(|key| (key, upload_id_marker.clone())) };
    let (mut uploads, mut common_prefixes, mut next) = (Vec::new(), Vec::<String>::new(), None);
    let mut is_truncated = false;
    for (upload_id, upload) in s3.store.uploads(&input.bucket, &query)? {
        let rolled = delimiter.as_deref().and_then(|delimiter| {
            let position = upload.key()[prefix.len()..].find(delimiter)?;
            Some(upload.key()[..prefix.len() + position + delimiter.len()].to_owned())
        });
        let is_told = rolled.is_some() && rolled.as_ref() == common_prefixes.last();
        if !is_told && uploads.len() + common_prefixes.len() == usize::try_from(max_uploads).unwrap_or(0) {
            is_truncated = true;
            break;
        }
        next = Some((upload.key().to_owned(), upload_id.clone()));
        match rolled {
            Some(_) if is_told => {}
            Some(rolled) => common_prefixes.push(rolled),
            None => uploads.push(MultipartUpload {
                key: Some(encoding.encode(upload.key().to_owned())),
                upload_id: Some(upload_id),
                initiated: Some(Timestamp::from(upload.initiated())),
                checksum_algorithm: upload.facts().checksum_algorithm.clone(),
                checksum_type: upload.facts().checksum_type.clone(),
                owner: Some(reading::owner()),
                initiator: Some(initiator()),
                storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
            }),
        }
    }
    let (next_key, next_upload_id) = next.filter(|_| is_truncated).unzip();
    let common_prefixes = common_prefixes.into_iter();
    let common_prefixes =
        common_prefixes.map(|prefix| CommonPrefix { prefix: Some(encoding.encode(prefix)) }).collect();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        uploads: Some(uploads),
        common_prefixes: Some(common_prefixes),
        delimiter: input.delimiter.map(|delimiter| encoding.encode(delimiter)),
        prefix: Some(encoding.encode(prefix)),
        key_marker: Some(encoding.encode(input.key_marker.unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        next_key_marker: next_key.map(|key| encoding.encode(key)),
        next_upload_id_marker: next_upload_id,
        max_uploads: Some(max_uploads),
        is_truncated: Some(is_truncated),
        encoding_type: input.encoding_type,
        ..ListMultipartUploadsOutput::default()
    }))
}

/// `CompleteMultipartUpload`.
pub(super) async fn complete_multipart_upload(
    s3: &LocalS3,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let input = request.input;
    let completed = named_parts(&input)?;
    let facts = s3.store.upload(target!(input))?.facts().clone();
    let (object, parts) = s3.store.assemble(target!(input), &completed)?;
    if input.mpu_object_size.is_some_and(|size| size != reading::length(object.length())) {
        let message = "The provided 'x-amz-mp-object-size' header does not match what was computed.";
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
    }
    let body = object.body().clone();
    let checksum = writing::on_disk(move || {
        checksums::of_parts(&body, &parts, facts.checksum_algorithm.as_ref(), facts.checksum_type.as_ref())
    });
    let checksum = checksum.await?;
    if checksum.checksum_type.as_ref().is_some_and(|told| told.as_str() == ChecksumType::FULL_OBJECT) {
        checksums::verify(&checksum, &declared(&input))?;
    }
    let conditions = Conditions {
        if_match: input.if_match.clone(),
        if_none_match: input.if_none_match.clone(),
        ..Conditions::default()
    };
    let object = object.with_checksum(checksum.clone());
    let object = s3.put(input.bucket.clone(), input.key.clone(), object, conditions).await?;
    s3.store.end_upload(target!(input))?;
    Ok(S3Response::new(with_checksum!(
        CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(reading::etag(&object)),
            checksum_type: checksum.checksum_type.clone();
            CompleteMultipartUploadOutput::default()
        },
        &checksum
    )))
}

/// The parts that a completing request names.
fn named_parts(input: &CompleteMultipartUploadInput) -> S3Result<Vec<CompletedPart>> {
    let named = input.multipart_upload.as_ref().and_then(|upload| upload.parts.as_ref());
    let named = named.filter(|parts| !parts.is_empty()).ok_or_else(|| {
        S3Error::with_message(S3ErrorCode::MalformedXML, "You must specify at least one part")
    })?;
    let completed = named.iter().map(|part| {
        let number = part.part_number.ok_or_else(|| S3Error::new(S3ErrorCode::InvalidPart))?;
        let checksum = Checksum {
            checksum_crc32: part.checksum_crc32.clone(),
            checksum_crc32c: part.checksum_crc32c.clone(),
            checksum_crc64nvme: part.checksum_crc64nvme.clone(),
            checksum_sha1: part.checksum_sha1.clone(),
            checksum_sha256: part.checksum_sha256.clone(),
            checksum_type: None,
        };
        Ok(CompletedPart { number, etag: part.e_tag.clone().map(ETag::into_value), checksum })
    });
    completed.collect()
}

/// The checksums that a completing request declares for the object.
fn declared(input: &CompleteMultipartUploadInput) -> Checksum {
    Checksum {
        checksum_crc32: input.checksum_crc32.clone(),
        checksum_crc32c: input.checksum_crc32c.clone(),
        checksum_crc64nvme: input.checksum_crc64nvme.clone(),
        checksum_sha1: input.checksum_sha1.clone(),
        checksum_sha256: input.checksum_sha256.clone(),
        checksum_type: None,
    }
}

/// `AbortMultipartUpload`.
pub(super) fn abort_multipart_upload(
    s3: &LocalS3,
    input: &AbortMultipartUploadInput,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    s3.store.end_upload(target!(input))?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}
