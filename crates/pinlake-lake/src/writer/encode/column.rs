//! One field of the schema and the leaves it has in the file.

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::datatypes::{DataType, Field, TimeUnit};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{ChunkPages, Scratch};
use super::leaf::{Leaf, Values};
use super::levels::Levels;
use super::limits::Limits;
use super::map::MapColumn;
use super::numbers::{FloatValues, IntegerValues};
use super::text::TextValues;

/// The encoder of one field.
pub(super) enum Column {
    /// Text, a number or a date.
    Flat { leaf: Box<Leaf>, nullable: bool },
    /// A map of doubles or of lists of text.
    Map(Box<MapColumn>),
}

impl Column {
    /// For `field`, whose leaves are the next of `leaves`. Fails for a type of which no column of the lake is.
    pub(super) fn new(
        field: &Field,
        leaves: &mut impl Iterator<Item = ColumnDescPtr>,
        limits: Limits,
    ) -> Result<Self> {
        let nullable = field.is_nullable();
        if let DataType::Map(entries, _) = field.data_type() {
            return Ok(Self::Map(Box::new(MapColumn::new(field, entries, leaves, limits)?)));
        }
        let leaf = leaf(field, Levels::flat(nullable), leaves, limits)?;
        Ok(Self::Flat { leaf: Box::new(leaf), nullable })
    }

    /// Appends the rows of an array of the field's type, with or without dictionaries.
    pub(super) fn append(&mut self, array: &ArrayRef, scratch: &mut Scratch) -> Result<()> {
        match self {
            Self::Flat { leaf, nullable } => {
                let validity = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
                if validity.is_some() && !*nullable {
                    return Err(null_in_required());
                }
                leaf.levels.append(array.len(), validity.as_ref());
                leaf.append_values(array)?;
                leaf.end_rows(array.len(), scratch)
            }
            Self::Map(map) => match array.as_map_opt() {
                Some(array) => map.append(array, scratch),
                None => Err(ParquetError::NYI(format!("maps in arrays of {}", array.data_type()))),
            },
        }
    }

    /// Bytes that wait for the row group's end.
    pub(super) fn buffered_bytes(&self) -> usize {
        match self {
            Self::Flat { leaf, .. } => leaf.buffered_bytes(),
            Self::Map(map) => map.leaves().map(Leaf::buffered_bytes).sum(),
        }
    }

    /// Hands out the leaves in the order of the schema, to be finished.
    pub(super) fn finish(
        &mut self,
        scratch: &mut Scratch,
        mut finish: impl FnMut(&mut Leaf, &mut Scratch) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Flat { leaf, .. } => finish(leaf, scratch),
            Self::Map(map) => map.leaves_mut().into_iter().try_for_each(|leaf| finish(leaf, scratch)),
        }
    }
}

/// The leaf of a field of text, numbers or dates.
pub(super) fn leaf(
    field: &Field,
    levels: Levels,
    leaves: &mut impl Iterator<Item = ColumnDescPtr>,
    limits: Limits,
) -> Result<Leaf> {
    let values = match field.data_type() {
        DataType::Int64 | DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Values::Integer(IntegerValues::default())
        }
        DataType::Float64 => Values::Float(FloatValues::new(limits)),
        of if is_text(of) => Values::Text(TextValues::new(limits)),
        _ => return Err(no_encoder(field)),
    };
    let descriptor = leaves.next().ok_or_else(|| no_encoder(field))?;
    Ok(Leaf::new(levels, values, ChunkPages::new(descriptor), limits))
}

/// Whether arrays of this type hold text, plain or by dictionary.
pub(super) fn is_text(of: &DataType) -> bool {
    match of {
        DataType::Dictionary(key, value) => **key == DataType::Int32 && **value == DataType::Utf8,
        other => *other == DataType::Utf8,
    }
}

pub(super) fn no_encoder(field: &Field) -> ParquetError {
    ParquetError::NYI(format!(
        "`{}` is {}, which no column of a lake can be",
        field.name(),
        field.data_type()
    ))
}

pub(super) fn null_in_required() -> ParquetError {
    ParquetError::General("there is a null in a column that has none".to_owned())
}
