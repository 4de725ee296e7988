//! A result as a page shows it: cells as text for eyes, numbers to the right, the measured column as bars.
//!
//! Shared by terminal, Markdown, HTML and XLSX, so that they say the same.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, TimeUnit};
use arrow::temporal_conversions::{
    timestamp_ms_to_datetime, timestamp_ns_to_datetime, timestamp_s_to_datetime, timestamp_us_to_datetime,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::report::Report;

/// What stands for null on a page.
pub(crate) const NONE: &str = "(none)";

/// A column of a page.
#[derive(Debug, Clone)]
pub(super) struct PageColumn {
    pub(super) name: String,
    /// Numbers and times stand to the right.
    pub(super) right: bool,
}

/// A result as a page shows it.
#[derive(Debug, Clone)]
pub(super) struct PageTable {
    pub(super) columns: Vec<PageColumn>,
    /// The rows shown, a text for each column.
    pub(super) rows: Vec<Vec<String>>,
    /// For each row shown the length of its bar, 0 to 1; empty where nothing is drawn.
    pub(super) bars: Vec<f64>,
    /// All rows of the result.
    pub(super) total_rows: usize,
}

impl PageTable {
    /// The first `cap` rows of a report.
    pub(super) fn of(report: &Report, cap: Option<usize>) -> Self {
        let schema = &report.result.schema;
        let columns = schema
            .fields()
            .iter()
            .map(|field| PageColumn { name: field.name().clone(), right: stands_right(field.data_type()) })
            .collect();
        let held_rows = report.result.rows();
        let total_rows = held_rows + report.further_rows;
        let shown_rows = cap.map_or(held_rows, |cap| cap.min(held_rows));
        let mut rows = Vec::with_capacity(shown_rows);
        for batch in &report.result.batches {
            for row in 0..batch.num_rows().min(shown_rows - rows.len()) {
                let fields = schema.fields().iter().zip(batch.columns());
                rows.push(fields.map(|(field, array)| cell(field, array, row)).collect());
            }
        }
        let mut bars = bars(report);
        bars.truncate(rows.len());
        Self { columns, rows, bars, total_rows }
    }

    /// A single row of many columns reads better as a list of names and values.
    pub(super) fn is_record(&self) -> bool {
        self.total_rows == 1 && self.columns.len() > 4
    }

    /// Rows that are not shown.
    pub(super) fn hidden_rows(&self) -> usize {
        self.total_rows - self.rows.len()
    }
}

/// A column name as a heading: `opt_out_share` is "Opt out share".
pub(super) fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(whole, rest)| (whole, rest));
    let mut text = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// Text with everything replaced that moves the cursor, ends a line, colours, or reverses the direction of what follows.
