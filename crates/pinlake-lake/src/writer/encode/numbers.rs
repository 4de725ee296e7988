//! Whole numbers, dates and doubles of one page, and the least and greatest of the chunk.

use arrow::array::{Array, AsArray as _};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::file::statistics::Statistics;

use super::chunk::ChunkPages;
use super::codec::Codec;
use super::delta;
use super::float_dictionary::FloatDictionary;
use super::limits::Limits;
use super::text::encode_indices;

/// Line numbers and dates. Neighbours are close, so what is kept are their differences.
#[derive(Default)]
pub(super) struct IntegerValues {
    page: Vec<i64>,
    range: Option<(i64, i64)>,
}

impl IntegerValues {
    /// Appends the values of an array of integers or of microseconds, without its nulls.
    pub(super) fn append(&mut self, array: &dyn Array) -> Result<()> {
        let values: &[i64] = match array.data_type() {
            DataType::Int64 => array.as_primitive::<Int64Type>().values(),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                array.as_primitive::<TimestampMicrosecondType>().values()
            }
            other => return Err(ParquetError::NYI(format!("integers in arrays of {other}"))),
        };
        let before = self.page.len();
        extend_valid(&mut self.page, values, array.nulls(), |value| value);
        let added = &self.page[before..];
        if let Some(first) = added.first() {
            let (least, greatest) = self.range.unwrap_or((*first, *first));
            let ends = |(least, greatest): (i64, i64), value: &i64| (least.min(*value), greatest.max(*value));
            self.range = Some(added.iter().fold((least, greatest), ends));
        }
        Ok(())
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.page.len() * size_of::<i64>()
    }

    /// Appends the values as a data page has them, and begins anew.
    pub(super) fn drain(&mut self, page: &mut Vec<u8>) -> Encoding {
        delta::encode(&self.page, page);
        self.page.clear();
        Encoding::DELTA_BINARY_PACKED
    }

    /// The ends of the chunk's values, once it is done.
    pub(super) fn take_statistics(&mut self, nulls: u64) -> Statistics {
        let (least, greatest) = self.range.take().unzip();
        Statistics::int64(least, greatest, None, Some(nulls), false)
    }
}

/// Doubles: coordinates, which are those of few cities, and metrics, which are small counts, so by a dictionary of
/// their bits as long as they repeat.
pub(super) struct FloatValues {
    limits: Limits,
    dictionary: FloatDictionary,
    /// The rest of the chunk goes without a dictionary.
    plain: bool,
    /// Row groups yet to be written without a dictionary.
    plain_groups: usize,
    /// Values in data pages with indices.
    by_dictionary: usize,
    /// The chunk has data pages with indices, if only such without a value.
    indexed_pages: bool,
    /// Bits of the values of this page, without a dictionary.
    page: Vec<u64>,
    /// Of this page, with one.
    indices: Vec<u32>,
    range: Option<(f64, f64)>,
}

impl FloatValues {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            dictionary: FloatDictionary::new(),
            plain: false,
            plain_groups: 0,
            by_dictionary: 0,
            indexed_pages: false,
            page: Vec::new(),
            indices: Vec::new(),
            range: None,
        }
    }

    /// Appends the values of an array of doubles, without its nulls.
    pub(super) fn append(&mut self, array: &dyn Array) -> Result<()> {
        let DataType::Float64 = array.data_type() else {
            return Err(ParquetError::NYI(format!("doubles in arrays of {}", array.data_type())));
        };
        let values = array.as_primitive::<Float64Type>().values();
        let before = self.page.len();
        extend_valid(&mut self.page, values, array.nulls(), f64::to_bits);
        self.widen(before);
        if !self.plain {
            for at in before..self.page.len() {
                let Some(index) = self.dictionary.index_of(self.page[at]) else { break };
                self.indices.push(index);
            }
            // The page holds the bits in either case, so nothing is lost where the dictionary is given up.
            let seen = self.by_dictionary + self.indices.len();
            let unique = seen >= self.limits.judged_after && self.dictionary.entries().len() * 2 > seen;
            if unique || self.indices.len() < self.page.len() {
                self.plain = true;
                self.plain_groups = self.limits.plain_groups + 1;
                self.indices.clear();
            }
        }
        Ok(())
    }

    /// Takes the values of the page from `before` on into the range. What is not a number has no place in it.
    fn widen(&mut self, before: usize) {
        let (mut least, mut greatest) = self.range.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let mut any = self.range.is_some();
        for bits in &self.page[before..] {
            let value = f64::from_bits(*bits);
            any |= !value.is_nan();
            least = if value < least { value } else { least };
            greatest = if value > greatest { value } else { greatest };
        }
        self.range = any.then_some((least, greatest));
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.page.len() * size_of::<u64>() + self.indices.len() * size_of::<u32>()
    }

    /// Appends the values as a data page has them, and begins anew.
    pub(super) fn drain(&mut self, page: &mut Vec<u8>) -> Encoding {
        let encoding = if self.plain {
            page.extend(self.page.iter().flat_map(|bits| bits.to_le_bytes()));
            Encoding::PLAIN
        } else {
            encode_indices(&self.indices, self.dictionary.entries().len(), page);
            self.by_dictionary += self.indices.len();
            self.indexed_pages = true;
            self.indices.clear();
            Encoding::RLE_DICTIONARY
        };
        self.page.clear();
        encoding
    }

    /// The ends of the chunk's values, once it is done.
    pub(super) fn take_statistics(&mut self, nulls: u64) -> Statistics {
        let (least, greatest) = self.range.take().unzip();
        // Zero has two signs, which are equal: the specification wants the one that leaves neither out.
        let least = least.map(|value| if value == 0.0 { -0.0 } else { value });
        let greatest = greatest.map(|value| if value == 0.0 { 0.0 } else { value });
        Statistics::double(least, greatest, None, Some(nulls), false)
    }

    /// Ends the chunk, whose last data page was drained.
    pub(super) fn finish(&mut self, chunk: &mut ChunkPages, codec: &mut Codec) -> Result<()> {
        if self.indexed_pages {
            let entries = self.dictionary.entries();
            let plain: Vec<u8> = entries.iter().flat_map(|bits| bits.to_le_bytes()).collect();
            chunk.set_dictionary(&plain, entries.len(), codec)?;
        }
        self.dictionary.clear();
        (self.by_dictionary, self.indexed_pages) = (0, false);
        self.plain_groups = self.plain_groups.saturating_sub(1);
        self.plain = self.plain_groups > 0;
        Ok(())
    }
}

/// Appends the values that are not null, each `as_kept`.
fn extend_valid<T: Copy, K>(
    page: &mut Vec<K>,
    values: &[T],
    nulls: Option<&NullBuffer>,
    as_kept: impl Fn(T) -> K,
) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => page.extend(values.iter().map(|value| as_kept(*value))),
        Some(nulls) => page.extend(nulls.valid_indices().map(|at| as_kept(values[at]))),
    }
}
