//! Tests of columns that SQL has no short word for, as functions of the query engine.
//!
//! Each holds what it tests by, looks at whole columns, and is true or false of every row, never null.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, MapArray, StringArray};
use arrow::compute::{and, cast, not, or};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use sha2::{Digest as _, Sha256};

use super::criteria::{Circle, ListTest};
use super::shapes::{ComparisonOperator, MetricDimension, Quantifier};

/// The mean radius of the earth.
const EARTH_KILOMETERS: f64 = 6_371.0;

/// Whether an attribute column, whose type is `map`, passes all of these tests.
pub(super) fn lists(name: &str, map: DataType, tests: Arc<[(String, ListTest)]>) -> ScalarUDF {
    function(name, vec![map], move |columns| {
        let entries = Entries::new(&columns[0])?;
        let lists = entries.map.values();
        let lists = lists.as_list_opt::<i32>().ok_or_else(|| unexpected(lists.data_type()))?;
        let values = texts(lists.values())?;
        let range = |entry: usize| {
            let offsets = lists.value_offsets();
            let (start, end) =
                (offsets[entry].unsigned_abs() as usize, offsets[entry + 1].unsigned_abs() as usize);
            if lists.is_null(entry) { start..start } else { start..end }
        };
        Ok(entries.rows(&tests, |test, entry| {
            let places = entry.map_or(0..0, range);
            test.holds(places.filter(|place| values.is_valid(*place)).map(|place| values.value(place)))
        }))
    })
}

/// Whether a metric column, whose type is `map`, passes all of these comparisons. A metric that is absent passes none.
pub(super) fn metrics(name: &str, map: DataType, tests: Vec<(String, MetricDimension)>) -> ScalarUDF {
    function(name, vec![map], move |columns| {
        let entries = Entries::new(&columns[0])?;
        let numbers = entries.map.values();
        let numbers =
            numbers.as_primitive_opt::<Float64Type>().ok_or_else(|| unexpected(numbers.data_type()))?;
        Ok(entries.rows(&tests, |test, entry| {
            entry.is_some_and(|entry| numbers.is_valid(entry) && compares(numbers.value(entry), *test))
        }))
    })
}

/// Whether a latitude and a longitude lie within a circle.
pub(super) fn within(circle: Circle) -> ScalarUDF {
    function("within_kilometers", vec![DataType::Float64, DataType::Float64], move |columns| {
        let number = |column: &ArrayRef| -> Result<Float64Array> {
            Ok(column.as_primitive_opt().ok_or_else(|| unexpected(column.data_type()))?.clone())
        };
        let (latitudes, longitudes) = (number(&columns[0])?, number(&columns[1])?);
        let points = latitudes.iter().zip(&longitudes);
        Ok(points
            .map(|(latitude, longitude)| {
                let point = latitude.zip(longitude);
                Some(point.is_some_and(|(latitude, longitude)| circle.has(latitude, longitude)))
            })
            .collect())
    })
}

/// Whether an id, whose type is `text`, is one of these, whatever its case.
pub(super) fn is_one_of(ids: Arc<Ids>, text: DataType) -> ScalarUDF {
    function("is_imported", vec![text], move |columns| {
        let column = texts(&columns[0])?;
        Ok(column.iter().map(|id| Some(id.is_some_and(|id| ids.has(id)))).collect())
    })
}

/// Whether so many columns of truth values are true as asked for, of at least one.
pub(super) fn quantifier(quantifier: Quantifier, count: usize) -> ScalarUDF {
    let name = match quantifier {
        Quantifier::All => "all_of",
        Quantifier::Any => "any_of",
        Quantifier::None => "none_of",
    };
    function(name, vec![DataType::Boolean; count], move |columns| {
        let join = if quantifier == Quantifier::All { and } else { or };
        let mut columns = columns.iter().map(AsArray::as_boolean);
        let first = columns.next().cloned().ok_or_else(|| exec_datafusion_err!("{name} of nothing"))?;
        let joined = columns.try_fold(first, |joined, column| join(&joined, column))?;
        Ok(if quantifier == Quantifier::None { not(&joined)? } else { joined })
    })
}

