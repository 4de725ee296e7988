//! Which columns of the table are wanted.
//!
//! A selection changes what is built, never what a line is: a line is a row or a reject whatever is selected, and the values
//! of a selected column are those that it has when all are.

use std::sync::Arc;

use arrow::datatypes::{Fields, Schema, SchemaRef};

use crate::schema::{COLUMNS, ColumnKind, EXTRA, OBJECTS, Parent, endpoint_schema};

/// The bits of objects stand above those of the columns.
pub(crate) const OBJECT_BITS: u32 = 48;

/// A set of columns, by their positions in [`endpoint_schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnSelection(u32);

impl ColumnSelection {
    /// Every column.
    pub const ALL: Self = Self((1 << COLUMNS.len()) - 1);

    /// The columns at these positions of [`endpoint_schema`]. Positions beyond its end are no columns.
    #[must_use]
    pub fn of(positions: impl IntoIterator<Item = usize>) -> Self {
        let known = positions.into_iter().filter(|&position| position < COLUMNS.len());
        Self(known.fold(0, |set, position| set | 1 << position))
    }

    /// Whether the column at a position is selected.
    #[must_use]
    pub const fn contains(self, position: usize) -> bool {
        position < COLUMNS.len() && self.0 >> position & 1 == 1
    }

    /// The schema of a batch of the selected columns, in the order of the table.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        let schema = endpoint_schema();
        if self == Self::ALL {
            return schema;
        }
        let fields = schema.fields().iter().enumerate().filter(|(position, _)| self.contains(*position));
        Arc::new(Schema::new(fields.map(|(_, field)| Arc::clone(field)).collect::<Fields>()))
    }

    /// Whether every member must be read. `extra` holds whatever fits no column, so it cannot be told from a part of a line.
    pub(crate) const fn reads_all(self) -> bool {
        self.contains(EXTRA)
    }

    /// Whether the member of the column at a position must be read.
    pub(crate) const fn reads(self, position: usize) -> bool {
        self.reads_all() || self.contains(position)
    }

    /// The members that are passed over, a bit for each column and, from [`OBJECT_BITS`] on, for each object of which no
    /// column is read.
    pub(crate) fn passed_over(self) -> u64 {
        let members = || COLUMNS.iter().enumerate().filter(|(_, column)| column.kind != ColumnKind::Derived);
        let columns = members().filter(|(position, _)| !self.reads(*position));
        let objects = OBJECTS.iter().filter(|object| {
            !members().any(|(position, column)| column.parent == **object && self.reads(position))
        });
        columns.fold(0, |set, (position, _)| set | 1 << position)
            | objects.fold(0, |set, object: &Parent| set | 1 << (OBJECT_BITS + *object as u32))
    }
}

impl Default for ColumnSelection {
    fn default() -> Self {
        Self::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(name: &str) -> usize {
        endpoint_schema().index_of(name).unwrap()
    }

    #[test]
    fn a_selection_has_the_schema_of_its_columns_in_the_order_of_the_table() {
        let selection = ColumnSelection::of([position("line"), position("city"), 99]);
        let names: Vec<String> =
            selection.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["city", "line"]);
        assert_eq!(ColumnSelection::of(0..COLUMNS.len()), ColumnSelection::ALL);
        assert!(!ColumnSelection::ALL.contains(COLUMNS.len()));
    }

    #[test]
    fn an_object_is_passed_over_when_none_of_its_columns_is_wanted() {
        let bit = |object: Parent| 1u64 << (OBJECT_BITS + object as u32);
        let passed_over = ColumnSelection::of([position("city")]).passed_over();
        assert_eq!(passed_over & bit(Parent::Location), 0);
        assert_ne!(passed_over & bit(Parent::User), 0);
        assert_eq!(passed_over >> position("city") & 1, 0);
        assert_eq!(passed_over >> position("id") & 1, 1);
        assert_eq!(ColumnSelection::ALL.passed_over(), 0);
        assert_eq!(ColumnSelection::of([EXTRA]).passed_over(), 0);
    }
}
