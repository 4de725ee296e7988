//! What a Parquet footer claims, held against what can be: the length of the file, and itself.
//!
//! Field ids are those of `parquet.thrift`: `FileMetaData { 2 schema, 3 num_rows, 4 row_groups }`,
//! `SchemaElement { 1 type, 4 name, 5 num_children }`,
//! `RowGroup { 1 columns, 3 num_rows }`, `ColumnChunk { 3 meta_data, 4 to 7 places of its indexes }`,
//! `ColumnMetaData { 7 total_compressed_size, 9 data_page_offset, 11 dictionary_page_offset, 14 and 15 bloom filter }`.

use arrow::datatypes::{DataType, Schema};

use super::thrift::{Visitor, walk};

/// How deep columns may lie in one another. The table's have four levels; readers follow them by recursion.
const MAX_SCHEMA_DEPTH: usize = 32;
/// Readers number row groups with 16 bits.
const MAX_ROW_GROUPS: usize = i16::MAX as usize;

const SCHEMA: i16 = 2;
const ROWS: i16 = 3;
const ROW_GROUPS: i16 = 4;
const COLUMNS: i16 = 1;
const CHUNK: i16 = 3;

/// What is left of a footer once it was found sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    /// Rows in the file: in the whole, and in its row groups together.
    pub(super) rows: u64,
    /// Its columns; what is inside of them is left out.
    columns: Vec<Column>,
}

/// One column, or one level of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Column {
    name: String,
    /// How its values are stored, by Parquet's number; none where it has parts.
    stored_as: Option<i64>,
    children: i64,
}

impl Claims {
    /// Reads the footer of a file of that length.
    ///
    /// # Errors
    /// What cannot be, in words that follow "a footer that".
    pub(super) fn read(footer: &[u8], file_bytes: u64) -> Result<Self, String> {
        let mut reading = Reading { file_bytes, ..Reading::default() };
        walk(footer, &mut reading)?;
        let rows = reading.rows.ok_or("does not count its rows")?;
        if i128::from(rows) != reading.group_rows {
            return Err(format!("counts {rows} rows, and {} in its row groups", reading.group_rows));
        }
        let columns = reading.columns;
        u64::try_from(rows).map(|rows| Self { rows, columns }).map_err(|_| format!("counts {rows} rows"))
    }

    /// Where its columns are not those of `schema`, in words that follow "a footer that". A reader would fill in what it
    /// does not find, and convert what it finds otherwise.
    pub(super) fn difference(&self, schema: &Schema) -> Option<String> {
        for (place, field) in schema.fields().iter().enumerate() {
            let Some(found) = self.columns.get(place).filter(|found| found.name == *field.name()) else {
                return Some(format!("has no column `{}` in its place", field.name()));
            };
            if !could_be(field.data_type(), found.stored_as) {
                return Some(format!("has a column `{}` of another type than the table's", field.name()));
            }
        }
        let more = self.columns.get(schema.fields().len())?;
        Some(format!("has a column `{}`, which the table does not", shown(&more.name)))
    }
}

/// Whether a column of a type could be stored like that, by Parquet's number of its own types; none is one in parts.
/// Types that the table does not have are let through.
fn could_be(data_type: &DataType, stored_as: Option<i64>) -> bool {
    match data_type {
        DataType::Int64 | DataType::Timestamp(..) => stored_as == Some(2),
        DataType::Float64 => stored_as == Some(5),
        DataType::Utf8 => stored_as == Some(6),
        DataType::Map(..) | DataType::List(_) | DataType::Struct(_) => stored_as.is_none(),
        _ => true,
    }
}

/// A name from a file, short enough for a message.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[derive(Default)]
struct Reading {
    file_bytes: u64,
    rows: Option<i64>,
    group_rows: i128,
    chunk: Chunk,
    /// Children that are still to come, one number for each open level of the schema.
    open: Vec<i64>,
    level: Column,
    columns: Vec<Column>,
}

