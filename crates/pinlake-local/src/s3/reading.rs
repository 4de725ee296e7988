//! Reads of objects and listings: GET, HEAD, ranges, pages.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::Stream;
use hyper::HeaderMap;
use hyper::header::{CONTENT_RANGE, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{CommonPrefix, ETag, EncodingType, Timestamp};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, dto};

use crate::store::{ListPage, ListQuery, Object};

/// Bytes of a body's chunk: as much as a socket takes at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// S3's pages have no more keys than this, whatever is asked for.
const MAXIMUM_KEYS: i32 = 1_000;

/// What stays as it is under `encoding-type=url`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// An object's bytes, handed out in slices without copying.
pub(super) struct Slices(pub(super) Bytes);

impl Stream for Slices {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let length = self.0.len().min(CHUNK_BYTES);
        let chunk = self.0.split_to(length);
        Poll::Ready((length > 0).then_some(Ok(chunk)))
    }
}

impl ByteStream for Slices {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(self.0.len())
    }
}

/// The part of an object that a range names, as offsets, with its `Content-Range`; all of it where there is none.
pub(super) fn slice(object: &Object, range: Option<dto::Range>) -> S3Result<(Range<usize>, Option<String>)> {
    let length = object.bytes().len();
    let Some(range) = range else { return Ok((0..length, None)) };
    let unsatisfiable = || {
        let mut error =
            S3Error::with_message(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
            headers.insert(CONTENT_RANGE, value);
        }
        error.set_headers(headers);
        error
    };
    let bounds = range.check(length as u64).map_err(|_| unsatisfiable())?;
    let offset = |bound: u64| usize::try_from(bound).map_err(|_| unsatisfiable());
    let bounds = offset(bounds.start)?..offset(bounds.end)?;
    // A suffix of an empty object names nothing.
    let last = bounds.end.checked_sub(1).filter(|last| *last >= bounds.start).ok_or_else(unsatisfiable)?;
    let content_range = format!("bytes {}-{last}/{length}", bounds.start);
    Ok((bounds, Some(content_range)))
}

/// A length as S3's members have it.
pub(super) fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A store's `ETag` as s3s's.
pub(super) fn etag(object: &Object) -> ETag {
    ETag::Strong(object.etag().to_owned())
}

/// How many entries a page may have.
pub(super) fn page_size(max_keys: Option<i32>) -> S3Result<i32> {
    match max_keys.unwrap_or(MAXIMUM_KEYS) {
        asked if asked < 0 => {
            Err(S3Error::with_message(S3ErrorCode::InvalidArgument, "max-keys must not be negative"))
        }
        asked => Ok(asked.min(MAXIMUM_KEYS)),
    }
}

/// The continuation token for a page's last entry: opaque to clients.
pub(super) fn token(entry: &str) -> String {
    URL_SAFE_NO_PAD.encode(entry)
}

/// The entry behind a continuation token.
pub(super) fn entry(token: &str) -> S3Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        S3Error::with_message(S3ErrorCode::InvalidArgument, "The continuation token provided is incorrect")
    })
}

/// Writes keys and prefixes of an answer as the request wants them encoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyEncoding {
    url: bool,
}

impl KeyEncoding {
    /// The encoding that a request asks for.
    pub(super) fn new(encoding_type: Option<&EncodingType>) -> Self {
        KeyEncoding { url: encoding_type.is_some_and(|encoding| encoding.as_str() == EncodingType::URL) }
    }

    /// A key in the answer.
    pub(super) fn encode(self, key: String) -> String {
        if self.url { utf8_percent_encode(&key, KEPT).to_string() } else { key }
    }

    /// A page's objects and common prefixes as the answer's members.
    pub(super) fn members(self, page: ListPage) -> (Vec<dto::Object>, Vec<CommonPrefix>) {
        let objects = page.objects.into_iter().map(|(key, object)| dto::Object {
            e_tag: Some(etag(&object)),
            key: Some(self.encode(key)),
            last_modified: Some(Timestamp::from(object.last_modified())),
            size: Some(length(object.bytes().len())),
            storage_class: Some(dto::ObjectStorageClass::from_static(dto::ObjectStorageClass::STANDARD)),
            ..dto::Object::default()
        });
        let prefixes = page.common_prefixes.into_iter();
        let prefixes = prefixes.map(|prefix| CommonPrefix { prefix: Some(self.encode(prefix)) });
        (objects.collect(), prefixes.collect())
    }
}

/// What to ask the store for.
pub(super) fn query(
    prefix: Option<String>,
    delimiter: Option<String>,
    after: Option<String>,
    max_keys: i32,
) -> ListQuery {
    ListQuery {
        prefix: prefix.unwrap_or_default(),
        delimiter,
        after,
        max_keys: usize::try_from(max_keys).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        let object = Object::new(Bytes::from_static(b"0123456789"));
        let slice = |header: &str| {
            let range = dto::Range::parse(header).ok();
            slice(&object, range).map_err(|error| error.code().clone())
        };
        assert_eq!(slice("bytes=2-4"), Ok((2..5, Some("bytes 2-4/10".to_owned()))));
        assert_eq!(slice("bytes=7-99"), Ok((7..10, Some("bytes 7-9/10".to_owned()))));
        assert_eq!(slice("bytes=-3"), Ok((7..10, Some("bytes 7-9/10".to_owned()))));
        assert_eq!(slice("bytes=10-"), Err(S3ErrorCode::InvalidRange));
        let empty = Object::new(Bytes::new());
        assert!(super::slice(&empty, dto::Range::parse("bytes=-3").ok()).is_err());
        assert_eq!(super::slice(&empty, None).ok(), Some((0..0, None)));
    }

    #[test]
    fn tokens_and_encodings_keep_keys() {
        let key = "exports/ü+%&/part 1.gz";
        assert_eq!(entry(&token(key)).ok().as_deref(), Some(key));
        assert!(entry("no token!").is_err());
        let url = EncodingType::from_static(EncodingType::URL);
        let encoded = KeyEncoding::new(Some(&url)).encode(key.to_owned());
        assert_eq!(encoded, "exports/%C3%BC%2B%25%26/part%201.gz");
        assert_eq!(KeyEncoding::new(None).encode(key.to_owned()), key);
    }
}
