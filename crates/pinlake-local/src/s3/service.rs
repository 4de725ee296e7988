//! The operations of the local S3: what stock clients and pinlake itself use. The rest answers `NotImplemented`.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, BucketLocationConstraint, Checksum,
    ChecksumAlgorithm, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput,
    CopyObjectOutput, CopyObjectResult, CopySource, CreateBucketInput, CreateBucketOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    GetBucketLocationInput, GetBucketLocationOutput, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectAttributesParts, GetObjectInput, GetObjectOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput,
    ListBucketsOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    MetadataDirective, ObjectAttributes, PutObjectInput, PutObjectOutput, StorageClass, StreamingBlob,
    Timestamp, TimestampFormat, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::region::Region;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::checksums;
use super::conditions::Conditions;
use super::multipart;
use super::reading::{self, KeyEncoding};
use super::streaming::Chunks;
use super::writing::{self, object_headers, upload_facts};
use crate::store::{Object, Received, Store};

/// S3 over a store.
pub(super) struct LocalS3 {
    pub(super) store: Store,
    pub(super) region: Region,
}

impl LocalS3 {
    /// The object that a copy reads.
    pub(super) fn source(&self, source: &CopySource) -> S3Result<Object> {
        match source {
            CopySource::Bucket { bucket, key, .. } => self.store.get(bucket, key).map_err(S3Error::from),
            _ => Err(S3Error::with_message(S3ErrorCode::NotImplemented, "only buckets can be copied from")),
        }
    }

    /// Puts an object if the conditions allow it.
    pub(super) async fn put(
        &self,
        bucket: String,
        key: String,
        object: Object,
        conditions: Conditions,
    ) -> S3Result<Object> {
        let allow = move |existing: Option<&Object>| conditions.check_write(existing);
        writing::change(&self.store, move |store| store.put_object_if(&bucket, &key, object, allow)).await
    }

