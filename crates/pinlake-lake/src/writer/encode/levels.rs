//! Definition and repetition levels of the values of one page: which of them are there, and which belong together.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;
use arrow::util::bit_iterator::BitSliceIterator;

use super::bits::width_of;
use super::hybrid;

/// One null in so many values, or one value in so many nulls, is rare: two runs, of four or five bytes together, take
/// less than a bit for each value.
const RARE: usize = 40;

/// The levels of one page, by the shape of the column.
pub(super) enum Levels {
    /// A column without nulls has no levels, only a count.
    Required(usize),
    /// A nullable column: a level of one bit, which is Arrow's validity bitmap.
    Nullable { valid: BooleanBufferBuilder, nulls: usize },
    /// A part of a map.
    Nested { repetition: Vec<u8>, definition: Vec<u8>, max_repetition: u8, max_definition: u8 },
}

impl Levels {
    /// Of a column that is no map.
    pub(super) fn flat(nullable: bool) -> Self {
        if nullable {
            Self::Nullable { valid: BooleanBufferBuilder::new(0), nulls: 0 }
        } else {
            Self::Required(0)
        }
    }

    /// Of a leaf of a map.
    pub(super) fn nested(max_repetition: u8, max_definition: u8) -> Self {
        Self::Nested { repetition: Vec::new(), definition: Vec::new(), max_repetition, max_definition }
    }

    /// Appends `rows` values of a column that is no map, some of them null.
    pub(super) fn append(&mut self, rows: usize, validity: Option<&NullBuffer>) {
        match self {
            Self::Required(count) => *count += rows,
            Self::Nullable { valid, nulls } => match validity {
                Some(validity) => {
                    valid.append_buffer(validity.inner());
                    *nulls += validity.null_count();
                }
                None => valid.append_n(rows, true),
            },
            Self::Nested { .. } => {}
        }
    }

    /// Repetition and definition levels of a part of a map, to be appended to.
    pub(super) fn nested_mut(&mut self) -> Option<(&mut Vec<u8>, &mut Vec<u8>)> {
        match self {
            Self::Nested { repetition, definition, .. } => Some((repetition, definition)),
            Self::Required(_) | Self::Nullable { .. } => None,
        }
    }

    /// Whether the column is no part of a map.
    pub(super) fn is_flat(&self) -> bool {
        !matches!(self, Self::Nested { .. })
    }

    /// Bytes held for the page in progress.
    pub(super) fn buffered_bytes(&self) -> usize {
        match self {
            Self::Required(_) => 0,
            Self::Nullable { valid, .. } => valid.len() / 8,
            Self::Nested { definition, .. } => definition.len() * 2,
        }
    }

    /// How many there are: values and nulls.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Required(count) => *count,
            Self::Nullable { valid, .. } => valid.len(),
            Self::Nested { definition, .. } => definition.len(),
        }
    }

    /// How many of them are null; 0 for parts of maps, whose nulls nobody counts.
    pub(super) fn nulls(&self) -> usize {
        match self {
            Self::Nullable { nulls, .. } => *nulls,
            Self::Required(_) | Self::Nested { .. } => 0,
        }
    }

    /// Appends them as a version 1 data page has them, and begins anew.
    pub(super) fn drain(&mut self, page: &mut Vec<u8>) {
        match self {
            Self::Required(count) => *count = 0,
            Self::Nullable { valid, nulls } => {
                with_length(page, |page| encode_validity(valid, *nulls, page));
                valid.truncate(0);
                *nulls = 0;
            }
            Self::Nested { repetition, definition, max_repetition, max_definition } => {
                for (levels, max) in [(repetition, max_repetition), (definition, max_definition)] {
                    with_length(page, |page| hybrid::encode(levels, width_of(u64::from(*max)), page));
                    levels.clear();
                }
            }
        }
    }
}

fn encode_validity(valid: &BooleanBufferBuilder, nulls: usize, page: &mut Vec<u8>) {
    let count = valid.len();
    if nulls.min(count - nulls) * RARE < count {
        let mut end = 0;
        for (from, to) in BitSliceIterator::new(valid.as_slice(), 0, count) {
            repeat_level(0, from - end, page);
            repeat_level(1, to - from, page);
            end = to;
        }
        repeat_level(0, count - end, page);
    } else {
        // A packed run of one bit each, least significant first, is what the bitmap is already.
        hybrid::packed_header(count, page);
        page.extend_from_slice(&valid.as_slice()[..count.div_ceil(8)]);
    }
}

fn repeat_level(level: u8, count: usize, page: &mut Vec<u8>) {
    if count > 0 {
        hybrid::repeat_run(level, count, 1, page);
    }
}

/// Appends what `encode` appends, behind its length in four bytes.
fn with_length(page: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let start = page.len();
    page.extend([0; 4]);
    encode(page);
    // A page has passed the 31 bits of its own length before anyone reads this.
    let length = u32::try_from(page.len() - start - 4).unwrap_or(u32::MAX);
    page[start..start + 4].copy_from_slice(&length.to_le_bytes());
}
