//! The pages of one column in the row group in progress: compressed as they come, written when the group is full.

use std::io::Write;

use parquet::basic::{Compression as ParquetCodec, Encoding};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::codec::Codec;
use super::limits::{KEPT_BYTES, empty};
use super::page::{PageHeader, signed};
use crate::writer::properties::Compression;

/// A codec has to save a fiftieth, or pages are stored as they are. Snappy finds nothing in ids, which are random
/// hexadecimal digits and a quarter of the file: both sides would copy them for nothing (2026-11-24).
const WORTHWHILE_PERCENT: usize = 98;

/// What all columns of a file share: the codec, and the page that is being made.
pub(super) struct Scratch {
    pub(super) codec: Codec,
    pub(super) page: Vec<u8>,
}

impl Scratch {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        Ok(Self { codec: Codec::new(compression)?, page: Vec::new() })
    }
}

/// The data pages and the dictionary page of one column chunk.
pub(super) struct ChunkPages {
    descriptor: ColumnDescPtr,
    /// The data pages with their headers, in `..used`. What lies behind is room that needs no zeroing again.
    data: Vec<u8>,
    used: usize,
    /// The dictionary page with its header.
    dictionary: Vec<u8>,
    /// The header of the page that is being appended.
    header: Vec<u8>,
    raw_bytes: usize,
    values: usize,
    encodings: Vec<Encoding>,
    /// Whether pages go through the codec: decided by the first page of the chunk, as all pages of a chunk must agree.
    compressed: Option<bool>,
    /// The chunk before had a dictionary worth compressing, even if the pages of indices were not.
    dictionary_pays: bool,
}

impl ChunkPages {
    pub(super) fn new(descriptor: ColumnDescPtr) -> Self {
        Self {
            descriptor,
            data: Vec::new(),
            used: 0,
            dictionary: Vec::new(),
            header: Vec::new(),
            raw_bytes: 0,
            values: 0,
            encodings: Vec::new(),
            compressed: None,
            dictionary_pays: false,
        }
    }

    /// Appends the data page in `scratch`.
    pub(super) fn add_data(
        &mut self,
        scratch: &mut Scratch,
        values: usize,
        encoding: Encoding,
    ) -> Result<()> {
        let Scratch { codec, page } = scratch;
        i32::try_from(page.len()).map_err(|_| too_large(page.len()))?;
        // The header holds the compressed length, and is not known to be of some length before.
        let room = self.used + HEADER_ROOM + codec.bound(page.len()).max(page.len());
        if self.data.len() < room {
            // Zeroing costs, so the buffer grows in few steps and never shrinks.
            self.data.resize(room.max(self.data.len() * 3 / 2), 0);
        }
        let body = self.used + HEADER_ROOM;
        if matches!(codec, Codec::None) {
            self.compressed = Some(false);
        }
        let mut stored_bytes = page.len();
        if self.compressed != Some(false) {
            stored_bytes = codec.compress(page, &mut self.data[body..])?;
            let pays = stored_bytes * 100 <= page.len() * WORTHWHILE_PERCENT;
            let by_dictionary = encoding == Encoding::RLE_DICTIONARY && self.dictionary_pays;
            self.compressed.get_or_insert(pays || by_dictionary);
        }
        let compressed = self.compressed == Some(true);
        if !compressed {
            stored_bytes = page.len();
        }
        self.header.clear();
        let header = PageHeader { raw_bytes: page.len(), stored_bytes, values };
        header.write_data(encoding, &mut self.header)?;
        let start = self.used + self.header.len();
        self.data[self.used..start].copy_from_slice(&self.header);
        if compressed {
            self.data.copy_within(body..body + stored_bytes, start);
        } else {
            self.data[start..start + stored_bytes].copy_from_slice(page);
        }
        self.used = start + stored_bytes;
        if self.data.len() - self.used > KEPT_BYTES {
            // The room of one long text, of which the codec has left little.
            self.data.truncate(self.used);
            self.data.shrink_to_fit();
        }
        self.raw_bytes += self.header.len() + page.len();
        self.values += values;
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
        Ok(())
    }

    /// Sets the dictionary page, whose values lie in `plain`. Behind the data pages: only then is it complete.
    pub(super) fn set_dictionary(&mut self, plain: &[u8], entries: usize, codec: &mut Codec) -> Result<()> {
        i32::try_from(plain.len()).map_err(|_| too_large(plain.len()))?;
        let data_bytes = self.raw_bytes;
        let mut body = vec![0; codec.bound(plain.len())];
        let mut stored_bytes = codec.compress(plain, &mut body)?;
        self.dictionary_pays = plain.len() - stored_bytes.min(plain.len()) > (data_bytes + plain.len()) / 20;
        let mut body = &body[..stored_bytes];
        if self.compressed != Some(true) {
            stored_bytes = plain.len();
            body = plain;
        }
        self.dictionary.clear();
        let header = PageHeader { raw_bytes: plain.len(), stored_bytes, values: entries };
        header.write_dictionary(&mut self.dictionary)?;
        self.raw_bytes += self.dictionary.len() + plain.len();
        self.dictionary.extend_from_slice(body);
        Ok(())
    }

    /// Bytes of pages that wait for the row group's end.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.used
    }

    /// Writes the chunk to `file`, whose length is `offset`, and begins anew.
    pub(super) fn finish(
        &mut self,
        codec: &Codec,
        statistics: Option<Statistics>,
        file: &mut impl Write,
        offset: u64,
    ) -> Result<ColumnChunkMetaData> {
        file.write_all(&self.dictionary)?;
        file.write_all(&self.data[..self.used])?;
        let offset = signed(offset)?;
        let dictionary_bytes = signed(self.dictionary.len())?;
        let mut encodings = std::mem::take(&mut self.encodings);
        encodings.push(Encoding::RLE);
        if dictionary_bytes > 0 {
            encodings.push(Encoding::PLAIN);
        }
        let compressed = self.compressed == Some(true);
        let mut metadata = ColumnChunkMetaData::builder(self.descriptor.clone())
            .set_compression(if compressed { codec.name() } else { ParquetCodec::UNCOMPRESSED })
            .set_encodings(encodings)
            .set_num_values(signed(self.values)?)
            .set_total_uncompressed_size(signed(self.raw_bytes)?)
            .set_total_compressed_size(dictionary_bytes + signed(self.used)?)
            .set_dictionary_page_offset((dictionary_bytes > 0).then_some(offset))
            .set_data_page_offset(offset + dictionary_bytes);
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
        }
        empty(&mut self.dictionary);
        if self.data.len() > KEPT_BYTES {
            self.data = Vec::new();
        }
        (self.used, self.raw_bytes, self.values, self.compressed) = (0, 0, 0, None);
        metadata.build()
    }
}

/// More than any page header takes: seven integers of at most five bytes, with their field ids, and four bytes of structs.
const HEADER_ROOM: usize = 48;

fn too_large(bytes: usize) -> ParquetError {
    ParquetError::General(format!("a page of {bytes} bytes is larger than Parquet allows"))
}
