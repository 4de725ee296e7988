//! Columns being filled, one file per kind, and the batch they become.
//!
//! Every column has room for as many rows as its lines can make and is told the row of each value, so an absent member
//! costs nothing: which rows hold a value is one word a row, kept for all columns together. Every column can forget the
//! row being filled, which is how the decoder takes a half-filled row away when a line turns out to be odd.

mod dictionary;
mod label;
mod lists;
mod presence;
mod primitive;
mod text;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Float64Type, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;

pub(crate) use label::LabelColumn;
pub(crate) use lists::{NumbersColumn, TextListsColumn};
pub(crate) use presence::ColumnSet;
pub(crate) use primitive::PrimitiveColumn;
pub(crate) use text::TextColumn;

use crate::schema::{COLUMNS, Column, ColumnKind, EXTRA};
use crate::selection::ColumnSelection;
use presence::Presence;

/// The positions of what is known of every row.
const PIECE: usize = EXTRA + 1;
const LINE: usize = EXTRA + 2;

/// A column of any kind that a member fills.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are 28 of them, each written to for every endpoint: no box between"
)]
pub(crate) enum ColumnBuilder {
    Text(TextColumn),
    Label(LabelColumn),
    Instant(PrimitiveColumn<TimestampMicrosecondType>),
    Number(PrimitiveColumn<Float64Type>),
    TextLists(TextListsColumn),
    Numbers(NumbersColumn),
    /// Nobody wants it, so nothing is ever put in.
    PassedOver,
}

impl ColumnBuilder {
    fn new(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Text => Self::Text(TextColumn::default()),
            ColumnKind::Label => Self::Label(LabelColumn::new()),
            ColumnKind::Instant => Self::Instant(PrimitiveColumn::new()),
            ColumnKind::Number => Self::Number(PrimitiveColumn::new()),
            ColumnKind::TextLists => Self::TextLists(TextListsColumn::new()),
            ColumnKind::Numbers => Self::Numbers(NumbersColumn::new()),
            ColumnKind::Derived => Self::PassedOver,
        }
    }

    fn begin(&mut self, rows: usize) {
        match self {
            Self::Text(column) => column.begin(rows),
            Self::Label(column) => column.begin(rows),
            Self::Instant(column) => column.begin(rows),
            Self::Number(column) => column.begin(rows),
            Self::TextLists(column) => column.begin(rows),
            Self::Numbers(column) => column.begin(rows),
            Self::PassedOver => {}
        }
    }

    fn abandon(&mut self, row: usize) {
        match self {
            Self::Text(column) => column.abandon(row),
            // What stands in a row without a value means nothing.
            Self::Label(_) | Self::Instant(_) | Self::Number(_) | Self::PassedOver => {}
            Self::TextLists(column) => column.abandon(row),
            Self::Numbers(column) => column.abandon(row),
        }
    }

    /// `None` for a column that is passed over.
    fn finish(&mut self, rows: usize, nulls: Option<NullBuffer>) -> Result<Option<ArrayRef>, ArrowError> {
        Ok(Some(match self {
            Self::Text(column) => Arc::new(column.finish(rows, nulls)?),
            Self::Label(column) => column.finish(rows, nulls)?,
            Self::Instant(column) => Arc::new(column.finish(rows, nulls).with_timezone("UTC")),
            Self::Number(column) => Arc::new(column.finish(rows, nulls)),
            Self::TextLists(column) => Arc::new(column.finish(rows, nulls)?),
            Self::Numbers(column) => Arc::new(column.finish(rows, nulls)?),
            Self::PassedOver => return Ok(None),
        }))
    }
}

/// The columns of a batch being filled, row by row.
#[derive(Debug)]
pub(crate) struct Columns {
    /// Those that members fill, at their positions in [`COLUMNS`].
    members: Vec<ColumnBuilder>,
    extra: TextColumn,
    lines: Vec<i64>,
    presence: Presence,
    /// The columns that the row being filled has a value for.
    open: ColumnSet,
    selection: ColumnSelection,
    /// The members that nobody wants, as a selection tells them.
    passed_over: u64,
    /// The schema of a batch.
    schema: SchemaRef,
}

