//! Writes of objects: bodies, headers and digests of uploads.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use hyper::HeaderMap;
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders};

use super::checksums;
use crate::store::ObjectHeaders;

/// Bytes of one upload, at most: the store is in memory.
const MAXIMUM_BODY_BYTES: usize = 1024 * 1024 * 1024;

/// What an upload's request tells beside its body.
pub(super) struct UploadFacts<'request> {
    /// The request's headers.
    pub(super) headers: &'request HeaderMap,
    /// What stands behind a chunked body.
    pub(super) trailers: Option<&'request TrailingHeaders>,
    /// `Content-MD5`.
    pub(super) content_md5: Option<&'request str>,
    /// The body's length, as the client promised it.
    pub(super) content_length: Option<i64>,
}

/// Reads an upload's body whole and checks it against what was declared about it. Returns it with its checksums.
pub(super) async fn receive(
    body: Option<StreamingBlob>,
    facts: UploadFacts<'_>,
) -> S3Result<(Bytes, Checksum)> {
    let mut bytes = BytesMut::new();
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|source| S3Error::with_source(S3ErrorCode::IncompleteBody, source))?;
            if bytes.len() + chunk.len() > MAXIMUM_BODY_BYTES {
                return Err(S3Error::new(S3ErrorCode::EntityTooLarge));
            }
            bytes.extend_from_slice(&chunk);
        }
    }
    let promised = facts.content_length.and_then(|length| usize::try_from(length).ok());
    if promised.is_some_and(|promised| promised != bytes.len()) {
        return Err(S3Error::new(S3ErrorCode::IncompleteBody));
    }
    let declared = checksums::declared(facts.headers, facts.trailers);
    checksums::verify(&bytes, &declared, facts.content_md5)?;
    let kept = checksums::kept(&bytes, declared);
    Ok((bytes.freeze(), kept))
}

/// Headers that are kept with an object, out of the inputs of several operations.
macro_rules! object_headers {
    ($input:expr) => {
        $crate::s3::writing::with_metadata(
            $crate::store::ObjectHeaders {
                content_type: $input.content_type.clone(),
                content_encoding: $input.content_encoding.clone(),
                content_disposition: $input.content_disposition.clone(),
                content_language: $input.content_language.clone(),
                cache_control: $input.cache_control.clone(),
                metadata: std::collections::BTreeMap::new(),
            },
            $input.metadata.clone(),
        )
    };
}
pub(super) use object_headers;

/// The headers with the user's metadata.
pub(super) fn with_metadata(
    headers: ObjectHeaders,
    metadata: Option<impl IntoIterator<Item = (String, String)>>,
) -> ObjectHeaders {
    let metadata: BTreeMap<String, String> = metadata.into_iter().flatten().collect();
    ObjectHeaders { metadata, ..headers }
}
