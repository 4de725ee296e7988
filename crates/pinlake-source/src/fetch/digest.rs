//! Digests of a piece's bytes as stored.
//!
//! SHA-256 goes into the manifest. MD5 is computed only to compare it with an `ETag` that is one, where S3 gave
//! no better checksum. With SHA instructions a core hashes about 1.5 GB/s; both together cost about three
//! times that, still far below what inflating and decoding the same bytes takes.

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest, Sha256};

/// Below this a hash is computed where it stands (some hundred microseconds at most); above, on a thread for
/// blocking work, so that no connection waits for it.
const INLINE_BYTES: usize = 128 << 10;

/// What is known of a piece once all of it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceFacts {
    /// The SHA-256 of the bytes as stored, in lower-case hex.
    pub sha256: String,
    /// How many bytes there were; it equals the listed size.
    pub bytes: u64,
}

/// A digest under way.
#[derive(Debug, Clone)]
pub(crate) struct PieceDigest {
    sha256: Sha256,
    md5: Option<Md5>,
    bytes: u64,
}

/// A digest's result.
pub(crate) struct Digested {
    pub(crate) facts: PieceFacts,
    /// In lower-case hex, where it was asked for.
    pub(crate) md5: Option<String>,
}

impl PieceDigest {
    /// With `is_with_md5` the MD5 is computed too.
    pub(crate) fn new(is_with_md5: bool) -> Self {
        Self { sha256: Sha256::new(), md5: is_with_md5.then(Md5::new), bytes: 0 }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.bytes += bytes.len() as u64;
    }

    pub(crate) fn finish(self) -> Digested {
        let facts = PieceFacts { sha256: hex(&self.sha256.finalize()), bytes: self.bytes };
        Digested { facts, md5: self.md5.map(|md5| hex(&md5.finalize())) }
    }

    /// The digest of a piece that is there in full. `None` only if the runtime is shutting down.
    pub(super) async fn of_whole(bytes: &Bytes, is_with_md5: bool) -> Option<Digested> {
        let digest = move |bytes: &[u8]| {
            let mut digest = Self::new(is_with_md5);
            digest.update(bytes);
            digest.finish()
        };
        if bytes.len() <= INLINE_BYTES {
            return Some(digest(bytes));
        }
        let bytes = bytes.clone();
        tokio::task::spawn_blocking(move || digest(&bytes)).await.ok()
    }
}

/// The MD5 that an `ETag` is, where it is one: 32 hex digits and no part count.
pub(crate) fn md5_of_etag(etag: &str) -> Option<String> {
    let digits = etag.trim_matches('"');
    let is_md5 = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then(|| digits.to_ascii_lowercase())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_chunks_are_those_of_the_whole() {
        let mut digest = PieceDigest::new(true);
        digest.update(b"a");
        digest.update(b"bc");
        let digested = digest.finish();
        // FIPS 180-2 and RFC 1321 give these for "abc".
        assert_eq!(digested.facts.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digested.md5.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(digested.facts.bytes, 3);
    }

    #[test]
    fn only_a_plain_md5_is_one() {
        assert!(md5_of_etag("\"900150983CD24FB0D6963F7D28E17F72\"").is_some());
        assert_eq!(md5_of_etag("\"900150983cd24fb0d6963f7d28e17f72-2\""), None);
        assert_eq!(md5_of_etag("\"v1\""), None);
    }
}
