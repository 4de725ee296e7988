//! Values of fixed width: instants and doubles.

use arrow::array::{ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};

/// A column of fixed-width values.
#[derive(Debug)]
pub(crate) struct PrimitiveColumn<T: ArrowPrimitiveType> {
    /// One for each row, 0 where there is none.
    values: Vec<T::Native>,
}

impl<T: ArrowPrimitiveType> PrimitiveColumn<T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// Makes room for `rows` rows.
    pub(super) fn begin(&mut self, rows: usize) {
        self.values.clear();
        self.values.resize(rows, T::Native::default());
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: T::Native) {
        if let Some(place) = self.values.get_mut(row) {
            *place = value;
        }
    }

    pub(super) fn finish(&mut self, rows: usize, nulls: Option<NullBuffer>) -> PrimitiveArray<T> {
        let mut values = std::mem::take(&mut self.values);
        values.truncate(rows);
        PrimitiveArray::new(ScalarBuffer::from(values), nulls)
    }
}
