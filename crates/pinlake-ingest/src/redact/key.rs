//! The key of hashes. It is held as the state that HMAC makes of it, and shown to nobody.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::RedactionError;

/// A key with fewer bytes could be found by trying.
const LEAST_BYTES: usize = 16;

/// A key for HMAC-SHA-256. Neither its `Debug` form nor anything else tells it.
#[derive(Clone)]
pub struct RedactKey(Hmac<Sha256>);

impl RedactKey {
    /// The key that these bytes are, without the line end that an editor puts behind them.
    ///
    /// # Errors
    /// `ShortKey` for fewer than 16 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, RedactionError> {
        let key = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let key = key.strip_suffix(b"\r").unwrap_or(key);
        let short = RedactionError::ShortKey { bytes: key.len(), least: LEAST_BYTES };
        if key.len() < LEAST_BYTES {
            return Err(short);
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| short)
    }

    /// A key for another purpose, from which this one cannot be learnt.
    pub(super) fn derived(&self, purpose: &str) -> Self {
        // HMAC takes a key of any length, so this is never the other one.
        Hmac::new_from_slice(&self.code(purpose)).map_or_else(|_| self.clone(), Self)
    }

    fn code(&self, text: &str) -> [u8; 32] {
        let mut state = self.0.clone();
        state.update(text.as_bytes());
        state.finalize().into_bytes().into()
    }

    /// The code of a text, 64 digits of lower-case hex.
    pub(super) fn hash(&self, text: &str) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
        self.code(text).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// The first 64 bits of the code of a text.
    pub(super) fn short_hash(&self, text: &str) -> u64 {
        self.code(text).iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

impl fmt::Debug for RedactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedactKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1, 3, 6 and 7, whose keys have 16 bytes or more.
    #[test]
    fn codes_are_those_of_rfc_4231() {
        let hash = |key: &[u8], text: &str| RedactKey::new(key).unwrap().hash(text);
        assert_eq!(
            hash(&[0x0b; 20], "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        let long = [0xaa; 131];
        assert_eq!(
            hash(&long, "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
        let text = "This is a test using a larger than block-size key and a larger than block-size data. The key \
                    needs to be hashed before being used by the HMAC algorithm.";
        assert_eq!(hash(&long, text), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
        assert_eq!(RedactKey::new(&long).unwrap().short_hash(text), 0x9b09_ffa7_1b94_2fcb);
    }

    #[test]
    fn one_line_end_is_no_part_of_a_key_and_short_ones_are_refused() {
        let hash = |key: &[u8]| RedactKey::new(key).map(|key| key.hash("x")).ok();
        let plain = hash(b"0123456789abcdef");
        assert!(plain.is_some());
        assert_eq!(hash(b"0123456789abcdef\n"), plain);
        assert_eq!(hash(b"0123456789abcdef\r\n"), plain);
        assert_ne!(hash(b"0123456789abcdef\n\n"), plain);
        assert_eq!((hash(b""), hash(b"\n"), hash(b"0123456789abcde\n")), (None, None, None));
    }

    #[test]
    fn a_key_is_shown_to_nobody() {
        let key = RedactKey::new(b"canary-canary-canary").unwrap();
        assert_eq!(format!("{key:?} {:?}", key.derived("x")), "RedactKey RedactKey");
    }

    #[test]
    fn a_derived_key_is_another() {
        let key = RedactKey::new(b"0123456789abcdef").unwrap();
        assert_ne!(key.derived("ids").hash("x"), key.hash("x"));
        assert_eq!(key.derived("ids").hash("x"), key.derived("ids").hash("x"));
    }
}
