//! Values of fixed width: instants and doubles.

use arrow::array::{ArrowPrimitiveType, PrimitiveArray};
use arrow::buffer::ScalarBuffer;

use super::validity::Validity;

/// A column of fixed-width values.
#[derive(Debug)]
pub(crate) struct PrimitiveColumn<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    validity: Validity,
}

impl<T: ArrowPrimitiveType> PrimitiveColumn<T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), validity: Validity::default() }
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, value: T::Native) {
        self.values.resize(row, T::Native::default());
        self.values.push(value);
        self.validity.set(row);
    }

    pub(super) fn truncate(&mut self, row: usize) {
        if self.values.len() > row {
            self.values.truncate(row);
            self.validity.truncate(row);
        }
    }

    pub(super) fn finish(&mut self, rows: usize) -> PrimitiveArray<T> {
        self.values.resize(rows, T::Native::default());
        let room = Vec::with_capacity(rows);
        let values = std::mem::replace(&mut self.values, room);
        PrimitiveArray::new(ScalarBuffer::from(values), self.validity.finish(rows))
    }
}
