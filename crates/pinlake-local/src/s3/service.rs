//! The operations of the local S3: what stock clients and pinlake itself use. The rest answers `NotImplemented`.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, BucketLocationConstraint, Checksum,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CopySource, CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput, DeleteObjectInput,
    DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, GetBucketLocationInput,
    GetBucketLocationOutput, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    MetadataDirective, Owner, Part, PutObjectInput, PutObjectOutput, StreamingBlob, Timestamp,
    UploadPartInput, UploadPartOutput,
};
use s3s::region::Region;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::checksums;
use super::conditions::{self, Conditions};
use super::reading::{self, KeyEncoding, Slices};
use super::writing::{self, UploadFacts, object_headers};
use crate::store::{CompletedPart, Object, Store, UploadTarget};

/// S3 over a store.
pub(super) struct LocalS3 {
    pub(super) store: Store,
    pub(super) region: Region,
}

impl LocalS3 {
    /// The object that a copy reads.
    fn source(&self, source: &CopySource) -> S3Result<Object> {
        match source {
            CopySource::Bucket { bucket, key, .. } => self.store.get(bucket, key).map_err(S3Error::from),
            _ => Err(S3Error::with_message(S3ErrorCode::NotImplemented, "only buckets can be copied from")),
        }
    }
}

/// `$output` of a read, with everything that is told with an object.
macro_rules! describe_object {
    ($output:ident, $object:expr, $with_checksum:expr) => {{
        let object: &Object = $object;
        let headers = object.headers();
        let checksum = if $with_checksum { object.checksum().clone() } else { Checksum::default() };
        $output {
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(reading::etag(object)),
            last_modified: Some(Timestamp::from(object.last_modified())),
            content_type: Some(
                headers.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned()),
            ),
            content_encoding: headers.content_encoding.clone(),
            content_disposition: headers.content_disposition.clone(),
            content_language: headers.content_language.clone(),
            cache_control: headers.cache_control.clone(),
            metadata: Some(headers.metadata.clone().into_iter().collect()),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..$output::default()
        }
    }};
}

/// The conditions that stand in a read's input.
macro_rules! read_conditions {
    ($input:expr) => {
        Conditions {
            if_match: $input.if_match.clone(),
            if_none_match: $input.if_none_match.clone(),
            if_modified_since: $input.if_modified_since.clone(),
            if_unmodified_since: $input.if_unmodified_since.clone(),
        }
    };
}

