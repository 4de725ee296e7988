//! How columns become Parquet: what is compressed, dictionary-encoded and counted.
//!
//! The choices keep to version 1 data pages, which Athena, Trino, Spark, `DuckDB` and `ClickHouse` all read.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::{DataType, Schema};
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

/// The codec of data pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// zstd at level 1: higher levels cost far more time than they save space on this data.
    #[default]
    Zstd,
    /// Snappy: larger and faster.
    Snappy,
    /// Pages as they are.
    None,
}

impl Compression {
    /// All codecs, in the order of their names in help texts.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Snappy, Self::None];

    fn codec(self) -> Codec {
        match self {
            Self::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Self::Snappy => Codec::SNAPPY,
            Self::None => Codec::UNCOMPRESSED,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::None => "none",
        })
    }
}

/// The name is none of `zstd`, `snappy`, `none`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no compression: it is one of zstd, snappy, none")]
pub struct UnknownCompression(String);

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(name: &str) -> Result<Self, UnknownCompression> {
        let found = Self::ALL.into_iter().find(|compression| compression.to_string() == name);
        found.ok_or_else(|| UnknownCompression(name.to_owned()))
    }
}

/// How data files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterOptions {
    /// The codec of data pages.
    pub compression: Compression,
    /// Rows in a row group, at least 1. A writer holds one group in memory, and a reader's threads share a file
    /// by its groups: 131,072 rows of this table are a few dozen MB encoded, and make eight groups of a million
    /// endpoints (`DuckDB`'s own groups have 122,880 rows).
    pub row_group_rows: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { compression: Compression::default(), row_group_rows: 131_072 }
    }
}

/// Columns whose values hardly repeat: a dictionary would be hashed for every row and given up when it is full.
const UNIQUE_COLUMNS: [&str; 5] = ["id", "address", "request_id", "user_id", "extra"];

/// The Parquet properties for files with these columns.
pub(super) fn properties(schema: &Schema, options: &WriterOptions) -> WriterProperties {
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(options.compression.codec())
        .set_max_row_group_row_count(Some(options.row_group_rows.max(1)))
        // Least and greatest of unsorted text prunes nothing, and would cost a comparison for each value.
        .set_statistics_enabled(EnabledStatistics::None);
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        builder = match field.data_type() {
            DataType::Utf8 if UNIQUE_COLUMNS.contains(&field.name().as_str()) => {
                builder.set_column_dictionary_enabled(path, false)
            }
            DataType::Int64 | DataType::Timestamp(..) => ascending(builder, path),
            DataType::Float64 => builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk),
            _ => builder,
        };
    }
    builder.build()
}

/// Line numbers and dates: neighbours are close, so their differences are short, and their ends are worth knowing.
fn ascending(builder: WriterPropertiesBuilder, path: ColumnPath) -> WriterPropertiesBuilder {
    builder
        .set_column_dictionary_enabled(path.clone(), false)
        .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
        .set_column_statistics_enabled(path, EnabledStatistics::Chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codecs_are_read_back() {
        for compression in Compression::ALL {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        assert!("gzip".parse::<Compression>().is_err());
    }
}
