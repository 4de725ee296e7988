//! Blocks, and the cutting of a stream of bytes into them at line ends.

use std::sync::Arc;

use bytes::Bytes;

use super::buffers::BufferPool;
use super::{UnpackLimits, UnpackTotals};
use crate::csv::CsvRecords;
use crate::reject::OVERSIZED_RAW_BYTES;

/// Some whole lines of a piece, with their place in it.
#[derive(Clone, Debug)]
pub struct Block {
    /// Which block of its piece this is, from 0.
    pub index: u64,
    /// Number of its first line in the piece, from 1, blank lines counted.
    pub first_line: u64,
    /// Number of its lines, blank ones counted.
    pub lines: u64,
    /// Position of its first byte in the decompressed piece, from 0.
    pub offset: u64,
    /// The lines with their line ends; the piece's last line may lack one.
    pub bytes: Bytes,
    /// What the bytes are.
    pub kind: BlockKind,
}

/// What the bytes of a block are.
#[derive(Clone, Debug)]
pub enum BlockKind {
    /// Whole lines.
    Lines,
    /// Whole lines of CSV, and where the records in them are.
    Records(Arc<CsvRecords>),
    /// The beginning of a single line that is longer than the limit; the rest was passed over.
    Oversized {
        /// Length of the whole line without its line end.
        bytes: u64,
        /// The limit.
        limit: usize,
    },
}

/// Lines of a block at most. An export has some 1,500 in a mebibyte; a mebibyte of line feeds has a million, and each costs its place in every
/// column, or a reject of a hundred bytes.
const MAX_BLOCK_LINES: u64 = 32 * 1024;

/// More than any buffer offset of Arrow's 32 bits may have to hold.
pub(super) const MAX_LINE_BYTES: usize = 1 << 30;

/// Cuts a stream into blocks.
#[derive(Debug)]
pub(super) struct Cutter {
    block_bytes: usize,
    max_line_bytes: usize,
    buffers: BufferPool,
    /// Bytes not yet handed out: the first `filled` of `buffer`.
    buffer: Vec<u8>,
    filled: usize,
    /// How much of `buffer` was searched for a line end without success.
    searched: usize,
    /// While a line beyond the limit is passed over: how long it is so far.
    passing_over: Option<u64>,
    index: u64,
    next_line: u64,
    offset: u64,
}

impl Cutter {
    pub(super) fn new(limits: UnpackLimits, buffers: BufferPool) -> Self {
        Self {
            block_bytes: limits.block_bytes.max(1),
            max_line_bytes: limits.max_line_bytes.min(MAX_LINE_BYTES),
            buffers,
            buffer: Vec::new(),
            filled: 0,
            searched: 0,
            passing_over: None,
            index: 0,
            next_line: 1,
            offset: 0,
        }
    }

    /// Cuts a whole piece into slices of it.
    pub(super) fn push_whole(&mut self, piece: &Bytes, sink: &mut dyn FnMut(Block)) {
        let mut start = 0;
        while piece.len() - start > self.block_bytes {
            let Some(end) = memchr::memrchr(b'\n', &piece[start..start + self.block_bytes]) else {
                // A line longer than a block: the careful way knows what to do with it.
                self.push(&piece[start..], sink);
                return;
            };
            self.emit(&piece.slice(start..=start + end), sink);
            start += end + 1;
        }
        if start < piece.len() {
            self.emit(&piece.slice(start..), sink);
        }
    }