#[async_trait::async_trait]
impl S3 for LocalS3 {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.store.buckets().into_iter().map(|(name, created)| Bucket {
            bucket_region: Some(self.region.as_str().to_owned()),
            creation_date: Some(Timestamp::from(created)),
            name: Some(name),
        });
        let owner = Owner { display_name: Some("pinlake".to_owned()), id: Some("pinlake-local".to_owned()) };
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            owner: Some(owner),
            ..ListBucketsOutput::default()
        }))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = request.input.bucket;
        self.store.create_bucket(&bucket)?;
        Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{bucket}")) }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        if !self.store.has_bucket(&request.input.bucket) {
            return Err(S3Error::new(S3ErrorCode::NoSuchBucket));
        }
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(self.region.as_str().to_owned()),
            ..HeadBucketOutput::default()
        }))
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.store.delete_bucket(&request.input.bucket)?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        if !self.store.has_bucket(&request.input.bucket) {
            return Err(S3Error::new(S3ErrorCode::NoSuchBucket));
        }
        // The first region of all is told as nothing.
        let region = Some(self.region.as_str()).filter(|region| *region != "us-east-1");
        Ok(S3Response::new(GetBucketLocationOutput {
            location_constraint: region.map(|region| BucketLocationConstraint::from(region.to_owned())),
        }))
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = request.input;
        let encoding = KeyEncoding::new(input.encoding_type.as_ref());
        let max_keys = reading::page_size(input.max_keys)?;
        let query =
            reading::query(input.prefix.clone(), input.delimiter.clone(), input.marker.clone(), max_keys);
        let mut page = self.store.list(&input.bucket, &query)?;
        let next = page.next.take();
        let (contents, common_prefixes) = encoding.members(page);
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.encode(input.prefix.unwrap_or_default())),
            marker: Some(encoding.encode(input.marker.unwrap_or_default())),
            delimiter: input.delimiter.map(|delimiter| encoding.encode(delimiter)),
            max_keys: Some(max_keys),
            is_truncated: Some(next.is_some()),
            next_marker: next.map(|next| encoding.encode(next)),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let encoding = KeyEncoding::new(input.encoding_type.as_ref());
        let max_keys = reading::page_size(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => Some(reading::entry(token)?),
            None => input.start_after.clone(),
        };
        let query = reading::query(input.prefix.clone(), input.delimiter.clone(), after, max_keys);
        let mut page = self.store.list(&input.bucket, &query)?;
        let next = page.next.take();
        let (contents, common_prefixes) = encoding.members(page);
        let key_count = contents.len() + common_prefixes.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.encode(input.prefix.unwrap_or_default())),
            delimiter: input.delimiter.map(|delimiter| encoding.encode(delimiter)),
            start_after: input.start_after.map(|start_after| encoding.encode(start_after)),
            continuation_token: input.continuation_token,
            max_keys: Some(max_keys),
            key_count: i32::try_from(key_count).ok(),
            is_truncated: Some(next.is_some()),
            next_continuation_token: next.as_deref().map(reading::token),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            encoding_type: input.encoding_type,
            ..ListObjectsV2Output::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.store.get(&input.bucket, &input.key)?;
        read_conditions!(input).check_read(&object)?;
        let (slice, content_range) = reading::slice(&object, input.range)?;
        let body = object.bytes().slice(slice);
        // A checksum is one of the whole object.
        let with_checksum = input.checksum_mode.is_some() && content_range.is_none();
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(reading::length(body.len())),
            content_range,
            body: Some(StreamingBlob::new(Slices(body))),
            ..describe_object!(GetObjectOutput, &object, with_checksum)
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.store.get(&input.bucket, &input.key)?;
        read_conditions!(input).check_read(&object)?;
        let (slice, content_range) = reading::slice(&object, input.range)?;
        let with_checksum = input.checksum_mode.is_some() && content_range.is_none();
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(reading::length(slice.len())),
            content_range,
            ..describe_object!(HeadObjectOutput, &object, with_checksum)
        }))
    }

    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let mut input = request.input;
        let facts = UploadFacts {
            headers: &request.headers,
            trailers: request.trailing_headers.as_ref(),
            content_md5: input.content_md5.as_deref(),
            content_length: input.content_length,
        };
        let (bytes, checksum) = writing::receive(input.body.take(), facts).await?;
        let object = Object::new(bytes).with_headers(object_headers!(input)).with_checksum(checksum.clone());
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            ..Conditions::default()
        };
        let e_tag = reading::etag(&object);
        let allow = |existing: Option<&Object>| conditions.allow_write(existing);
        if !self.store.put_object_if(&input.bucket, &input.key, object, allow)? {
            return Err(conditions::precondition_failed());
        }
        Ok(S3Response::new(PutObjectOutput {
            e_tag: Some(e_tag),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..PutObjectOutput::default()
        }))
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        let source = self.source(&input.copy_source)?;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
        };
        conditions.check_copy(&source)?;
        let replaces = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let headers = if replaces { object_headers!(input) } else { source.headers().clone() };
        let copy = Object::new(source.bytes().clone())
            .with_headers(headers)
            .with_checksum(source.checksum().clone());
        let copy = self.store.put_object(&input.bucket, &input.key, copy)?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(reading::etag(&copy)),
                last_modified: Some(Timestamp::from(copy.last_modified())),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        // What is not there is deleted already.
        self.store.delete(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let DeleteObjectsInput { bucket, delete, .. } = request.input;
        if delete.objects.len() > 1_000 {
            return Err(S3Error::new(S3ErrorCode::MalformedXML));
        }
        let mut deleted = Vec::with_capacity(delete.objects.len());
        for object in delete.objects {
            self.store.delete(&bucket, &object.key)?;
            deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
        }
        let deleted = (!delete.quiet.unwrap_or(false)).then_some(deleted);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..DeleteObjectsOutput::default() }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let headers = object_headers!(input);
        let upload_id = self.store.create_upload(&input.bucket, &input.key, headers)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload_id),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let mut input = request.input;
        if !(1..=10_000).contains(&input.part_number) {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "Part number must be 1 to 10000",
            ));
        }
        let facts = UploadFacts {
            headers: &request.headers,
            trailers: request.trailing_headers.as_ref(),
            content_md5: input.content_md5.as_deref(),
            content_length: input.content_length,
        };
        let (bytes, checksum) = writing::receive(input.body.take(), facts).await?;
        let target = UploadTarget { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
        let part = self.store.put_part(target, input.part_number, bytes)?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: Some(ETag::Strong(part.etag())),
            checksum_crc32: checksum.checksum_crc32,
            checksum_crc32c: checksum.checksum_crc32c,
            checksum_crc64nvme: checksum.checksum_crc64nvme,
            checksum_sha1: checksum.checksum_sha1,
            checksum_sha256: checksum.checksum_sha256,
            ..UploadPartOutput::default()
        }))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let target = UploadTarget { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
        let parts = self.store.parts(target)?;
        let max_parts = reading::page_size(input.max_parts)?;
        let marker = input.part_number_marker.unwrap_or(0);
        let mut parts = parts.into_iter().filter(|(number, _)| *number > marker).map(|(number, part)| Part {
            e_tag: Some(ETag::Strong(part.etag())),
            part_number: Some(number),
            size: Some(reading::length(part.size())),
            ..Part::default()
        });
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
            ..ListPartsOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let completed = named.into_iter().map(|part| {
            let number = part.part_number.ok_or_else(|| S3Error::new(S3ErrorCode::InvalidPart))?;
            Ok(CompletedPart { number, etag: part.e_tag.map(ETag::into_value) })
        });
        let completed: Vec<CompletedPart> = completed.collect::<S3Result<_>>()?;
        if completed.is_empty() {
            let message = "You must specify at least one part";
            return Err(S3Error::with_message(S3ErrorCode::MalformedXML, message));
        }
        let target = UploadTarget { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
        let object = self.store.assemble(target, &completed)?;
        let checksum = checksums::kept(object.bytes(), Checksum::default());
        let object = object.with_checksum(checksum);
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            ..Conditions::default()
        };
        let e_tag = reading::etag(&object);
        let allow = |existing: Option<&Object>| conditions.allow_write(existing);
        if !self.store.put_object_if(&input.bucket, &input.key, object, allow)? {
            return Err(conditions::precondition_failed());
        }
        self.store.end_upload(target)?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(e_tag),
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        let target = UploadTarget { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
        self.store.end_upload(target)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
