//! A large piece as one gzip member of blocks that are compressed apart, side by side.
//!
//! A block is deflated from nothing and ends in a sync flush, which brings it to a whole byte, so blocks stand one behind
//! another in one deflate stream; an empty last block ends it. The member's CRC is combined from those of the blocks.
//! What is not written yet is bounded: two compressed blocks a thread.

use std::io::{self, Write};
use std::ops::Range;

use flate2::{Compress, Compression, Crc, FlushCompress};
use rayon::prelude::*;

use super::super::Population;
use super::{append, block_lines, blocks};

/// A member's header: gzip, deflate, no flags, no date, fastest level, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];

/// An empty deflate block with the mark of the last one.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// Bytes by which the output buffer grows at least.
const ROOM: usize = 64 * 1024;

/// One block, compressed.
struct Deflated {
    /// How many endpoints are in it.
    endpoints: u64,
    bytes: Vec<u8>,
    crc: Crc,
}

/// What one thread keeps between blocks.
struct BlockWriter {
    deflate: Compress,
    lines: Vec<u8>,
}

impl BlockWriter {
    fn new() -> Self {
        Self { deflate: Compress::new(Compression::fast(), false), lines: Vec::new() }
    }

    fn compress(
        &mut self,
        population: &Population,
        piece: &Range<u64>,
        block: Range<u64>,
    ) -> io::Result<Deflated> {
        let endpoints = block.end - block.start;
        self.lines.clear();
        append(population, piece, block, &mut self.lines);
        let mut crc = Crc::new();
        crc.update(&self.lines);
        self.deflate.reset();
        let mut bytes = Vec::with_capacity(self.lines.len() / 4 + ROOM);
        // The flush is complete once there is room to spare behind it.
        while self.deflate.total_in() < self.lines.len() as u64 || bytes.len() == bytes.capacity() {
            bytes.reserve(ROOM);
            let done = usize::try_from(self.deflate.total_in()).map_err(io::Error::other)?;
            self.deflate.compress_vec(&self.lines[done..], &mut bytes, FlushCompress::Sync)?;
        }
        Ok(Deflated { endpoints, bytes, crc })
    }
}

/// Writes a piece on all threads of the current pool.
pub(super) fn write(
    population: &Population,
    piece: &Range<u64>,
    output: &mut impl Write,
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<()> {
    let at_once = rayon::current_num_threads() * 2;
    let ahead = block_lines(population).saturating_mul(at_once as u64);
    let mut crc = Crc::new();
    output.write_all(&HEADER)?;
    let mut start = piece.start;
    while start < piece.end {
        let end = piece.end.min(start.saturating_add(ahead));
        let group: Vec<Range<u64>> = blocks(population, start..end).collect();
        let deflated: Vec<Deflated> = group
            .into_par_iter()
            .map_init(BlockWriter::new, |writer, block| writer.compress(population, piece, block))
            .collect::<io::Result<_>>()?;
        for block in deflated {
            output.write_all(&block.bytes)?;
            crc.combine(&block.crc);
            progress(block.endpoints);
        }
        start = end;
    }
    output.write_all(&LAST_BLOCK)?;
    output.write_all(&crc.sum().to_le_bytes())?;
    output.write_all(&crc.amount().to_le_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::super::PopulationOptions;
    use super::super::compress;
    use super::*;

    #[test]
    fn a_piece_of_blocks_is_one_member_with_the_lines_of_one_made_in_memory() -> io::Result<()> {
        let population =
            Population::new(PopulationOptions { endpoints: 50_000, ..PopulationOptions::default() });
        // More than a group of blocks on one thread, and an end inside a block.
        let range = 10..40_123;
        let mut expected = Vec::new();
        flate2::read::GzDecoder::new(compress(&population, range.clone()).as_slice())
            .read_to_end(&mut expected)?;
        let mut pieces = Vec::new();
        for threads in [1, 3] {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)?;
            let mut piece = Vec::new();
            pool.install(|| write(&population, &range, &mut piece, &|_| {}))?;
            pieces.push(piece);
        }
        assert!(pieces[0] == pieces[1]);
        let mut decoder = flate2::bufread::GzDecoder::new(pieces[0].as_slice());
        let mut text = Vec::new();
        decoder.read_to_end(&mut text)?;
        assert!(text == expected);
        // Nothing follows the first member.
        assert!(decoder.into_inner().is_empty());
        Ok(())
    }
}
