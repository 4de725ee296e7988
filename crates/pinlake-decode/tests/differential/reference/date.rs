//! RFC 3339 dates, one part after the other.

/// Microseconds from 1970-01-01T00:00:00Z to the instant that `text` names; `None` where it is no date-time of RFC 3339,
/// there is no such day or time, or it is finer than a microsecond.
///
/// A leap second (`:60`) and a space for the `T`, which RFC 3339 leaves to its users, are no dates, as in the slow path.
pub(crate) fn micros(text: &str) -> Option<i64> {
    let text = text.is_ascii().then(|| text.to_ascii_uppercase())?;
    let (date, rest) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let at = rest.find(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at(at);
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let possible = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 59;
    if !possible {
        return None;
    }
    let days = days_before(year, month) + day - 1 - days_before(1970, 1);
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some((seconds - seconds_east(zone)?) * 1_000_000 + micros_of(fraction)?)
}

/// The numbers in `text`, each of so many digits, with `separator` between them.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let mut numbers = [0; N];
    if parts.len() != N {
        return None;
    }
    for ((number, part), digits) in numbers.iter_mut().zip(parts).zip(digits) {
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    Some(numbers)
}

fn micros_of(fraction: Option<&str>) -> Option<i64> {
    let Some(fraction) = fraction else { return Some(0) };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{fraction}000000");
    let (micros, finer) = padded.split_at(6);
    if finer.bytes().any(|digit| digit != b'0') { None } else { micros.parse().ok() }
}

fn seconds_east(zone: &str) -> Option<i64> {
    if let Some(rest) = zone.strip_prefix('Z') {
        return rest.is_empty().then_some(0);
    }
    let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1 January of the year 0 to the first of this month, counted.
fn days_before(year: i64, month: i64) -> i64 {
    let years: i64 = (0..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    years + (1..month).map(|month| days_of_month(year, month)).sum::<i64>()
}
