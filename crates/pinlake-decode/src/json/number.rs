//! JSON numbers: their grammar, and their value as a double.

/// Where the number that begins at `from` ends; `None` where RFC 8259 knows no such number.
/// What follows the number is not looked at.
#[inline]
pub(crate) fn number_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits_end(bytes, at),
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        at = some_digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = some_digits_end(bytes, at)?;
    }
    Some(at)
}

fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

fn some_digits_end(bytes: &[u8], from: usize) -> Option<usize> {
    let at = digits_end(bytes, from);
    (at > from).then_some(at)
}

/// The powers of ten that a double holds exactly and that a mantissa below 2^53 may be divided by in one rounding.
const EXACT_POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The double nearest to the JSON number `raw`; `None` where it is beyond the largest double.
///
/// A number of at most fifteen digits without an exponent is an exact integer over an exact power of ten, so a single
/// correctly rounded division gives the nearest double. Everything else goes through the standard library.
pub(crate) fn to_double(raw: &[u8]) -> Option<f64> {
    if let Some(value) = short_decimal(raw) {
        return Some(value);
    }
    let value: f64 = std::str::from_utf8(raw).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[inline]
fn short_decimal(raw: &[u8]) -> Option<f64> {
    let (negative, digits) = match raw.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, raw),
    };
    if digits.len() > 16 {
        return None;
    }
    let mut mantissa = 0u64;
    let mut count = 0usize;
    let mut point = None;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' => point = Some(count),
            _ => return None,
        }
    }
    if count > 15 {
        return None;
    }
    let value = mantissa as f64 / EXACT_POWERS[point.map_or(0, |point| count - point)];
    Some(if negative { -value } else { value })
}

/// The double nearest to the JSON number that begins at `from`, and where the number ends; `None` where there is no
/// number, or none that a double holds. The usual number (an exact decimal, see [`to_double`]) is read in one pass.
#[inline]
pub(crate) fn read(bytes: &[u8], from: usize) -> Option<(f64, usize)> {
    let mut at = from;
    let is_negative = bytes.get(at) == Some(&b'-');
    at += usize::from(is_negative);
    let digits_start = at;
    let mut mantissa = 0u64;
    let mut point = None;
    // Fifteen digits and a point at most, so nothing overflows; whatever goes on behind them is left to the careful way.
    for &byte in bytes.get(at..)?.iter().take(16) {
        match byte {
            b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => break,
        }
        at += 1;
    }
    let whole_digits = point.unwrap_or(at) - digits_start;
    let fraction_digits = point.map_or(0, |point| at - point - 1);
    let is_usual = whole_digits > 0
        && (whole_digits == 1 || bytes[digits_start] != b'0')
        && whole_digits + fraction_digits <= 15
        && (point.is_none() || fraction_digits > 0)
        && !matches!(bytes.get(at), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
    if is_usual {
        let value = mantissa as f64 / EXACT_POWERS[fraction_digits];
        return Some((if is_negative { -value } else { value }, at));
    }
    let end = number_end(bytes, from)?;
    Some((to_double(&bytes[from..end])?, end))
}

/// The double that the text `text` denotes if it is, wholly, a JSON number within range.
pub(crate) fn from_text(text: &[u8]) -> Option<f64> {
    (number_end(text, 0)? == text.len()).then(|| to_double(text))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_grammar_of_rfc_8259() {
        for valid in ["0", "-0", "10", "1.5", "-1.25e-3", "1E+9", "0e0"] {
            assert_eq!(number_end(valid.as_bytes(), 0), Some(valid.len()), "{valid}");
        }
        for (text, end) in [("01", 1), ("1x", 1), ("0x1", 1), ("1-", 1)] {
            assert_eq!(number_end(text.as_bytes(), 0), Some(end), "{text}");
        }
        for invalid in ["", "-", "+1", ".5", "1.", "1e", "1e+", "-.1", "NaN", "Infinity"] {
            assert_eq!(number_end(invalid.as_bytes(), 0), None, "{invalid}");
        }
    }

    #[test]
    fn beyond_a_double_is_no_double() {
        assert_eq!(to_double(b"1e400"), None);
        assert_eq!(from_text(b"6"), Some(6.0));
        assert_eq!(from_text(b" 6"), None);
        assert_eq!(from_text(b"6 "), None);
        assert!(to_double(b"-0").unwrap().is_sign_negative());
    }

    proptest! {
        #[test]
        fn one_pass_reads_what_the_grammar_and_the_standard_library_do(
            text in "-?[0-9]{0,3}0?[0-9]{0,14}(\\.[0-9]{0,17})?([eE][+-]?[0-9]{0,2})?[,}. ]?",
        ) {
            let expected = number_end(text.as_bytes(), 0)
                .and_then(|end| Some((text[..end].parse::<f64>().ok().filter(|value| value.is_finite())?, end)));
            let bits = |found: Option<(f64, usize)>| found.map(|(value, end)| (value.to_bits(), end));
            prop_assert_eq!(bits(read(text.as_bytes(), 0)), bits(expected), "{}", text);
        }

        #[test]
        fn doubles_agree_with_the_standard_library(text in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?(e-?[0-9]{1,2})?") {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(to_double(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()));
        }
    }
}
