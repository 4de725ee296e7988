//! Rows on a sheet: a header that stays in sight and filters, typed cells below it, columns as wide as what is in them.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use arrow::error::ArrowError;
use rust_xlsxwriter::{IgnoreError, Worksheet, XlsxError};

use super::super::{Format, RenderError};
use super::cells::{Cells, Value, fitting, text_width, without_dictionary};
use super::styles::Styles;
use super::{count, failed};

/// Rows of a sheet, those above the table among them.
const SHEET_ROWS: u32 = 1_048_576;
/// Bounds of a column's width, in digits.
const NARROWEST: usize = 7;
const WIDEST: usize = 60;
/// What the button of the filter covers of a header.
const BUTTON: usize = 3;

/// A table that is being written.
pub(super) struct Table {
    fields: Vec<FieldRef>,
    header_row: u32,
    next_row: u32,
    /// The first row that it must not use.
    pub(super) end_row: u32,
    widths: Vec<usize>,
    left_out: usize,
}

impl Table {
    /// Writes the header.
    pub(super) fn begin(
        sheet: &mut Worksheet,
        schema: &SchemaRef,
        header_row: u32,
        styles: &Styles,
    ) -> Result<Self, XlsxError> {
        let fields = schema.fields().to_vec();
        let mut widths = Vec::with_capacity(fields.len());
        for (place, field) in fields.iter().enumerate() {
            let style = if stands_right(field.data_type()) { &styles.header_right } else { &styles.header };
            sheet.write_string_with_format(header_row, column(place)?, &*fitting(field.name()), style)?;
            widths.push(text_width(field.name()) + BUTTON);
        }
        Ok(Self { fields, header_row, next_row: header_row + 1, end_row: SHEET_ROWS, widths, left_out: 0 })
    }

    /// Whether another row finds a place.
    pub(super) fn has_room(&self) -> bool {
        self.next_row < self.end_row
    }

    /// Writes the rows of a batch, as many as there is room for, and counts the rest.
    pub(super) fn write(
        &mut self,
        sheet: &mut Worksheet,
        batch: &RecordBatch,
        styles: &Styles,
    ) -> Result<(), RenderError> {
        let room = (self.end_row - self.next_row) as usize;
        let rows = batch.num_rows().min(room);
        self.left_out += batch.num_rows() - rows;
        if rows == 0 {
            return Ok(());
        }
        let arrays: Vec<ArrayRef> =
            batch.columns().iter().map(without_dictionary).collect::<Result<_, _>>().map_err(no_value)?;
        for (place, (field, array)) in self.fields.iter().zip(&arrays).enumerate() {
            let cells = Cells::of(field, array).map_err(no_value)?;
            let at_column = column(place).map_err(failed)?;
            let width = &mut self.widths[place];
            for (at_row, row) in (self.next_row..).zip(0..rows) {
                let value =
                    if array.is_null(row) { Value::Nothing } else { cells.value(row).map_err(no_value)? };
                value.write(sheet, (at_row, at_column), styles).map_err(failed)?;
                *width = value.width().max(*width);
            }
        }
        self.next_row += u32::try_from(rows).unwrap_or(u32::MAX);
        Ok(())
    }

    /// Sets what can only be set when the last row is known: the filter and the widths.
    pub(super) fn end(&self, sheet: &mut Worksheet, styles: &Styles) -> Result<(), XlsxError> {
        for place in 0..self.fields.len() {
            sheet.set_column_width(column(place)?, self.width(place) as f64 + 2.0)?;
        }
        sheet.set_freeze_panes(self.header_row + 1, 0)?;
        let Some(last_column) = self.fields.len().checked_sub(1) else { return Ok(()) };
        let last_column = column(last_column)?;
        if self.rows() == 0 {
            sheet.write_string_with_format(self.header_row + 1, 0, "no rows", &styles.dim)?;
            return Ok(());
        }
        let last_row = self.next_row - 1;
        sheet.autofilter(self.header_row, 0, last_row, last_column)?;
        // Telephone numbers are text that looks like numbers, and mean to be.
        sheet.ignore_error_range(
            self.header_row + 1,
            0,
            last_row,
            last_column,
            IgnoreError::NumberStoredAsText,
        )?;
        Ok(())
    }

    /// A column's width in digits.
    pub(super) fn width(&self, place: usize) -> usize {
        self.widths.get(place).map_or(9, |width| (*width).clamp(NARROWEST, WIDEST))
    }

    /// Rows that were written.
    pub(super) fn rows(&self) -> usize {
        (self.next_row - self.header_row - 1) as usize
    }

    /// What is to be said where rows were left out.
    pub(super) fn cut_note(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            let (shown, total) = (count(self.rows()), count(self.rows() + self.left_out));
            format!(
                "The first {shown} of {total} rows: a sheet has no room for more. CSV and Parquet hold all."
            )
        })
    }
}

/// A column's place as the workbook counts it.
pub(super) fn column(place: usize) -> Result<u16, XlsxError> {
    u16::try_from(place).map_err(|_| XlsxError::RowColumnLimitError)
}

fn stands_right(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_temporal()
}

fn no_value(error: ArrowError) -> RenderError {
    RenderError::arrow(Format::Xlsx, error)
}
