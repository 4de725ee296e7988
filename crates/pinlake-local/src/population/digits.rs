//! Numbers and dates as ASCII, straight into a buffer: `write!` costs several times as much per field.

use super::sink::Millis;

/// Appends a decimal number.
pub(super) fn push_number(buffer: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = digit(rest);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    buffer.extend_from_slice(&digits[start..]);
}

/// Appends the last `width` digits of a number, with zeros in front.
pub(super) fn push_padded(buffer: &mut Vec<u8>, number: u64, width: usize) {
    let start = buffer.len();
    buffer.resize(start + width, b'0');
    let mut rest = number;
    for place in buffer[start..].iter_mut().rev() {
        *place = digit(rest);
        rest /= 10;
    }
}

/// Appends a JSON number of hundredths with as many decimals as it needs: `6.0` (or `6`), `47.6`, `129.99`.
pub(super) fn push_decimal(buffer: &mut Vec<u8>, hundredths: i64, bare: bool) {
    if hundredths < 0 {
        buffer.push(b'-');
    }
    let magnitude = hundredths.unsigned_abs();
    push_number(buffer, magnitude / 100);
    let decimals = magnitude % 100;
    if decimals == 0 && bare {
        return;
    }
    buffer.push(b'.');
    buffer.push(digit(decimals / 10));
    if !decimals.is_multiple_of(10) {
        buffer.push(digit(decimals));
    }
}

/// Appends `YYYY-MM-DDTHH:MM:SS.mmmZ`, for a moment between the years 1970 and 9999.
pub(super) fn push_date(buffer: &mut Vec<u8>, millis: Millis) {
    let millis = u64::try_from(millis).unwrap_or(0);
    let (days, of_day) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = civil(days);
    for (number, width, after) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (of_day / 3_600_000, 2, b':'),
        (of_day / 60_000 % 60, 2, b':'),
        (of_day / 1_000 % 60, 2, b'.'),
        (of_day % 1_000, 3, b'Z'),
    ] {
        push_padded(buffer, number, width);
        buffer.push(after);
    }
}

/// Year, month and day of a day counted from 1970-01-01: Howard Hinnant's `civil_from_days`, for days from 1970 on.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// The last digit of a number, as ASCII.
fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};

    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut buffer = Vec::new();
        push(&mut buffer);
        String::from_utf8_lossy(&buffer).into_owned()
    }

    #[test]
    fn decimals_take_the_digits_they_need() {
        for (hundredths, bare, expected) in [
            (0, false, "0.0"),
            (600, false, "6.0"),
            (600, true, "6"),
            (4_760, false, "47.6"),
            (-12_345, false, "-123.45"),
            (-5, true, "-0.05"),
        ] {
            assert_eq!(text(|buffer| push_decimal(buffer, hundredths, bare)), expected);
        }
    }

    #[test]
    fn dates_agree_with_chrono() {
        for step in 0..20_000_i64 {
            let millis = step * 93_784_562_123 % 4_102_444_800_000;
            let expected = DateTime::from_timestamp_millis(millis)
                .map(|date| date.to_rfc3339_opts(SecondsFormat::Millis, true));
            assert_eq!(Some(text(|buffer| push_date(buffer, millis))), expected);
        }
    }
}