impl Columns {
    /// Columns of which those of `selection` come into batches, and no other is filled.
    pub(crate) fn new(selection: ColumnSelection) -> Self {
        let members = COLUMNS[..EXTRA].iter().enumerate().map(|(position, column)| {
            if selection.reads(position) { ColumnBuilder::new(column) } else { ColumnBuilder::PassedOver }
        });
        Self {
            members: members.collect(),
            extra: TextColumn::default(),
            lines: Vec::new(),
            presence: Presence::default(),
            open: 0,
            selection,
            passed_over: selection.passed_over(),
            schema: selection.schema(),
        }
    }

    /// Which columns are wanted.
    #[inline]
    pub(crate) fn selection(&self) -> ColumnSelection {
        self.selection
    }

    /// The members that nobody wants: a bit for each column and each object.
    #[inline]
    pub(crate) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Begins a batch of at most `rows` rows.
    pub(crate) fn begin(&mut self, rows: usize) {
        for column in &mut self.members {
            column.begin(rows);
        }
        self.extra.begin(rows);
        self.lines.clear();
        self.lines.reserve(rows);
    }

    /// The row being filled, from 0.
    #[inline]
    pub(crate) fn row(&self) -> usize {
        self.lines.len()
    }

    /// The column at a position of [`COLUMNS`] that a member leads to.
    #[inline]
    pub(crate) fn member(&mut self, position: usize) -> &mut ColumnBuilder {
        &mut self.members[position]
    }

    /// Says that the row being filled has a value in the column at this position.
    #[inline]
    pub(crate) fn mark(&mut self, position: usize) {
        self.open |= 1 << position;
    }

    /// Gives the row being filled its `extra`.
    pub(crate) fn push_extra(&mut self, object: &[u8]) {
        self.extra.push(self.lines.len(), object, 0, object.len());
        self.mark(EXTRA);
    }

    /// Closes the row being filled: what was given no value is null.
    #[inline]
    pub(crate) fn finish_row(&mut self, line: u64) {
        self.presence.push(std::mem::take(&mut self.open));
        self.lines.push(i64::try_from(line).unwrap_or(i64::MAX));
    }

    /// Takes away what the row being filled holds so far.
    pub(crate) fn abandon_row(&mut self) {
        let row = self.row();
        for column in &mut self.members {
            column.abandon(row);
        }
        self.extra.abandon(row);
        self.open = 0;
    }

    /// The finished rows as a batch of the selected columns, all of `piece`; the columns are empty afterwards.
    pub(crate) fn finish(&mut self, piece: &str) -> Result<RecordBatch, ArrowError> {
        let rows = self.row();
        let mut nulls = self.presence.finish(EXTRA + 1).into_iter();
        let mut arrays = Vec::with_capacity(COLUMNS.len());
        for (position, (column, nulls)) in self.members.iter_mut().zip(&mut nulls).enumerate() {
            // One that is read for the sake of `extra` alone must be emptied like the others.
            let array = column.finish(rows, nulls)?;
            arrays.extend(array.filter(|_| self.selection.contains(position)));
        }
        if self.selection.contains(EXTRA) {
            arrays.push(Arc::new(self.extra.finish(rows, nulls.next().flatten())?));
        }
        if self.selection.contains(PIECE) {
            let pieces = StringArray::from(vec![piece]);
            arrays.push(Arc::new(DictionaryArray::new(Int32Array::from(vec![0; rows]), Arc::new(pieces))));
        }
        let lines = std::mem::take(&mut self.lines);
        if self.selection.contains(LINE) {
            arrays.push(Arc::new(Int64Array::from(lines)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}
