//! The ITU's calling codes as a small table, for a phone number tells its country.
//!
//! `calling_codes(prefix, country)` has a row per prefix in digits, without `+`, with the alpha-2 code of its country; the longest
//! prefix that a number begins with tells. Codes of no country, such as those of satellite phones, have an empty one. Within codes that
//! countries share (`1`, `7`, `44` ...) the prefixes are those that the countries' own numbering plans give.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::Result;

const CALLING_CODES: &str = include_str!("calling_codes.tsv");

/// The table `calling_codes`, in order of prefix.
pub(super) fn calling_codes() -> Result<RecordBatch> {
    let (prefixes, countries): (Vec<&str>, Vec<&str>) = rows().unzip();
    let text = |values: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    Ok(RecordBatch::try_from_iter([("prefix", text(prefixes)), ("country", text(countries))])?)
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    CALLING_CODES.lines().filter_map(|line| line.split_once('\t'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn prefixes_are_digits_and_each_stands_once() {
        let codes: BTreeMap<&str, &str> = rows().collect();
        assert_eq!(codes.len(), CALLING_CODES.lines().count());
        assert!(
            codes.keys().all(|prefix| prefix.bytes().all(|byte| byte.is_ascii_digit()) && !prefix.is_empty())
        );
        assert!(codes.values().all(|country| country.is_empty() || country.len() == 2));
        assert_eq!(
            (codes["1"], codes["1242"], codes["44"], codes["7"], codes["77"]),
            ("US", "BS", "GB", "RU", "KZ")
        );
    }
}
