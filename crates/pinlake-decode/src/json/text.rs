//! JSON strings: finding their end, and undoing their escapes.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The first position from `from` on whose byte ends a plain run of a string: a quote, a backslash or a control
/// character; the length of `bytes` where there is none.
///
/// Eight bytes a step. The borrow of a subtraction can mark only bytes *after* a true hit, so the lowest mark is exact.
#[inline]
pub(crate) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let Ok(word) = <[u8; 8]>::try_from(chunk) else { break };
        let word = u64::from_le_bytes(word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let escape = word ^ (ONES * u64::from(b'\\'));
        let marks = (quote.wrapping_sub(ONES) & !quote)
            | (escape.wrapping_sub(ONES) & !escape)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let marks = marks & HIGHS;
        if marks != 0 {
            return at + (marks.trailing_zeros() >> 3) as usize;
        }
        at += 8;
    }
    while at < bytes.len() && !matches!(bytes[at], b'"' | b'\\' | 0..=0x1f) {
        at += 1;
    }
    at
}

/// What is wrong with an escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EscapeError {
    /// No such escape, or fewer than four hex digits.
    Invalid,
    /// Half of a surrogate pair: valid syntax without a meaning.
    LoneSurrogate,
}

/// Appends the text of the string body `raw` (what stands between the quotes) to `out`.
/// On an error `out` holds a part of it.
pub(crate) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> Result<(), EscapeError> {
    let mut rest = raw;
    while let Some(escape) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..escape]);
        let (kind, after) = rest[escape + 1..].split_first().ok_or(EscapeError::Invalid)?;
        rest = after;
        match kind {
            b'"' | b'\\' | b'/' => out.push(*kind),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => rest = unescape_unicode(rest, out)?,
            _ => return Err(EscapeError::Invalid),
        }
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Appends the character whose `\u` has just been taken off; returns what follows it.
fn unescape_unicode<'a>(digits: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], EscapeError> {
    let first = code_unit(digits).ok_or(EscapeError::Invalid)?;
    let mut rest = &digits[4..];
    let code_point = match first {
        0xdc00..=0xdfff => return Err(EscapeError::LoneSurrogate),
        0xd800..=0xdbff => {
            let low = rest.strip_prefix(b"\\u").ok_or(EscapeError::LoneSurrogate)?;
            let second = code_unit(low).ok_or(EscapeError::Invalid)?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return Err(EscapeError::LoneSurrogate);
            }
            rest = &low[4..];
            0x10000 + ((u32::from(first) - 0xd800) << 10) + (u32::from(second) - 0xdc00)
        }
        unit => u32::from(unit),
    };
    let character = char::from_u32(code_point).ok_or(EscapeError::LoneSurrogate)?;
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(rest)
}

/// The value of the four hex digits that `digits` begins with.
pub(crate) fn code_unit(digits: &[u8]) -> Option<u16> {
    let mut unit = 0u16;
    for digit in digits.get(..4)? {
        unit = unit << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescaped(raw: &str) -> Result<String, EscapeError> {
        let mut out = Vec::new();
        unescape(raw.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_escape() {
        assert_eq!(unescaped(r#"a\"\\\/\b\f\n\r\tz"#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tz");
        assert_eq!(unescaped(r"\u00e9\uD83D\uDE00!").unwrap(), "é😀!");
        assert_eq!(unescaped(r"\x"), Err(EscapeError::Invalid));
        assert_eq!(unescaped(r"\u12"), Err(EscapeError::Invalid));
        for lone in [r"\ud800", r"\udc00", r"\ud800x", r"\ud800\n", r"\ud800\u0041"] {
            assert_eq!(unescaped(lone), Err(EscapeError::LoneSurrogate), "{lone}");
        }
    }

    proptest! {
        #[test]
        fn plain_end_is_the_first_special_byte(bytes in proptest::collection::vec(any::<u8>(), 0..60), from in 0usize..8) {
            let from = from.min(bytes.len());
            let expected = bytes[from..]
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .map_or(bytes.len(), |position| from + position);
            prop_assert_eq!(plain_end(&bytes, from), expected);
        }

        #[test]
        fn unescape_agrees_with_serde_json(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescaped(&quoted[1..quoted.len() - 1]).unwrap(), text);
        }
    }
}
