//! One column of the Parquet file: levels and values of the page in progress, and the pages before it.

use arrow::array::Array;
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};
use std::io::Write;

use super::chunk::{ChunkPages, Scratch};
use super::levels::Levels;
use super::limits::{Limits, empty};
use super::numbers::{FloatValues, IntegerValues};
use super::text::TextValues;

/// The values of a leaf by their type.
pub(super) enum Values {
    Text(TextValues),
    Integer(IntegerValues),
    Float(FloatValues),
}

/// A leaf of the schema.
pub(super) struct Leaf {
    pub(super) levels: Levels,
    values: Values,
    chunk: ChunkPages,
    limits: Limits,
    /// Rows of the page in progress.
    rows: usize,
    /// Nulls of the chunk, in its pages.
    nulls: usize,
}

impl Leaf {
    pub(super) fn new(levels: Levels, values: Values, chunk: ChunkPages, limits: Limits) -> Self {
        Self { levels, values, chunk, limits, rows: 0, nulls: 0 }
    }

    /// Appends the values of an array, without its nulls. Levels are appended apart.
    pub(super) fn append_values(&mut self, array: &dyn Array) -> Result<()> {
        match &mut self.values {
            Values::Text(values) => values.append(array),
            Values::Integer(values) => values.append(array),
            Values::Float(values) => values.append(array),
        }
    }

    /// Says that levels and values of `rows` rows are complete; a page that is full is encoded.
    pub(super) fn end_rows(&mut self, rows: usize, scratch: &mut Scratch) -> Result<()> {
        self.rows += rows;
        let full = self.rows >= self.limits.page_rows || self.page_bytes() >= self.limits.page_bytes;
        if full { self.end_page(scratch) } else { Ok(()) }
    }

    fn page_bytes(&self) -> usize {
        let values = match &self.values {
            Values::Text(values) => values.buffered_bytes(),
            Values::Integer(values) => values.buffered_bytes(),
            Values::Float(values) => values.buffered_bytes(),
        };
        values + self.levels.buffered_bytes()
    }

    fn end_page(&mut self, scratch: &mut Scratch) -> Result<()> {
        let levels = self.levels.len();
        self.nulls += self.levels.nulls();
        self.rows = 0;
        scratch.page.clear();
        self.levels.drain(&mut scratch.page);
        let encoding = match &mut self.values {
            Values::Text(values) => values.drain(&mut scratch.page),
            Values::Integer(values) => values.drain(&mut scratch.page),
            Values::Float(values) => values.drain(&mut scratch.page),
        };
        let added = self.chunk.add_data(scratch, levels, encoding);
        empty(&mut scratch.page);
        added
    }

    /// Bytes that wait for the row group's end.
    pub(super) fn buffered_bytes(&self) -> usize {
        let excess = match &self.values {
            Values::Text(values) => values.dictionary_excess_bytes(),
            Values::Integer(_) | Values::Float(_) => 0,
        };
        self.chunk.buffered_bytes() + self.page_bytes() + excess
    }

    /// Writes the chunk to `file`, whose length is `offset`, and begins anew.
    pub(super) fn finish(
        &mut self,
        scratch: &mut Scratch,
        file: &mut impl Write,
        offset: u64,
    ) -> Result<ColumnChunkMetaData> {
        if self.levels.len() > 0 {
            self.end_page(scratch)?;
        }
        let nulls = std::mem::take(&mut self.nulls) as u64;
        let flat = self.levels.is_flat();
        let statistics = match &mut self.values {
            Values::Text(values) => {
                values.finish(&mut self.chunk, &mut scratch.codec)?;
                // Least and greatest of unsorted text prune nothing, and have no place in a footer besides.
                Statistics::ByteArray(ValueStatistics::new(None::<ByteArray>, None, None, Some(nulls), false))
            }
            Values::Integer(values) => values.take_statistics(nulls),
            Values::Float(values) => {
                values.finish(&mut self.chunk, &mut scratch.codec)?;
                values.take_statistics(nulls)
            }
        };
        self.chunk.finish(&scratch.codec, flat.then_some(statistics), file, offset)
    }
}
