//! Digests that an uploader declares, in headers or behind the body, and that the bytes must have.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::Checksum;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders};

/// A checksum's name in headers and its place among the others.
type Place = (&'static str, fn(&mut Checksum) -> &mut Option<String>);

/// Every checksum that S3 knows.
const PLACES: [Place; 5] = [
    ("x-amz-checksum-crc32", |checksum| &mut checksum.checksum_crc32),
    ("x-amz-checksum-crc32c", |checksum| &mut checksum.checksum_crc32c),
    ("x-amz-checksum-crc64nvme", |checksum| &mut checksum.checksum_crc64nvme),
    ("x-amz-checksum-sha1", |checksum| &mut checksum.checksum_sha1),
    ("x-amz-checksum-sha256", |checksum| &mut checksum.checksum_sha256),
];

/// The checksums that a request declares. Trailing ones are there once the body has been read.
pub(super) fn declared(headers: &HeaderMap, trailers: Option<&TrailingHeaders>) -> Checksum {
    let mut declared = Checksum::default();
    read_into(&mut declared, headers);
    if let Some(trailers) = trailers {
        trailers.read(|trailers| read_into(&mut declared, trailers));
    }
    declared
}

/// Refuses bytes that do not have the declared digests.
pub(super) fn verify(bytes: &[u8], declared: &Checksum, content_md5: Option<&str>) -> S3Result<()> {
    if content_md5.is_some_and(|md5| md5 != STANDARD.encode(Md5::digest(bytes))) {
        return Err(bad_digest("Content-MD5"));
    }
    let mut declared = declared.clone();
    let mut computed = computed(bytes, &declared);
    for (name, place) in PLACES {
        if place(&mut declared) != place(&mut computed) {
            return Err(bad_digest(name));
        }
    }
    Ok(())
}

/// The checksums that an object keeps: those that were declared, or else the CRC-64/NVME, as S3 has worked it out for every
/// new object since December 2024.
pub(super) fn kept(bytes: &[u8], declared: Checksum) -> Checksum {
    let mut kept = declared;
    if PLACES.iter().any(|(_, place)| place(&mut kept).is_some()) {
        return kept;
    }
    computed(bytes, &Checksum { checksum_crc64nvme: Some(String::new()), ..Checksum::default() })
}

/// The checksums of bytes, of each kind that is in `wanted`.
fn computed(bytes: &[u8], wanted: &Checksum) -> Checksum {
    let mut hasher = ChecksumHasher {
        crc32: wanted.checksum_crc32.is_some().then(Default::default),
        crc32c: wanted.checksum_crc32c.is_some().then(Default::default),
        sha1: wanted.checksum_sha1.is_some().then(Default::default),
        sha256: wanted.checksum_sha256.is_some().then(Default::default),
        crc64nvme: wanted.checksum_crc64nvme.is_some().then(Default::default),
    };
    hasher.update(bytes);
    hasher.finalize()
}

/// Takes the checksums that stand in these headers.
fn read_into(checksum: &mut Checksum, headers: &HeaderMap) {
    for (name, place) in PLACES {
        if let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) {
            *place(checksum) = Some(value.to_owned());
        }
    }
}

/// S3's refusal of bytes that were altered on their way.
fn bad_digest(name: &str) -> S3Error {
    S3Error::with_message(
        S3ErrorCode::BadDigest,
        format!("The {name} you specified did not match what was received."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_digests_must_be_the_bytes_own() {
        let mut headers = HeaderMap::new();
        // CRC32 of "123456789" is cbf43926.
        headers.insert("x-amz-checksum-crc32", hyper::header::HeaderValue::from_static("y/Q5Jg=="));
        let checksum = declared(&headers, None);
        assert!(verify(b"123456789", &checksum, Some("JfnnlDI7RTiF9RgfG2JNCw==")).is_ok());
        let code = |result: S3Result<()>| result.err().map(|error| error.code().clone());
        assert_eq!(code(verify(b"123456780", &checksum, None)), Some(S3ErrorCode::BadDigest));
        assert_eq!(
            code(verify(b"123456789", &Checksum::default(), Some("AAAA"))),
            Some(S3ErrorCode::BadDigest)
        );
    }

    #[test]
    fn an_object_without_a_declared_checksum_gets_one() {
        // The check value of CRC-64/NVME is ae8b14860a799888.
        let kept = kept(b"123456789", Checksum::default());
        assert_eq!(kept.checksum_crc64nvme.as_deref(), Some("rosUhgp5mIg="));
        let declared = Checksum { checksum_crc32: Some("y/Q5Jg==".to_owned()), ..Checksum::default() };
        let kept = super::kept(b"123456789", declared);
        assert_eq!((kept.checksum_crc32.as_deref(), kept.checksum_crc64nvme), (Some("y/Q5Jg=="), None));
    }
}
