//! Checksums: those that an uploader declares, in headers or behind the body, and that the bytes must have; those that are
//! kept; and those of objects that are put together from parts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumAlgorithm, ChecksumType};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders};

use crate::store::{Body, Part, StoreError};

/// A kind of checksum: its name, its header, its place among the others, and how many bytes it has.
struct Kind {
    name: &'static str,
    header: &'static str,
    place: fn(&mut Checksum) -> &mut Option<String>,
    bytes: usize,
}

/// Every checksum that S3 knows.
const KINDS: [Kind; 5] = [
    Kind {
        name: ChecksumAlgorithm::CRC32,
        header: "x-amz-checksum-crc32",
        place: |checksum| &mut checksum.checksum_crc32,
        bytes: 4,
    },
    Kind {
        name: ChecksumAlgorithm::CRC32C,
        header: "x-amz-checksum-crc32c",
        place: |checksum| &mut checksum.checksum_crc32c,
        bytes: 4,
    },
    Kind {
        name: ChecksumAlgorithm::CRC64NVME,
        header: "x-amz-checksum-crc64nvme",
        place: |checksum| &mut checksum.checksum_crc64nvme,
        bytes: 8,
    },
    Kind {
        name: ChecksumAlgorithm::SHA1,
        header: "x-amz-checksum-sha1",
        place: |checksum| &mut checksum.checksum_sha1,
        bytes: 20,
    },
    Kind {
        name: ChecksumAlgorithm::SHA256,
        header: "x-amz-checksum-sha256",
        place: |checksum| &mut checksum.checksum_sha256,
        bytes: 32,
    },
];

/// Works out checksums of these kinds; where there is none, the CRC-64/NVME, as S3 has done for every new object since
/// December 2024.
pub(super) fn hasher<'name>(names: impl IntoIterator<Item = &'name str>) -> ChecksumHasher {
    let mut hasher = ChecksumHasher::default();
    let mut is_empty = true;
    for name in names {
        is_empty &= !want(&mut hasher, name);
    }
    if is_empty {
        hasher.crc64nvme = Some(Crc64Nvme::default());
    }
    hasher
}

/// Wants a kind of checksum; whether there is one of this name.
fn want(hasher: &mut ChecksumHasher, name: &str) -> bool {
    match name {
        ChecksumAlgorithm::CRC32 => hasher.crc32 = Some(Crc32::default()),
        ChecksumAlgorithm::CRC32C => hasher.crc32c = Some(Crc32c::default()),
        ChecksumAlgorithm::CRC64NVME => hasher.crc64nvme = Some(Crc64Nvme::default()),
        ChecksumAlgorithm::SHA1 => hasher.sha1 = Some(Sha1::default()),
        ChecksumAlgorithm::SHA256 => hasher.sha256 = Some(Sha256::default()),
        _ => return false,
    }
    true
}

/// The kinds of checksums that a request announces before its body.
pub(super) fn announced(headers: &HeaderMap) -> Vec<&'static str> {
    let trailers = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let algorithm = headers.get("x-amz-sdk-checksum-algorithm").and_then(|value| value.to_str().ok());
    let is_announced = |kind: &&Kind| {
        headers.contains_key(kind.header)
            || trailers.split(',').any(|name| name.trim().eq_ignore_ascii_case(kind.header))
            || algorithm.is_some_and(|algorithm| algorithm.eq_ignore_ascii_case(kind.name))
    };
    KINDS.iter().filter(is_announced).map(|kind| kind.name).collect()
}

/// The kind of an object's checksum.
pub(super) fn name(checksum: &Checksum) -> Option<&'static str> {
    let mut checksum = checksum.clone();
    KINDS.iter().find(|kind| (kind.place)(&mut checksum).is_some()).map(|kind| kind.name)
}

/// The checksums that a request declares. Trailing ones are there once the body has been read.
pub(super) fn declared(headers: &HeaderMap, trailers: Option<&TrailingHeaders>) -> Checksum {
    let mut declared = Checksum::default();
    read_into(&mut declared, headers);
    if let Some(trailers) = trailers {
        trailers.read(|trailers| read_into(&mut declared, trailers));
    }
    declared
}

/// Refuses bytes whose checksums are not the declared ones.
pub(super) fn verify(computed: &Checksum, declared: &Checksum) -> S3Result<()> {
    let (mut computed, mut declared) = (computed.clone(), declared.clone());
    for kind in &KINDS {
        let Some(declared) = (kind.place)(&mut declared) else { continue };
        if STANDARD.decode(&*declared).ok().is_none_or(|bytes| bytes.len() != kind.bytes) {
            let message = format!("Value for {} header is invalid.", kind.header);
            return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
        }
        if (kind.place)(&mut computed).as_ref() != Some(declared) {
            return Err(bad_digest(&kind.name.to_lowercase()));
        }
    }
    Ok(())
}

/// Refuses bytes that do not have the declared MD5.
pub(super) fn verify_md5(md5: [u8; 16], content_md5: Option<&str>) -> S3Result<()> {
    let Some(declared) = content_md5 else { return Ok(()) };
    match STANDARD.decode(declared) {
        Ok(bytes) if bytes == md5 => Ok(()),
        Ok(bytes) if bytes.len() == md5.len() => Err(bad_digest("Content-MD5")),
        _ => Err(S3Error::with_message(
            S3ErrorCode::InvalidDigest,
            "The Content-MD5 you specified was invalid.",
        )),
    }
}

