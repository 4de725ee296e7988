//! The fast path: a line of the usual form, read once, straight into the columns.
//!
//! Members that nobody wants are passed over: their text is held against JSON's grammar and nothing is made of it. That they
//! are unwanted is decided once, when the decoder is made. They stand among the members already seen from a line's start, so
//! reading all columns asks no question more for it.

use super::cursor::{Cursor, Odd};
use crate::columns::{ColumnBuilder, Columns, NumbersColumn, TextListsColumn};
use crate::json::date;
use crate::json::text::{plain_end, unescape};
use crate::json::word::word_at;
use crate::schema::{Parent, Target, target_of_word};
use crate::selection::OBJECT_BITS;

/// Fills the open row of `columns` from the line at `cursor`, which ends at `end` and must be UTF-8; where the next line's
/// quotes begin in the index. On `Odd` the row holds a part of the line.
pub(super) fn read(cursor: Cursor<'_>, end: usize, columns: &mut Columns) -> Result<usize, Odd> {
    let row = columns.row();
    let mut record = Record { cursor, seen: columns.passed_over(), columns, row };
    record.object(Parent::Endpoint)?;
    record.cursor.expect_end(end)?;
    Ok(record.cursor.quote)
}

struct Record<'a, 'c> {
    cursor: Cursor<'a>,
    columns: &'c mut Columns,
    row: usize,
    /// A bit per column and per object met: a repeated member is odd. Those that nobody wants count as met from the start.
    seen: u64,
}

impl Record<'_, '_> {
    fn object(&mut self, parent: Parent) -> Result<(), Odd> {
        self.cursor.expect(b'{')?;
        if self.cursor.take(b'}')? {
            return Ok(());
        }
        loop {
            let (start, end) = self.cursor.name()?;
            let word = word_at(self.cursor.text, start, end - start);
            match target_of_word(parent, word, end - start) {
                Some(Target::Column(position)) => {
                    if self.is_new(1 << position) {
                        self.value(position)?;
                        self.columns.mark(position);
                    } else {
                        self.pass_over(1 << position)?;
                    }
                }
                Some(Target::Object(inner)) => {
                    let bit = 1 << (OBJECT_BITS + inner as u32);
                    if self.is_new(bit) {
                        self.object(inner)?;
                    } else {
                        self.pass_over(bit)?;
                    }
                }
                None => self.unknown()?,
            }
            if !self.cursor.another(b'}')? {
                return Ok(());
            }
        }
    }

    /// Whether a member is met for the first time, and wanted.
    #[inline]
    fn is_new(&mut self, bit: u64) -> bool {
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new
    }

    /// Takes the value of a member that nobody wants. One that is wanted was met before.
    #[inline(never)]
    fn pass_over(&mut self, bit: u64) -> Result<(), Odd> {
        if self.columns.passed_over() & bit == 0 { Err(Odd) } else { self.cursor.skip_value() }
    }

    /// Takes the value of a member without a column, unless it is wanted for `extra`.
    #[cold]
    fn unknown(&mut self) -> Result<(), Odd> {
        if self.columns.selection().reads_all() { Err(Odd) } else { self.cursor.skip_value() }
    }

    #[inline]
    fn value(&mut self, position: usize) -> Result<(), Odd> {
        let row = self.row;
        match self.columns.member(position) {
            ColumnBuilder::Text(column) => {
                let body = self.cursor.string()?;
                if body.has_escapes {
                    let raw = &self.cursor.text[body.start..body.end];
                    return column.push_with(row, |out| append(raw, out));
                }
                column.push(row, self.cursor.text, body.start, body.end);
            }
            ColumnBuilder::Label(column) => {
                let body = self.cursor.string()?;
                if body.has_escapes {
                    return column.push_escaped(row, (self.cursor.text, body.start, body.end), append);
                }
                column.push(row, self.cursor.text, body.start, body.end);
            }
            ColumnBuilder::Instant(column) => {
                let (start, end) = self.cursor.string()?.plain()?;
                column.push(row, date::to_micros(&self.cursor.text[start..end]).ok_or(Odd)?);
            }
            ColumnBuilder::Number(column) => column.push(row, self.cursor.number()?),
            ColumnBuilder::TextLists(column) => return text_lists(&mut self.cursor, column, row),
            ColumnBuilder::Numbers(column) => return numbers(&mut self.cursor, column, row),
            ColumnBuilder::PassedOver => return self.cursor.skip_value(),
        }
        Ok(())
    }
}

/// Appends what the body of a string means; odd where no string may hold it.
fn append(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Odd> {
    let mut at = plain_end(raw, 0);
    while let Some(byte) = raw.get(at) {
        if *byte != b'\\' {
            // A control character: the flag of the index does not tell it from an escape.
            return Err(Odd);
        }
        at = plain_end(raw, at + 2);
    }
    unescape(raw, out).map_err(|_| Odd)
}

fn text_lists(cursor: &mut Cursor<'_>, column: &mut TextListsColumn, row: usize) -> Result<(), Odd> {
    column.start_row(row);
    cursor.expect(b'{')?;
    let mut more = !cursor.take(b'}')?;
    while more {
        let (start, end) = cursor.name()?;
        if !column.push_name(cursor.text, start, end) {
            return Err(Odd);
        }
        cursor.expect(b'[')?;
        let mut more_items = !cursor.take(b']')?;
        while more_items {
            let body = cursor.string()?;
            if body.has_escapes {
                column.push_escaped_item((cursor.text, body.start, body.end), append)?;
            } else {
                column.push_item(cursor.text, body.start, body.end);
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
        let (start, end) = cursor.name()?;
        let value = cursor.number()?;
        if !column.push((cursor.text, start, end), value) {
            return Err(Odd);
        }
        more = cursor.another(b'}')?;
    }
    column.finish_row(row);
    Ok(())
}