    fn known(&self, bucket: &str) -> S3Result<()> {
        let missing =
            || S3Error::with_message(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist");
        if self.store.has_bucket(bucket) { Ok(()) } else { Err(missing()) }
    }
}

/// `$output` with these checksums beside what else is in it; the rest, where there is one, stands behind a semicolon.
macro_rules! with_checksum {
    ($output:ident { $($member:ident: $value:expr),* $(,)? $(; $rest:expr)? }, $checksum:expr) => {{
        let checksum: &Checksum = $checksum;
        $output {
            checksum_crc32: checksum.checksum_crc32.clone(),
            checksum_crc32c: checksum.checksum_crc32c.clone(),
            checksum_crc64nvme: checksum.checksum_crc64nvme.clone(),
            checksum_sha1: checksum.checksum_sha1.clone(),
            checksum_sha256: checksum.checksum_sha256.clone(),
            $($member: $value,)*
            $(..$rest)?
        }
    }};
}
pub(super) use with_checksum;

/// `$output` of a read, with everything that is told with an object.
macro_rules! describe_object {
    ($output:ident, $object:expr, $with_checksum:expr) => {{
        let object: &Object = $object;
        let headers = object.headers();
        let checksum = if $with_checksum { object.checksum().clone() } else { Checksum::default() };
        let content_type = headers.content_type.clone();
        let expires = headers.expires.as_deref();
        with_checksum!(
            $output {
                accept_ranges: Some("bytes".to_owned()),
                e_tag: Some(reading::etag(object)),
                last_modified: Some(Timestamp::from(object.last_modified())),
                content_type: Some(content_type.unwrap_or_else(|| "binary/octet-stream".to_owned())),
                content_encoding: headers.content_encoding.clone(),
                content_disposition: headers.content_disposition.clone(),
                content_language: headers.content_language.clone(),
                cache_control: headers.cache_control.clone(),
                expires: expires.and_then(|date| Timestamp::parse(TimestampFormat::HttpDate, date).ok()),
                metadata: Some(headers.metadata.clone().into_iter().collect()),
                checksum_type: checksum.checksum_type.clone();
                $output::default()
            },
            &checksum
        )
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
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            owner: Some(reading::owner()),
            ..ListBucketsOutput::default()
        }))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = request.input.bucket;
        let location = Some(format!("/{bucket}"));
        writing::change(&self.store, move |store| Ok(store.create_bucket(&bucket)?)).await?;
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.known(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(self.region.as_str().to_owned()),
            ..HeadBucketOutput::default()
        }))
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        let bucket = request.input.bucket;
        writing::change(&self.store, move |store| Ok(store.delete_bucket(&bucket)?)).await?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.known(&request.input.bucket)?;
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
        let (contents, common_prefixes) = encoding.members(page, Some(&reading::owner()));
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
        let owner = input.fetch_owner.unwrap_or(false).then(reading::owner);
        let after = match &input.continuation_token {
            Some(token) => Some(reading::entry(token)?),
            None => input.start_after.clone(),
        };
        let query = reading::query(input.prefix.clone(), input.delimiter.clone(), after, max_keys);
        let mut page = self.store.list(&input.bucket, &query)?;
        let next = page.next.take();
        let (contents, common_prefixes) = encoding.members(page, owner.as_ref());
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
        let slice = reading::slice(&object, input.range, input.part_number)?;
        let body = object.body().cut(slice.bytes);
        // A checksum is one of the whole object.
        let with_checksum = input.checksum_mode.is_some() && slice.content_range.is_none();
        Ok(S3Response::new(GetObjectOutput {
            content_length: Some(reading::length(body.length())),
            content_range: slice.content_range,
            parts_count: slice.parts_count,
            body: Some(StreamingBlob::new(Chunks::new(body))),
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
        let slice = reading::slice(&object, input.range, input.part_number)?;
        let with_checksum = input.checksum_mode.is_some() && slice.content_range.is_none();
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(reading::length(slice.bytes.len())),
            content_range: slice.content_range,
            parts_count: slice.parts_count,
            ..describe_object!(HeadObjectOutput, &object, with_checksum)
        }))
    }

    async fn get_object_attributes(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> S3Result<S3Response<GetObjectAttributesOutput>> {
        let input = request.input;
        let object = self.store.get(&input.bucket, &input.key)?;
        // Some clients name them in one header, with commas between.
        let asked = |name| {
            let mut named = input.object_attributes.iter().flat_map(|names| names.as_str().split(','));
            named.any(|named| named.trim() == name)
        };
        let parts = i32::try_from(object.parts().len()).ok().filter(|parts| *parts > 0);
        Ok(S3Response::new(GetObjectAttributesOutput {
            e_tag: asked(ObjectAttributes::ETAG).then(|| reading::etag(&object)),
            checksum: asked(ObjectAttributes::CHECKSUM).then(|| object.checksum().clone()),
            object_size: asked(ObjectAttributes::OBJECT_SIZE).then(|| reading::length(object.length())),
            storage_class: asked(ObjectAttributes::STORAGE_CLASS)
                .then(|| StorageClass::from_static(StorageClass::STANDARD)),
            object_parts: parts.filter(|_| asked(ObjectAttributes::OBJECT_PARTS)).map(|parts| {
                GetObjectAttributesParts { total_parts_count: Some(parts), ..Default::default() }
            }),
            last_modified: Some(Timestamp::from(object.last_modified())),
            ..GetObjectAttributesOutput::default()
        }))
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        // Writes with tags are refused, so that there are none. `aws s3 cp` asks for them before it copies.
        self.store.get(&request.input.bucket, &request.input.key)?;
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set: Vec::new(), ..Default::default() }))
    }

    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        writing::refuse_tags(request.input.tagging.as_deref())?;
        self.known(&request.input.bucket)?;
        let body = request.input.body.take();
        let received = writing::receive(&self.store, body, upload_facts!(request, None)).await?;
        let input = request.input;
        let conditions = Conditions {
            if_match: input.if_match.clone(),
            if_none_match: input.if_none_match.clone(),
            ..Conditions::default()
        };
        let object = received.into_object().with_headers(object_headers!(input));
        let object = self.put(input.bucket, input.key, object, conditions).await?;
        let checksum = object.checksum();
        Ok(S3Response::new(with_checksum!(
            PutObjectOutput {
                e_tag: Some(reading::etag(&object)),
                checksum_type: checksum.checksum_type.clone();
                PutObjectOutput::default()
            },
            checksum
        )))
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        writing::refuse_tags(input.tagging.as_deref())?;
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
        let is_itself = matches!(&input.copy_source, CopySource::Bucket { bucket, key, .. }
            if **bucket == *input.bucket && **key == *input.key);
        if is_itself && !replaces {
            let message = "This copy request is illegal because it is trying to copy an object to itself without \
                           changing the object's metadata.";
            return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
        }
        let headers = if replaces { object_headers!(input) } else { source.headers().clone() };
        let algorithm = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
        let hasher = checksums::hasher(algorithm.or_else(|| checksums::name(source.checksum())));
        let body = source.body().clone();
        let copied = writing::on_disk(|| Received::copied(body, hasher)).await?;
        let copied = Received { checksum: checksums::whole(copied.checksum), ..copied };
        let copy = copied.into_object().with_headers(headers);
        let copy = self.put(input.bucket, input.key, copy, Conditions::default()).await?;
        let checksum = copy.checksum();
        let result = with_checksum!(
            CopyObjectResult {
                e_tag: Some(reading::etag(&copy)),
                last_modified: Some(Timestamp::from(copy.last_modified())),
                checksum_type: checksum.checksum_type.clone(),
            },
            checksum
        );
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(result),
            ..CopyObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let DeleteObjectInput { bucket, key, if_match, .. } = request.input;
        let conditions = Conditions { if_match, ..Conditions::default() };
        let allow = move |existing: Option<&Object>| conditions.check_write(existing);
        // What is not there is deleted already.
        writing::change(&self.store, move |store| store.delete_if(&bucket, &key, allow)).await?;
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
        let keys = delete.objects.into_iter().map(|object| object.key).collect::<Vec<_>>();
        let deleted = writing::change(&self.store, move |store| {
            for key in &keys {
                store.delete(&bucket, key)?;
            }
            let deleted = keys.into_iter();
            Ok(deleted.map(|key| DeletedObject { key: Some(key), ..DeletedObject::default() }).collect())
        });
        let deleted: Vec<DeletedObject> = deleted.await?;
        let deleted = (!delete.quiet.unwrap_or(false)).then_some(deleted);
        Ok(S3Response::new(DeleteObjectsOutput { deleted, ..DeleteObjectsOutput::default() }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        multipart::create_multipart_upload(self, request)
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        multipart::upload_part(self, request).await
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        multipart::upload_part_copy(self, request).await
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        multipart::list_parts(self, request)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        multipart::list_multipart_uploads(self, request)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        multipart::complete_multipart_upload(self, request).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        multipart::abort_multipart_upload(self, &request.input)
    }
}
