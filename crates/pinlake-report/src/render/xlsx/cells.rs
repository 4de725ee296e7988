//! Values of a column as typed cells.
//!
//! Numbers are numbers as long as a spreadsheet keeps all of their digits, which are fifteen; dates and times are dates from March
//! 1900 on, since programs disagree on the days before; everything else is text. No text is ever a formula.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::error::ArrowError;
use arrow::temporal_conversions::{
    date32_to_datetime, timestamp_ms_to_datetime, timestamp_ns_to_datetime, timestamp_s_to_datetime,
    timestamp_us_to_datetime,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{NaiveDate, NaiveDateTime};
use rust_xlsxwriter::{Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr;

use super::super::page::{cell, grouped, is_share};
use super::styles::Styles;

/// Whole numbers beyond this are shown with other last digits than they have.
const MOST_EXACT: u64 = 999_999_999_999_999;
/// UTF-16 units that a cell holds.
const LONGEST_TEXT: usize = 32_767;

/// What one cell shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Nothing,
    Whole(f64),
    Double(f64),
    Share(f64),
    Truth(bool),
    Day(NaiveDate),
    Instant(NaiveDateTime),
    /// A number that a cell cannot hold.
    Digits(String),
    Text(String),
}

/// The values of one column of a batch.
pub(super) enum Cells<'a> {
    Whole(Int64Array),
    Double {
        values: Float64Array,
        is_share: bool,
    },
    Truth(&'a BooleanArray),
    Day(Date32Array),
    Instant {
        ticks: Int64Array,
        unit: TimeUnit,
        texts: ArrayFormatter<'a>,
    },
    /// Numbers by their digits: what is no 64-bit integer and no double.
    Digits(ArrayFormatter<'a>),
    Nested {
        field: &'a Field,
        array: &'a ArrayRef,
    },
    Text(ArrayFormatter<'a>),
}

impl<'a> Cells<'a> {
    /// The values of an array, which is no dictionary.
    pub(super) fn of(field: &'a Field, array: &'a ArrayRef) -> Result<Self, ArrowError> {
        const PLAIN: FormatOptions<'static> = FormatOptions::new();
        Ok(match array.data_type() {
            // It may not fit the sign that the others have.
            DataType::UInt64 => Self::Digits(ArrayFormatter::try_new(array, &PLAIN)?),
            other if other.is_integer() => Self::Whole(cast(array, &DataType::Int64)?.as_primitive().clone()),
            DataType::Float64 => {
                Self::Double { values: array.as_primitive().clone(), is_share: is_share(field) }
            }
            DataType::Boolean => Self::Truth(array.as_boolean()),
            DataType::Date32 | DataType::Date64 => {
                Self::Day(cast(array, &DataType::Date32)?.as_primitive().clone())
            }
            DataType::Timestamp(unit, _) => Self::Instant {
                ticks: cast(array, &DataType::Int64)?.as_primitive().clone(),
                unit: *unit,
                texts: ArrayFormatter::try_new(array, &PLAIN)?,
            },
            // A single's own shortest digits are what it says; as a double it would have more.
            other if other.is_numeric() => Self::Digits(ArrayFormatter::try_new(array, &PLAIN)?),
            other if other.is_nested() => Self::Nested { field, array },
            _ => Self::Text(ArrayFormatter::try_new(array, &PLAIN)?),
        })
    }

    /// The value in a row that is not null.
    pub(super) fn value(&self, row: usize) -> Result<Value, ArrowError> {
        Ok(match self {
            Self::Whole(values) => whole_or_digits(values.value(row)),
            Self::Double { values, is_share } => double(values.value(row), *is_share),
            Self::Truth(values) => Value::Truth(values.value(row)),
            Self::Day(values) => day(values.value(row)),
            Self::Instant { ticks, unit, texts } => match instant(*unit, ticks.value(row)) {
                Some(time) if is_dated(time.date()) => Value::Instant(time),
                Some(time) => Value::Digits(time.format("%Y-%m-%d %H:%M:%S").to_string()),
                None => Value::Digits(texts.value(row).try_to_string()?),
            },
            Self::Digits(texts) => digits(texts.value(row).try_to_string()?),
            Self::Nested { field, array } => Value::Text(cell(field, array, row)),
            Self::Text(texts) => Value::Text(texts.value(row).try_to_string()?),
        })
    }
}

/// An array whose values stand in it themselves.
pub(super) fn without_dictionary(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Dictionary(_, values) => cast(array, values),
        _ => Ok(ArrayRef::clone(array)),
    }
}

fn whole_or_digits(number: i64) -> Value {
    if number.unsigned_abs() <= MOST_EXACT {
        Value::Whole(number as f64)
    } else {
        Value::Digits(number.to_string())
    }
}

fn double(number: f64, is_share: bool) -> Value {
    if !number.is_finite() {
        return Value::Digits(number.to_string());
    }
    if is_share { Value::Share(number) } else { Value::Double(number) }
}

/// A number as its digits tell it, unless it has more of them than a cell keeps.
fn digits(text: String) -> Value {
    let significant = text.trim_start_matches(['-', '0', '.']).chars().filter(char::is_ascii_digit).count();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && significant <= 15 => {
            if text.contains(['.', 'e']) {
                Value::Double(number)
            } else {
                Value::Whole(number)
            }
        }
        _ => Value::Digits(text),
    }
}

fn day(days: i32) -> Value {
    match date32_to_datetime(days).map(|time| time.date()) {
        Some(day) if is_dated(day) => Value::Day(day),
        Some(day) => Value::Digits(day.format("%Y-%m-%d").to_string()),
        None => Value::Digits(format!("day {days} since 1970-01-01")),
    }
}

/// Excel counts 29 February 1900, which was none; others count otherwise before it.
fn is_dated(day: NaiveDate) -> bool {
    let first = NaiveDate::from_ymd_opt(1900, 3, 1);
    let last = NaiveDate::from_ymd_opt(9999, 12, 31);
    first.is_some_and(|first| first <= day) && last.is_some_and(|last| day <= last)
}

/// A point in time, in UTC.
pub(super) fn instant(unit: TimeUnit, ticks: i64) -> Option<NaiveDateTime> {
    match unit {
        TimeUnit::Second => timestamp_s_to_datetime(ticks),
        TimeUnit::Millisecond => timestamp_ms_to_datetime(ticks),
        TimeUnit::Microsecond => timestamp_us_to_datetime(ticks),
        TimeUnit::Nanosecond => timestamp_ns_to_datetime(ticks),
    }
}

impl Value {
    /// Puts the value into a cell.
    pub(super) fn write(
        &self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        styles: &Styles,
    ) -> Result<(), XlsxError> {
        match self {
            Self::Nothing => return Ok(()),
            Self::Whole(number) => sheet.write_number_with_format(row, column, *number, &styles.integer)?,
            Self::Share(number) => sheet.write_number_with_format(row, column, *number, &styles.share)?,
            Self::Double(number) => {
                let style = if is_whole(*number) {
                    &styles.integer
                } else if (0.001..1e15).contains(&number.abs()) {
                    &styles.decimal
                } else {
                    &styles.small
                };
                sheet.write_number_with_format(row, column, *number, style)?
            }
            Self::Truth(truth) => sheet.write_boolean(row, column, *truth)?,
            Self::Day(day) => sheet.write_datetime_with_format(row, column, day, &styles.date)?,
            Self::Instant(time) => sheet.write_datetime_with_format(row, column, time, &styles.instant)?,
            Self::Digits(text) => sheet.write_string_with_format(row, column, &**text, &styles.digits)?,
            Self::Text(text) => {
                let held = fitting(text);
                if held.starts_with(['=', '+', '-', '@']) {
                    sheet.write_string_with_format(row, column, &*held, &styles.literal)?
                } else {
                    sheet.write_string(row, column, &*held)?
                }
            }
        };
        Ok(())
    }

    /// About how many digits wide it is shown.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Whole(number) => grouped(&format!("{number:.0}")).len(),
            Self::Double(number) if is_whole(*number) => grouped(&format!("{number:.0}")).len(),
            Self::Double(number) if number.abs() >= 1e15 => 10,
            Self::Double(number) => grouped(&format!("{number:.4}")).len(),
            Self::Share(_) => 6,
            Self::Truth(_) => 5,
            Self::Day(_) => 10,
            Self::Instant(_) => 19,
            Self::Digits(text) => text.len(),
            Self::Text(text) => text_width(text),
        }
    }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() < 1e15
}

/// How wide a text is shown; of several lines the widest.
pub(super) fn text_width(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// A text as a cell can hold it: what is too long is cut, and says so.
pub(super) fn fitting(text: &str) -> Cow<'_, str> {
    // A UTF-16 unit takes at least one byte of UTF-8.
    if text.len() <= LONGEST_TEXT || text.encode_utf16().count() <= LONGEST_TEXT {
        return Cow::Borrowed(text);
    }
    let mark = format!("… (cut; {} characters in all)", grouped(&text.chars().count().to_string()));
    let room = LONGEST_TEXT - mark.encode_utf16().count();
    let mut used = 0;
    let kept = text.chars().take_while(|character| {
        used += character.len_utf16();
        used <= room
    });
    Cow::Owned(kept.collect::<String>() + &mark)
}