pub(crate) fn printable(text: &str) -> String {
    if !text.chars().any(steers) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The first characters of a text that is longer, with an ellipsis.
pub(super) fn beginning(text: &str, most: usize) -> Option<String> {
    let (end, _) = text.char_indices().nth(most)?;
    Some(format!("{}…", &text[..end]))
}

fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn stands_right(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_temporal()
}

/// Whether a column's fractions are shown in percent.
pub(super) fn is_share(field: &Field) -> bool {
    let name = field.name();
    field.data_type().is_floating() && (name == "share" || name.ends_with("_share"))
}

/// A value as text for eyes.
pub(super) fn cell(field: &Field, array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return NONE.to_owned();
    }
    match array.data_type() {
        DataType::Float64 if is_share(field) => percentage(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => cast(
            &array.slice(row, 1),
            &DataType::Float64,
        )
        .map_or_else(|_| NONE.to_owned(), |value| decimal(value.as_primitive::<Float64Type>().value(0))),
        DataType::Boolean => if array.as_boolean().value(row) { "yes" } else { "no" }.to_owned(),
        DataType::Timestamp(unit, _) => instant(*unit, array, row).unwrap_or_else(|| plain(array, row)),
        DataType::List(item) => {
            let items = array.as_list::<i32>().value(row);
            let texts = (0..items.len()).map(|place| cell(item, &items, place));
            texts.collect::<Vec<_>>().join(", ")
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pair = |place| {
                format!("{}: {}", cell(field, keys, place), cell(entries.fields()[1].as_ref(), values, place))
            };
            (0..entries.len()).map(pair).collect::<Vec<_>>().join("; ")
        }
        data_type if data_type.is_numeric() => grouped(&plain(array, row)),
        _ => printable(&plain(array, row)),
    }
}

fn plain(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    let text = ArrayFormatter::try_new(array, &options).and_then(|cells| cells.value(row).try_to_string());
    text.unwrap_or_else(|_| NONE.to_owned())
}

/// A fraction in percent.
pub(super) fn percentage(share: f64) -> String {
    let percent = share * 100.0;
    // What is there is never shown as nothing, nor what is not whole as everything.
    if percent > 0.0 && percent < 0.05 {
        return "<0.1%".to_owned();
    }
    if (99.95..100.0).contains(&percent) {
        return ">99.9%".to_owned();
    }
    format!("{percent:.1}%")
}

pub(super) fn decimal(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let fixed = format!("{value:.4}");
    let trimmed = fixed.trim_end_matches('0').trim_end_matches('.');
    grouped(if trimmed == "-0" { "0" } else { trimmed })
}

fn instant(unit: TimeUnit, array: &ArrayRef, row: usize) -> Option<String> {
    let ticks = cast(&array.slice(row, 1), &DataType::Int64).ok()?;
    let ticks = ticks.as_primitive::<arrow::datatypes::Int64Type>().value(0);
    let time = match unit {
        TimeUnit::Second => timestamp_s_to_datetime(ticks),
        TimeUnit::Millisecond => timestamp_ms_to_datetime(ticks),
        TimeUnit::Microsecond => timestamp_us_to_datetime(ticks),
        TimeUnit::Nanosecond => timestamp_ns_to_datetime(ticks),
    }?;
    Some(time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// Rates of a group (`…_share`) are drawn against one whole; everything else against the largest of all rows.
fn bars(report: &Report) -> Vec<f64> {
    let Some(measure) = report.chart.as_ref().and_then(|chart| chart.measure()) else { return Vec::new() };
    let mut values = Vec::new();
    for batch in &report.result.batches {
        let Some(column) = batch.column_by_name(measure) else { return Vec::new() };
        let Ok(column) = cast(column, &DataType::Float64) else { return Vec::new() };
        let column: &Float64Array = column.as_primitive();
        values.extend(
            column.iter().map(|value| value.filter(|value| value.is_finite()).unwrap_or(0.0).max(0.0)),
        );
    }
    let largest = values.iter().copied().fold(0.0, f64::max);
    let whole = if measure.ends_with("_share") && largest <= 1.0 { 1.0 } else { largest };
    if whole > 0.0 { values.iter().map(|value| value / whole).collect() } else { values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped("1234567"), "1,234,567");
        assert_eq!(grouped("-123456.25"), "-123,456.25");
        assert_eq!(
            (decimal(2.5), decimal(1e6), decimal(-0.00001)),
            ("2.5".into(), "1,000,000".into(), "0".into())
        );
        let shares = [0.0, 0.0001, 0.3751, 0.99999, 1.0].map(percentage);
        assert_eq!(shares, ["0.0%", "<0.1%", "37.5%", ">99.9%", "100.0%"]);
        assert_eq!(heading("opt_out_share"), "Opt out share");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(beginning("München", 3).as_deref(), Some("Mün…"));
        assert_eq!((beginning("abc", 3), beginning("", 0)), (None, None));
    }

    #[test]
    fn text_cannot_steer_a_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\nc\\u{202e}d");
        assert_eq!(printable("富山 München"), "富山 München");
    }
}