    /// Takes bytes by copying them.
    pub(super) fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Block)) {
        while !bytes.is_empty() {
            let room = self.room();
            let length = room.len().min(bytes.len());
            room[..length].copy_from_slice(&bytes[..length]);
            bytes = &bytes[length..];
            self.advance(length, sink);
        }
    }

    /// Where the next bytes of the stream may be put; never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.buffer.is_empty() {
            self.buffer = self.buffers.take(self.block_bytes);
        }
        &mut self.buffer[self.filled..]
    }

    /// Says that `length` bytes were put into the room; cuts blocks where it is full.
    pub(super) fn advance(&mut self, length: usize, sink: &mut dyn FnMut(Block)) {
        self.filled += length;
        if self.passing_over.is_some() {
            self.pass_over(sink);
        } else if self.filled == self.buffer.len() {
            self.cut(sink);
        }
    }

    /// The buffer is full: hands out its whole lines, or makes room for a long one.
    fn cut(&mut self, sink: &mut dyn FnMut(Block)) {
        match memchr::memrchr(b'\n', &self.buffer[self.searched..self.filled]) {
            Some(end) => {
                let end = self.searched + end + 1;
                self.hand_out(end, sink);
            }
            None if self.filled > self.max_line_bytes => {
                let bytes = self.filled as u64;
                self.passing_over = Some(bytes);
                self.filled = self.filled.min(OVERSIZED_RAW_BYTES);
                self.searched = self.filled;
                self.buffer.resize(self.filled + self.block_bytes, 0);
            }
            None => {
                self.searched = self.filled;
                let length = (self.buffer.len() * 2).min(self.max_line_bytes + self.block_bytes);
                self.buffer.resize(length, 0);
            }
        }
    }

    /// Looks for the end of the line that is passed over in what came since.
    fn pass_over(&mut self, sink: &mut dyn FnMut(Block)) {
        let Some(length) = self.passing_over else { return };
        let kept = self.searched;
        let Some(end) = memchr::memchr(b'\n', &self.buffer[kept..self.filled]) else {
            self.passing_over = Some(length + (self.filled - kept) as u64);
            self.filled = kept;
            return;
        };
        self.passing_over = None;
        let rest = self.buffer[kept + end + 1..self.filled].to_vec();
        self.emit_oversized(length + end as u64, 1, sink);
        self.push(&rest, sink);
    }

    /// Hands out the first `end` bytes and keeps the rest for the next block.
    fn hand_out(&mut self, end: usize, sink: &mut dyn FnMut(Block)) {
        let rest = self.filled - end;
        let mut next = self.buffers.take(self.block_bytes.max(rest + 1));
        next[..rest].copy_from_slice(&self.buffer[end..self.filled]);
        let full = std::mem::replace(&mut self.buffer, next);
        self.filled = rest;
        self.searched = 0;
        let bytes = self.buffers.share(full, end);
        self.emit(&bytes, sink);
    }

    /// Hands out whole lines, in several blocks where they are many.
    fn emit(&mut self, bytes: &Bytes, sink: &mut dyn FnMut(Block)) {
        let (mut start, mut lines) = (0, 0);
        for end in memchr::memchr_iter(b'\n', bytes) {
            lines += 1;
            if lines == MAX_BLOCK_LINES && end + 1 < bytes.len() {
                self.emit_lines(bytes.slice(start..=end), lines, sink);
                (start, lines) = (end + 1, 0);
            }
        }
        let has_open_line = bytes.last().is_some_and(|&byte| byte != b'\n');
        self.emit_lines(bytes.slice(start..), lines + u64::from(has_open_line), sink);
    }

    fn emit_lines(&mut self, bytes: Bytes, lines: u64, sink: &mut dyn FnMut(Block)) {
        let length = bytes.len() as u64;
        self.emit_block(bytes, BlockKind::Lines, (lines, length), sink);
    }

    /// Hands out the kept beginning of an oversized line of `bytes` bytes and `line_end` more.
    fn emit_oversized(&mut self, bytes: u64, line_end: u64, sink: &mut dyn FnMut(Block)) {
        let kept = Bytes::copy_from_slice(&self.buffer[..self.searched]);
        self.filled = 0;
        self.searched = 0;
        let kind = BlockKind::Oversized { bytes, limit: self.max_line_bytes };
        self.emit_block(kept, kind, (1, bytes + line_end), sink);
    }

    fn emit_block(
        &mut self,
        bytes: Bytes,
        kind: BlockKind,
        (lines, length): (u64, u64),
        sink: &mut dyn FnMut(Block),
    ) {
        let (index, first_line, offset) = (self.index, self.next_line, self.offset);
        let block = Block { index, first_line, lines, offset, bytes, kind };
        self.index += 1;
        self.next_line += lines;
        self.offset += length;
        sink(block);
    }

    /// Hands out what is left.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Block)) -> UnpackTotals {
        if let Some(bytes) = self.passing_over.take() {
            self.emit_oversized(bytes, 0, sink);
        } else if self.filled > 0 {
            let buffer = std::mem::take(&mut self.buffer);
            let bytes = self.buffers.share(buffer, std::mem::take(&mut self.filled));
            self.searched = 0;
            self.emit(&bytes, sink);
        }
        UnpackTotals { lines: self.next_line - 1, bytes: self.offset, blocks: self.index }
    }
}
