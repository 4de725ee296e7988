//! The statistics of a data file that go into the Delta log: how many rows, how many nulls, from when to when.
//!
//! Of the values only those of date columns are in it. The log is read, quoted in errors and copied more freely
//! than data files are, so no address and no id belongs there.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use chrono::{DateTime, SecondsFormat};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// By column, for the columns whose statistics the Parquet file has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct FileStats {
    columns: BTreeMap<String, ColumnStats>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct ColumnStats {
    nulls: u64,
    /// Microseconds since the epoch, of date columns with a value.
    range_us: Option<(i64, i64)>,
}

impl FileStats {
    /// Gathers them from the footer of a file with these columns.
    pub(super) fn of(schema: &Schema, metadata: &ParquetMetaData) -> Self {
        let dates = schema.fields().iter().filter(|field| is_date(field.data_type()));
        let dates: Vec<&str> = dates.map(|field| field.name().as_str()).collect();
        let mut columns: BTreeMap<String, ColumnStats> = BTreeMap::new();
        for group in metadata.row_groups() {
            for chunk in group.columns() {
                let [name] = chunk.column_path().parts() else { continue };
                let Some(statistics) = chunk.statistics() else { continue };
                let Some(nulls) = statistics.null_count_opt() else { continue };
                let column = columns.entry(name.clone()).or_default();
                column.nulls += nulls;
                if dates.contains(&name.as_str()) {
                    column.widen(statistics);
                }
            }
        }
        Self { columns }
    }

    /// As the Delta protocol has them.
    pub(super) fn to_json(&self, rows: u64) -> String {
        let nulls: BTreeMap<&str, u64> =
            self.columns.iter().map(|(name, column)| (name.as_str(), column.nulls)).collect();
        let bound = |pick: fn((i64, i64)) -> i64, round: fn(i64) -> i64| -> BTreeMap<&str, Value> {
            let ranges = self.columns.iter().filter_map(|(name, column)| Some((name, column.range_us?)));
            ranges.filter_map(|(name, range)| Some((name.as_str(), date_json(round(pick(range)))?))).collect()
        };
        json!({
            "numRecords": rows,
            "minValues": bound(|(least, _)| least, |us| us.div_euclid(1000)),
            "maxValues": bound(|(_, greatest)| greatest, |us| us.div_euclid(1000) + i64::from(us.rem_euclid(1000) != 0)),
            "nullCount": nulls,
        })
        .to_string()
    }
}

impl ColumnStats {
    fn widen(&mut self, statistics: &Statistics) {
        let Statistics::Int64(values) = statistics else { return };
        let (Some(&least), Some(&greatest)) = (values.min_opt(), values.max_opt()) else { return };
        self.range_us = Some(match self.range_us {
            Some((low, high)) => (low.min(least), high.max(greatest)),
            None => (least, greatest),
        });
    }
}

fn is_date(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Microsecond, _))
}

/// Delta's dates in statistics have milliseconds; the callers round outwards, so that the bounds still hold.
fn date_json(milliseconds: i64) -> Option<Value> {
    let date = DateTime::from_timestamp_millis(milliseconds)?;
    Some(date.to_rfc3339_opts(SecondsFormat::Millis, true).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_rounded_outwards() {
        let column = ColumnStats { nulls: 2, range_us: Some((-1, 1_000_001)) };
        let stats = FileStats { columns: [("creation_date".to_owned(), column)].into() };
        let json: Value = serde_json::from_str(&stats.to_json(7)).unwrap();
        assert_eq!(json["numRecords"], 7);
        assert_eq!(json["nullCount"]["creation_date"], 2);
        assert_eq!(json["minValues"]["creation_date"], "1969-12-31T23:59:59.999Z");
        assert_eq!(json["maxValues"]["creation_date"], "1970-01-01T00:00:01.001Z");
    }

    #[test]
    fn a_column_of_nulls_has_no_bounds() {
        let stats = FileStats { columns: [("creation_date".to_owned(), ColumnStats::default())].into() };
        let json: Value = serde_json::from_str(&stats.to_json(0)).unwrap();
        assert_eq!(json["minValues"], json!({}));
    }
}
