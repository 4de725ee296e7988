//! Page headers, in Thrift's compact protocol.
//!
//! The Parquet crate keeps its own behind a page type that owns a copy of the bytes. The headers of version 1 pages have
//! four to seven fields, so they are written here; the reader of the crate and those of other programs test them.

use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};

use super::bits::zigzag;

/// A field of a 32-bit integer whose id is the last one's plus one.
const NEXT_INTEGER: u8 = 0x15;
/// The field `data_page_header` (5) behind field 3, a struct.
const DATA_PAGE_HEADER: u8 = 0x2c;
/// The field `dictionary_page_header` (7) behind field 3, a struct.
const DICTIONARY_PAGE_HEADER: u8 = 0x4c;
/// The end of a struct.
const STOP: u8 = 0;

/// What a page header says of its page.
pub(super) struct PageHeader {
    /// Length of the page, not compressed.
    pub(super) raw_bytes: usize,
    /// Length of the page in the file.
    pub(super) stored_bytes: usize,
    /// Values of a data page, nulls included, or entries of a dictionary.
    pub(super) values: usize,
}

impl PageHeader {
    /// Appends the header of a data page whose levels are `RLE`.
    pub(super) fn write_data(&self, encoding: Encoding, out: &mut Vec<u8>) -> Result<()> {
        self.write_sizes(0, out)?;
        out.push(DATA_PAGE_HEADER);
        integers(&[signed(self.values)?, code(encoding), code(Encoding::RLE), code(Encoding::RLE)], out);
        out.extend([STOP, STOP]);
        Ok(())
    }

    /// Appends the header of a dictionary page in `PLAIN`.
    pub(super) fn write_dictionary(&self, out: &mut Vec<u8>) -> Result<()> {
        self.write_sizes(2, out)?;
        out.push(DICTIONARY_PAGE_HEADER);
        integers(&[signed(self.values)?, code(Encoding::PLAIN)], out);
        out.extend([STOP, STOP]);
        Ok(())
    }

    fn write_sizes(&self, page_type: i64, out: &mut Vec<u8>) -> Result<()> {
        integers(&[page_type, signed(self.raw_bytes)?, signed(self.stored_bytes)?], out);
        Ok(())
    }
}

fn integers(values: &[i64], out: &mut Vec<u8>) {
    for value in values {
        out.push(NEXT_INTEGER);
        zigzag(*value, out);
    }
}

fn code(encoding: Encoding) -> i64 {
    encoding as i64
}

/// A count as Thrift has it. Headers hold 32 bits; a page has passed that bound where it was made.
pub(super) fn signed(count: impl TryInto<i64>) -> Result<i64> {
    count.try_into().map_err(|_| ParquetError::General("a count does not fit 63 bits".to_owned()))
}
