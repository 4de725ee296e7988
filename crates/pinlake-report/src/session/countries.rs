//! ISO 3166-1 as two small tables, for `country` comes both as alpha-2 and as alpha-3 in real exports.
//!
//! `countries(alpha2, alpha3, name)` has a row per country; `country_codes(code, alpha2)` has a row per code of either length, which is
//! what a report joins: `LEFT JOIN country_codes AS c ON c.code = upper(trim(e.country))`. The names are those
//! of the tz database's `iso3166.tab`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::Result;

const COUNTRIES: &str = include_str!("countries.tsv");

/// The table `countries`, in order of alpha-2.
pub(super) fn countries() -> Result<RecordBatch> {
    let (mut alpha2s, mut alpha3s, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (alpha2, alpha3, name) in rows() {
        alpha2s.push(alpha2);
        alpha3s.push(alpha3);
        names.push(name);
    }
    Ok(RecordBatch::try_from_iter([
        ("alpha2", text(alpha2s)),
        ("alpha3", text(alpha3s)),
        ("name", text(names)),
    ])?)
}

/// The table `country_codes`: every alpha-2 and alpha-3 code with its alpha-2.
pub(super) fn codes() -> Result<RecordBatch> {
    let (mut codes, mut alpha2s) = (Vec::new(), Vec::new());
    for (alpha2, alpha3, _) in rows() {
        codes.extend([alpha2, alpha3]);
        alpha2s.extend([alpha2, alpha2]);
    }
    Ok(RecordBatch::try_from_iter([("code", text(codes)), ("alpha2", text(alpha2s))])?)
}

fn text(values: Vec<&str>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    COUNTRIES.lines().filter_map(|line| {
        let mut cells = line.split('\t');
        Some((cells.next()?, cells.next()?, cells.next()?))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_country_has_two_codes_of_its_own() {
        let codes: HashSet<&str> = rows().flat_map(|(alpha2, alpha3, _)| [alpha2, alpha3]).collect();
        assert_eq!(rows().count(), 249);
        assert_eq!(codes.len(), 498);
        assert!(
            rows().all(|(alpha2, alpha3, name)| alpha2.len() == 2 && alpha3.len() == 3 && !name.is_empty())
        );
    }
}
