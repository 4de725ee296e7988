//! RFC 3339 dates to microseconds since 1970-01-01T00:00:00Z.

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The instant that `text` names, in microseconds UTC; `None` where it is no RFC 3339 date-time, names no such day or
/// time, or is finer than a microsecond.
///
/// Any offset and any number of fraction digits are read; digits beyond the sixth must be zero. A leap second has no
/// place on the UTC time line of Arrow and does not fit.
pub(crate) fn to_micros(text: &[u8]) -> Option<i64> {
    let found = <&[u8; 24]>::try_from(text).ok().and_then(usual);
    found.or_else(|| any_form(text))
}

/// The form of every date in an export, `YYYY-MM-DDTHH:MM:SS.mmmZ`, a word at a time.
#[inline]
fn usual(text: &[u8; 24]) -> Option<i64> {
    let (words, _) = text.as_chunks::<8>();
    let mut digits = [0; 24];
    for (at, word) in words.iter().enumerate() {
        let (mask, separators) = USUAL_FORM[at];
        let word = u64::from_le_bytes(*word);
        let places = (word & mask) ^ (mask & ZEROS);
        // A digit is below 10, so that 0x76 does not lift it to the high bit; the sum leaves no byte that is below 0x80.
        let is_digits = (places | places.wrapping_add(TO_HIGH_BIT)) & HIGH_BITS == 0;
        if word & !mask != separators || !is_digits {
            return None;
        }
        digits[at * 8..at * 8 + 8].copy_from_slice(&places.to_le_bytes());
    }
    let number = |at: usize| i64::from(digits[at] * 10 + digits[at + 1]);
    let (hour, minute, second) = (number(11), number(14), number(17));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let millis = i64::from(digits[20]) * 100 + number(21);
    let days = days_since_epoch(number(0) * 100 + number(2), number(5), number(8))?;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * MICROS_PER_SECOND + millis * 1_000)
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const TO_HIGH_BIT: u64 = 0x7676_7676_7676_7676;

/// Of each word of the usual form: a mask of the digits, and the other bytes in their places.
const USUAL_FORM: [(u64, u64); 3] = {
    let form = *b"0000-00-00T00:00:00.000Z";
    let mut words = [(0, 0); 3];
    let mut at = form.len();
    while at > 0 {
        at -= 1;
        let (mask, separators) = words[at / 8];
        let is_digit = form[at] == b'0';
        let separator = if is_digit { 0 } else { form[at] as u64 };
        words[at / 8] = (mask << 8 | if is_digit { 0xff } else { 0 }, separators << 8 | separator);
    }
    words
};

/// Any form that RFC 3339 allows.
fn any_form(text: &[u8]) -> Option<i64> {
    let (stamp, tail) = text.split_at_checked(19)?;
    let separators = stamp[4] == b'-'
        && stamp[7] == b'-'
        && matches!(stamp[10], b'T' | b't')
        && stamp[13] == b':'
        && stamp[16] == b':';
    if !separators {
        return None;
    }
    let year = digits(&stamp[..4])?;
    let (month, day) = (digits(&stamp[5..7])?, digits(&stamp[8..10])?);
    let (hour, minute, second) = (digits(&stamp[11..13])?, digits(&stamp[14..16])?, digits(&stamp[17..19])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, offset) = fraction(tail)?;
    let seconds = days_since_epoch(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset_seconds(offset)?) * MICROS_PER_SECOND + micros)
}

/// The number that these ASCII digits write.
#[inline]
fn digits(text: &[u8]) -> Option<i64> {
    let mut value = 0;
    for &byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(value)
}

/// Microseconds of the fraction that `tail` may begin with, and what follows it.
fn fraction(tail: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = tail.strip_prefix(b".") else { return Some((0, tail)) };
    let length = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits_of_fraction, offset) = rest.split_at(length);
    if length == 0 || digits_of_fraction.iter().skip(6).any(|&digit| digit != b'0') {
        return None;
    }
    let mut micros = 0;
    for place in 0..6 {
        micros = micros * 10 + digits_of_fraction.get(place).map_or(0, |digit| i64::from(digit - b'0'));
    }
    Some((micros, offset))
}

/// Seconds east of UTC: of `Z`, `z`, `+hh:mm` or `-hh:mm`.
fn offset_seconds(offset: &[u8]) -> Option<i64> {
    match offset {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3_600 + minutes * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Days from 1970-01-01 to this day of the proleptic Gregorian calendar; `None` where there is no such day.
/// The algorithm is Howard Hinnant's `days_from_civil`.
fn days_since_epoch(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day < 1 || day > month_days {
        return None;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_instants() {
        for (text, micros) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000001Z", 1),
            ("1969-12-31T23:59:59.999Z", -1_000),
            ("2025-02-12T11:20:13.627Z", 1_739_359_213_627_000),
            ("2025-02-12T20:20:13.627+09:00", 1_739_359_213_627_000),
            ("2025-02-12t11:20:13.627000000z", 1_739_359_213_627_000),
            ("2000-02-29T00:00:00-00:00", 951_782_400_000_000),
            ("0000-03-01T00:00:00Z", -62_162_035_200_000_000),
        ] {
            assert_eq!(to_micros(text.as_bytes()), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit() {
        for text in [
            "",
            "2025-02-12",
            "2025-02-12T11:20:13",
            "2025-02-12 11:20:13Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:00:60Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00.1234567Z",
            "2025-01-01T00:00:00+0900",
            "2025-01-01T00:00:00+24:00",
            "2025-01-01T00:00:00Zx",
            "1739359213627",
            "２025-01-01T00:00:00Z",
        ] {
            assert_eq!(to_micros(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn days_count_up_without_a_gap(year in 0i64..9999, month in 1i64..=12) {
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let length = (28..=31).rev().find(|&day| days_since_epoch(year, month, day).is_some()).unwrap();
            prop_assert_eq!(
                days_since_epoch(year, month, length).unwrap() + 1,
                days_since_epoch(next_year, next_month, 1).unwrap()
            );
        }
    }
}
