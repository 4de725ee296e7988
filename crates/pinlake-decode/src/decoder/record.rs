//! The fast path: a line of the usual form, read once, straight into the columns.

use super::cursor::{Cursor, Odd, StringBody};
use crate::columns::{ColumnBuilder, Columns, NumbersColumn, TextListsColumn};
use crate::json::date;
use crate::json::number;
use crate::json::text::unescape;
use crate::schema::{Parent, Target, target};

/// Fills the open row of `columns` from `line`, which must be UTF-8. On `Odd` the row holds a part of it.
pub(super) fn read(line: &[u8], columns: &mut Columns) -> Result<(), Odd> {
    let mut record = Record { cursor: Cursor::new(line), columns, seen: 0 };
    record.object(Parent::Endpoint)?;
    record.cursor.expect_end()
}

struct Record<'a, 'c> {
    cursor: Cursor<'a>,
    columns: &'c mut Columns,
    /// A bit per column and per object met: a repeated member is odd.
    seen: u64,
}

/// The bits of `seen` above those of the columns.
const OBJECT_BITS: u32 = 48;

impl Record<'_, '_> {
    fn object(&mut self, parent: Parent) -> Result<(), Odd> {
        self.cursor.expect(b'{')?;
        if self.cursor.take(b'}')? {
            return Ok(());
        }
        loop {
            let name = self.cursor.name()?;
            match target(parent, name).ok_or(Odd)? {
                Target::Column(position) => {
                    self.mark(1 << position)?;
                    self.value(position)?;
                }
                Target::Object(inner) => {
                    self.mark(1 << (OBJECT_BITS + inner as u32))?;
                    self.object(inner)?;
                }
            }
            if !self.cursor.another(b'}')? {
                return Ok(());
            }
        }
    }

    #[inline]
    fn mark(&mut self, bit: u64) -> Result<(), Odd> {
        if self.seen & bit != 0 {
            return Err(Odd);
        }
        self.seen |= bit;
        Ok(())
    }

    #[inline]
    fn value(&mut self, position: usize) -> Result<(), Odd> {
        let row = self.columns.row();
        match self.columns.member(position) {
            ColumnBuilder::Text(column) => {
                let body = self.cursor.string()?;
                if body.has_escapes {
                    column.push_with(row, |out| append(body, out))
                } else {
                    column.push(row, body.raw);
                    Ok(())
                }
            }
            ColumnBuilder::Label(column) => {
                let body = self.cursor.string()?;
                if body.has_escapes {
                    column.push_with(row, |out| append(body, out))
                } else {
                    column.push(row, body.raw);
                    Ok(())
                }
            }
            ColumnBuilder::Instant(column) => {
                let text = self.cursor.string()?.plain()?;
                column.push(row, date::to_micros(text).ok_or(Odd)?);
                Ok(())
            }
            ColumnBuilder::Number(column) => {
                let raw = self.cursor.number()?;
                column.push(row, number::to_double(raw).ok_or(Odd)?);
                Ok(())
            }
            ColumnBuilder::TextLists(column) => text_lists(&mut self.cursor, column, row),
            ColumnBuilder::Numbers(column) => numbers(&mut self.cursor, column, row),
        }
    }
}

fn append(body: StringBody<'_>, out: &mut Vec<u8>) -> Result<(), Odd> {
    unescape(body.raw, out).map_err(|_| Odd)
}

fn text_lists(cursor: &mut Cursor<'_>, column: &mut TextListsColumn, row: usize) -> Result<(), Odd> {
    column.start_row(row);
    cursor.expect(b'{')?;
    let mut more = !cursor.take(b'}')?;
    while more {
        if !column.push_key(cursor.name()?) {
            return Err(Odd);
        }
        cursor.expect(b'[')?;
        let mut more_items = !cursor.take(b']')?;
        while more_items {
            let body = cursor.string()?;
            if body.has_escapes {
                column.push_item_with(|out| append(body, out))?;
            } else {
                column.push_item(body.raw);
            }
            more_items = cursor.another(b']')?;
        }
        column.finish_list();
        more = cursor.another(b'}')?;
    }
    column.finish_row(row);
    Ok(())
}

fn numbers(cursor: &mut Cursor<'_>, column: &mut NumbersColumn, row: usize) -> Result<(), Odd> {
    column.start_row(row);
    cursor.expect(b'{')?;
    let mut more = !cursor.take(b'}')?;
    while more {
        let name = cursor.name()?;
        let value = number::to_double(cursor.number()?).ok_or(Odd)?;
        if !column.push(name, value) {
            return Err(Odd);
        }
        more = cursor.another(b'}')?;
    }
    column.finish_row(row);
    Ok(())
}