/// The checksums of an object that was written at once.
pub(super) fn whole(checksum: Checksum) -> Checksum {
    Checksum { checksum_type: Some(ChecksumType::from_static(ChecksumType::FULL_OBJECT)), ..checksum }
}

/// The checksum of an object of these parts: one of the parts' checksums with their number behind it, or one of all bytes.
/// Waits for the disk where the bytes are in files.
pub(super) fn of_parts(
    body: &Body,
    parts: &[Part],
    algorithm: Option<&ChecksumAlgorithm>,
    checksum_type: Option<&ChecksumType>,
) -> Result<Checksum, StoreError> {
    let name = algorithm.map_or(ChecksumAlgorithm::CRC64NVME, ChecksumAlgorithm::as_str);
    // Only a CRC-64 cannot be one of the parts' checksums.
    let is_whole = name == ChecksumAlgorithm::CRC64NVME
        || checksum_type.is_some_and(|told| told.as_str() == ChecksumType::FULL_OBJECT);
    let mut hasher = hasher([name]);
    if is_whole {
        body.each_chunk(|chunk| hasher.update(chunk)).map_err(|source| StoreError::Bytes { source })?;
        return Ok(whole(hasher.finalize()));
    }
    for part in parts {
        let mut checksum = part.checksum().clone();
        for kind in KINDS.iter().filter(|kind| kind.name == name) {
            let told = (kind.place)(&mut checksum).as_ref();
            hasher.update(&told.and_then(|told| STANDARD.decode(told).ok()).unwrap_or_default());
        }
    }
    let mut checksum = hasher.finalize();
    for kind in &KINDS {
        let place = (kind.place)(&mut checksum);
        *place = place.take().map(|value| format!("{value}-{}", parts.len()));
    }
    Ok(Checksum { checksum_type: Some(ChecksumType::from_static(ChecksumType::COMPOSITE)), ..checksum })
}

/// Takes the checksums that stand in these headers.
fn read_into(checksum: &mut Checksum, headers: &HeaderMap) {
    for kind in &KINDS {
        if let Some(value) = headers.get(kind.header).and_then(|value| value.to_str().ok()) {
            *(kind.place)(checksum) = Some(value.to_owned());
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
    use hyper::header::HeaderValue;

    use super::*;

    /// The checksums of "123456789" of these kinds.
    fn computed(names: &[&str]) -> Checksum {
        let mut hasher = hasher(names.iter().copied());
        hasher.update(b"123456789");
        hasher.finalize()
    }

    #[test]
    fn declared_checksums_must_be_the_bytes_own() {
        let mut headers = HeaderMap::new();
        // CRC32 of "123456789" is cbf43926.
        headers.insert("x-amz-checksum-crc32", HeaderValue::from_static("y/Q5Jg=="));
        let right = declared(&headers, None);
        let code = |result: S3Result<()>| result.err().map(|error| error.code().clone());
        assert_eq!(code(verify(&computed(&["CRC32"]), &right)), None);
        for (value, expected) in [
            ("y/Q5Jw==", S3ErrorCode::BadDigest),
            ("AAAA", S3ErrorCode::InvalidRequest),
            ("no base64", S3ErrorCode::InvalidRequest),
        ] {
            let wrong = Checksum { checksum_crc32: Some(value.to_owned()), ..Checksum::default() };
            assert_eq!(code(verify(&computed(&["CRC32"]), &wrong)), Some(expected), "{value}");
        }
        // One that was not announced cannot be held against the bytes.
        assert_eq!(code(verify(&computed(&["SHA1"]), &right)), Some(S3ErrorCode::BadDigest));
    }

    #[test]
    fn content_md5_is_one_or_refused() {
        let code = |result: S3Result<()>| result.err().map(|error| error.code().clone());
        assert_eq!(code(verify_md5([0; 16], None)), None);
        assert_eq!(code(verify_md5([0; 16], Some("AAAAAAAAAAAAAAAAAAAAAA=="))), None);
        let other = Some("AQAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(code(verify_md5([0; 16], other)), Some(S3ErrorCode::BadDigest));
        assert_eq!(code(verify_md5([0; 16], Some("AAAA"))), Some(S3ErrorCode::InvalidDigest));
    }

    #[test]
    fn what_a_request_announces_is_worked_out_and_else_a_crc_64() {
        // The check value of CRC-64/NVME is ae8b14860a799888.
        assert_eq!(computed(&[]).checksum_crc64nvme.as_deref(), Some("rosUhgp5mIg="));
        assert_eq!(name(&computed(&[])), Some("CRC64NVME"));
        let mut headers = HeaderMap::new();
        assert_eq!(announced(&headers), [""; 0]);
        headers.insert("x-amz-trailer", HeaderValue::from_static("x-amz-checksum-crc32c"));
        headers.insert("x-amz-sdk-checksum-algorithm", HeaderValue::from_static("SHA256"));
        headers.insert("x-amz-checksum-sha1", HeaderValue::from_static("AAAA"));
        assert_eq!(announced(&headers), ["CRC32C", "SHA1", "SHA256"]);
        assert_eq!(computed(&["CRC32"]).checksum_crc32.as_deref(), Some("y/Q5Jg=="));
    }
}