/// The numbers of one column chunk.
#[derive(Default)]
struct Chunk {
    bytes: i64,
    data: Option<i64>,
    dictionary: Option<i64>,
    /// Offset and length of the offset index, the column index and the bloom filter.
    others: [(i64, i64); 3],
}

impl Visitor for Reading {
    fn integer(&mut self, path: &[i16], value: i64) -> Result<(), String> {
        match *path {
            [ROWS] => self.rows = Some(value),
            [ROW_GROUPS, ROWS] if value < 0 => return Err(format!("has a row group of {value} rows")),
            [ROW_GROUPS, ROWS] => self.group_rows += i128::from(value),
            [SCHEMA, 1] => self.level.stored_as = Some(value),
            [SCHEMA, 5] => self.level.children = value,
            [ROW_GROUPS, COLUMNS, 4] => self.chunk.others[0].0 = value,
            [ROW_GROUPS, COLUMNS, 5] => self.chunk.others[0].1 = value,
            [ROW_GROUPS, COLUMNS, 6] => self.chunk.others[1].0 = value,
            [ROW_GROUPS, COLUMNS, 7] => self.chunk.others[1].1 = value,
            [ROW_GROUPS, COLUMNS, CHUNK, 14] => self.chunk.others[2].0 = value,
            [ROW_GROUPS, COLUMNS, CHUNK, 15] => self.chunk.others[2].1 = value,
            [ROW_GROUPS, COLUMNS, CHUNK, 7] => self.chunk.bytes = value,
            [ROW_GROUPS, COLUMNS, CHUNK, 9] => self.chunk.data = Some(value),
            [ROW_GROUPS, COLUMNS, CHUNK, 11] => self.chunk.dictionary = Some(value),
            _ => {}
        }
        Ok(())
    }

    fn binary(&mut self, path: &[i16], value: &[u8]) -> Result<(), String> {
        if *path == [SCHEMA, 4] {
            self.level.name = String::from_utf8_lossy(value).into_owned();
        }
        Ok(())
    }

    fn list(&mut self, path: &[i16], size: usize) -> Result<(), String> {
        if *path == [ROW_GROUPS] && size > MAX_ROW_GROUPS {
            return Err(format!("claims {size} row groups"));
        }
        Ok(())
    }

    fn end(&mut self, path: &[i16]) -> Result<(), String> {
        match *path {
            [ROW_GROUPS, COLUMNS] => std::mem::take(&mut self.chunk).check(self.file_bytes),
            [SCHEMA] => self.end_of_column(),
            _ => Ok(()),
        }
    }
}

impl Reading {
    /// The columns stand in a list, each followed by its children.
    fn end_of_column(&mut self) -> Result<(), String> {
        if let Some(to_come) = self.open.last_mut() {
            *to_come -= 1;
        }
        let level = std::mem::take(&mut self.level);
        let children = level.children;
        // Right below the root.
        if self.open.len() == 1 {
            self.columns.push(level);
        }
        if children > 0 {
            self.open.push(children);
        }
        while self.open.last() == Some(&0) {
            self.open.pop();
        }
        if self.open.len() > MAX_SCHEMA_DEPTH {
            Err("has columns nested too deeply".to_owned())
        } else {
            Ok(())
        }
    }
}

impl Chunk {
    fn check(&self, file_bytes: u64) -> Result<(), String> {
        // A writer that makes no dictionary may write 0 for its place.
        let begin = match (self.data, self.dictionary) {
            (Some(data), Some(dictionary)) if dictionary > 0 => data.min(dictionary),
            (Some(data), _) => data,
            // Without any metadata of the chunk the readers have nothing to believe.
            (None, _) => return Ok(()),
        };
        for (offset, bytes) in [(begin, self.bytes)].into_iter().chain(self.others) {
            let end = i128::from(offset) + i128::from(bytes);
            if offset < 0 || bytes < 0 || end > i128::from(file_bytes) {
                return Err(format!("places {bytes} bytes at byte {offset} of {file_bytes}"));
            }
        }
        Ok(())
    }
}