/// Ids, whatever their case, as the first half of a SHA-256 of each: 16 bytes an id, however long it is.
#[derive(Debug)]
pub(super) struct Ids {
    digests: HashSet<u128>,
    held: MemoryReservation,
}

impl Ids {
    /// None yet. What they will take is part of this memory.
    pub(super) fn within(pool: &Arc<dyn MemoryPool>) -> Self {
        let held = MemoryConsumer::new("the members of an imported segment").register(pool);
        Self { digests: HashSet::new(), held }
    }

    /// Takes a column of ids in. Rows without one are nobody that could be found again.
    pub(super) fn add(&mut self, column: &ArrayRef) -> Result<()> {
        self.digests.extend(texts(column)?.iter().flatten().map(digest));
        // A byte of the table stands beside each place.
        self.held.try_resize(self.digests.capacity() * (size_of::<u128>() + 1))
    }

    fn has(&self, id: &str) -> bool {
        self.digests.contains(&digest(id))
    }
}

fn digest(id: &str) -> u128 {
    let hash = Sha256::digest(id.to_lowercase());
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(half)
}

/// The entries of a column of maps.
struct Entries<'a> {
    map: &'a MapArray,
    keys: StringArray,
}

impl<'a> Entries<'a> {
    fn new(column: &'a ArrayRef) -> Result<Self> {
        let map = column.as_map_opt().ok_or_else(|| unexpected(column.data_type()))?;
        Ok(Self { map, keys: texts(map.keys())? })
    }

    /// Whether each row passes all tests. `passes` is handed a test and the place of the entry of that name, if there is one; of several
    /// the last.
    fn rows<T>(&self, tests: &[(String, T)], passes: impl Fn(&T, Option<usize>) -> bool) -> BooleanArray {
        let offsets = self.map.value_offsets();
        let rows = (0..self.map.len()).map(|row| {
            let (start, end) =
                (offsets[row].unsigned_abs() as usize, offsets[row + 1].unsigned_abs() as usize);
            let places = if self.map.is_null(row) { start..start } else { start..end };
            let entry = |name: &str| places.clone().rev().find(|place| self.keys.value(*place) == name);
            Some(tests.iter().all(|(name, test)| passes(test, entry(name))))
        });
        rows.collect()
    }
}

fn compares(metric: f64, MetricDimension { comparison_operator, value }: MetricDimension) -> bool {
    match comparison_operator {
        ComparisonOperator::GreaterThan => metric > value,
        ComparisonOperator::LessThan => metric < value,
        ComparisonOperator::GreaterThanOrEqual => metric >= value,
        ComparisonOperator::LessThanOrEqual => metric <= value,
        #[expect(clippy::float_cmp, reason = "EQUAL is equality, and both are read from decimal text")]
        ComparisonOperator::Equal => metric == value,
    }
}

impl Circle {
    /// Whether a point lies within, along the great circle (the haversine formula).
    fn has(&self, latitude: f64, longitude: f64) -> bool {
        let (here, there) = (self.latitude.to_radians(), latitude.to_radians());
        let (north, east) = (there - here, (longitude - self.longitude).to_radians());
        let half_chord = (north / 2.0).sin().powi(2) + here.cos() * there.cos() * (east / 2.0).sin().powi(2);
        2.0 * EARTH_KILOMETERS * half_chord.sqrt().min(1.0).asin() <= self.kilometers
    }
}

/// A function of columns that gives a column of truth values.
fn function(
    name: &str,
    types: Vec<DataType>,
    evaluate: impl Fn(&[ArrayRef]) -> Result<BooleanArray> + Send + Sync + 'static,
) -> ScalarUDF {
    let evaluate = move |columns: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(columns)?;
        Ok(ColumnarValue::Array(Arc::new(evaluate(&columns)?)))
    };
    create_udf(name, types, DataType::Boolean, Volatility::Immutable, Arc::new(evaluate))
}

/// Text in the one form that is looked at, whatever form it is read in.
fn texts(column: &ArrayRef) -> Result<StringArray> {
    let texts = cast(column, &DataType::Utf8)?;
    Ok(texts.as_string_opt::<i32>().ok_or_else(|| unexpected(column.data_type()))?.clone())
}

fn unexpected(found: &DataType) -> DataFusionError {
    exec_datafusion_err!("a column of endpoints has the type {found}")
}
