//! Reads of objects and listings: GET, HEAD, ranges, pages.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::header::{CONTENT_RANGE, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{ChecksumAlgorithm, CommonPrefix, ETag, EncodingType, Owner, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result, dto};

use super::checksums;
use crate::store::{ListPage, ListQuery, Object};

/// S3's pages have no more keys than this, whatever is asked for.
const MAXIMUM_KEYS: i32 = 1_000;

/// What stays as it is under `encoding-type=url`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The bytes that a read asks for, as offsets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) bytes: Range<usize>,
    /// `Content-Range`, where it is not the object as a whole that was asked for.
    pub(super) content_range: Option<String>,
    /// How many parts the object has, where one of them was asked for.
    pub(super) parts_count: Option<i32>,
}

/// The part of an object that a range or a part's number names; all of it where there is neither.
pub(super) fn slice(object: &Object, range: Option<dto::Range>, part_number: Option<i32>) -> S3Result<Slice> {
    let length = object.length();
    match (range, part_number) {
        (Some(_), Some(_)) => {
            let message = "Cannot specify both Range header and partNumber query parameter";
            Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
        }
        (None, None) => Ok(Slice { bytes: 0..length, content_range: None, parts_count: None }),
        (Some(range), None) => {
            let bytes = range_of(&range, length)?;
            let content_range = Some(content_range(&bytes, length));
            Ok(Slice { bytes, content_range, parts_count: None })
        }
        (None, Some(number)) => {
            let bytes = part_of(object, number)?;
            let content_range = (!bytes.is_empty()).then(|| content_range(&bytes, length));
            let parts_count = i32::try_from(object.parts().len()).ok().filter(|count| *count > 0);
            Ok(Slice { bytes, content_range, parts_count })
        }
    }
}

fn content_range(bytes: &Range<usize>, length: usize) -> String {
    format!("bytes {}-{}/{length}", bytes.start, bytes.end.saturating_sub(1))
}

/// The offsets that a range names.
fn range_of(range: &dto::Range, length: usize) -> S3Result<Range<usize>> {
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
    if bounds.is_empty() { Err(unsatisfiable()) } else { Ok(bounds) }
}

/// The offsets of a part, from 1. An object that was written at once is its own first part.
fn part_of(object: &Object, number: i32) -> S3Result<Range<usize>> {
    let whole = [object.length()];
    let parts = if object.parts().is_empty() { &whole } else { object.parts() };
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some((index, length)) = index.and_then(|index| Some((index, *parts.get(index)?))) else {
        return Err(refusal(
            "InvalidPartNumber",
            StatusCode::RANGE_NOT_SATISFIABLE,
            "The requested partnumber is not satisfiable",
        ));
    };
    let start = parts[..index].iter().sum();
    Ok(start..start + length)
}

/// A refusal with one of S3's codes that s3s does not know.
pub(super) fn refusal(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
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

    /// A page's objects and common prefixes as the answer's members, with their owner where one is wanted.
    pub(super) fn members(
        self,
        page: ListPage,
        owner: Option<&Owner>,
    ) -> (Vec<dto::Object>, Vec<CommonPrefix>) {
        let objects = page.objects.into_iter().map(|(key, object)| dto::Object {
            e_tag: Some(etag(&object)),
            key: Some(self.encode(key)),
            last_modified: Some(Timestamp::from(object.last_modified())),
            size: Some(length(object.length())),
            checksum_algorithm: checksums::name(object.checksum())
                .map(|name| vec![ChecksumAlgorithm::from_static(name)]),
            checksum_type: object.checksum().checksum_type.clone(),
            owner: owner.cloned(),
            storage_class: Some(dto::ObjectStorageClass::from_static(dto::ObjectStorageClass::STANDARD)),
            ..dto::Object::default()
        });
        let prefixes = page.common_prefixes.into_iter();
        let prefixes = prefixes.map(|prefix| CommonPrefix { prefix: Some(self.encode(prefix)) });
        (objects.collect(), prefixes.collect())
    }
}

/// The owner of everything.
pub(super) fn owner() -> Owner {
    Owner { display_name: Some("pinlake".to_owned()), id: Some("pinlake-local".to_owned()) }
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
    use bytes::Bytes;

    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        let object = Object::new(Bytes::from_static(b"0123456789"));
        let slice = |header: &str| {
            let slice = slice(&object, dto::Range::parse(header).ok(), None);
            slice.map(|slice| (slice.bytes, slice.content_range)).map_err(|error| error.code().clone())
        };
        assert_eq!(slice("bytes=2-4"), Ok((2..5, Some("bytes 2-4/10".to_owned()))));
        assert_eq!(slice("bytes=7-99"), Ok((7..10, Some("bytes 7-9/10".to_owned()))));
        assert_eq!(slice("bytes=-3"), Ok((7..10, Some("bytes 7-9/10".to_owned()))));
        assert_eq!(slice("bytes=10-"), Err(S3ErrorCode::InvalidRange));
        let empty = Object::new(Bytes::new());
        assert!(super::slice(&empty, dto::Range::parse("bytes=-3").ok(), None).is_err());
        assert_eq!(super::slice(&empty, None, None).ok().map(|slice| slice.bytes), Some(0..0));
    }

    #[test]
    fn parts_are_named_by_number() {
        let object = Object::new(Bytes::from_static(b"0123456789"));
        let slice = |object: &Object, number| slice(object, None, Some(number)).ok();
        let whole = Slice { bytes: 0..10, content_range: Some("bytes 0-9/10".to_owned()), parts_count: None };
        assert_eq!(slice(&object, 1), Some(whole));
        assert_eq!(slice(&object, 2), None);
        let parts = object.with_parts(vec![6, 4]);
        let second =
            Slice { bytes: 6..10, content_range: Some("bytes 6-9/10".to_owned()), parts_count: Some(2) };
        assert_eq!(slice(&parts, 2), Some(second));
        for number in [-1, 0, 3] {
            assert_eq!(slice(&parts, number), None);
        }
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
