//! Text of which hardly any value repeats: `Utf8`.

use arrow::array::StringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

/// Runs of bytes one after the other: what a text column and a dictionary have in common.
#[derive(Debug)]
pub(super) struct Texts {
    /// Where each text begins, and where the last one ends. A block is far below 2 GiB, so 32 bits hold every offset.
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl Texts {
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Bytes of all texts.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.offsets.push(as_offset(self.bytes.len()));
    }

    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "offsets are lengths")]
    pub(super) fn get(&self, at: usize) -> &[u8] {
        &self.bytes[self.offsets[at] as usize..self.offsets[at + 1] as usize]
    }

    pub(super) fn clear(&mut self) {
        self.offsets.truncate(1);
        self.bytes.clear();
    }

    /// All texts as an array without nulls.
    pub(super) fn to_array(&self) -> Result<StringArray, ArrowError> {
        strings(self.offsets.clone(), self.bytes.clone(), None)
    }
}

fn strings(offsets: Vec<i32>, bytes: Vec<u8>, nulls: Option<NullBuffer>) -> Result<StringArray, ArrowError> {
    StringArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(bytes), nulls)
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a block's text is bounded far below 2 GiB by UnpackLimits"
)]
pub(super) fn as_offset(length: usize) -> i32 {
    length as i32
}

/// Text up to this length is copied as one piece of this length, whatever is in the rest of it: a copy whose length the
/// compiler knows takes two instructions, one that it does not know a call.
const COPIED_BYTES: usize = 64;

/// Room is made for so many bytes at most beside those that need it.
const MOST_ROOM_BYTES: usize = 2 * 1024 * 1024;

/// A column of text.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    /// Where each row's text ends, from a leading 0; 0 for rows without one.
    ends: Vec<i32>,
    /// The texts, and room behind the first `filled` bytes.
    bytes: Vec<u8>,
    filled: usize,
    /// The row that was given a text last, and where that text begins.
    last: Option<(usize, usize)>,
}

impl TextColumn {
    /// Makes room for `rows` rows.
    pub(super) fn begin(&mut self, rows: usize) {
        self.ends.clear();
        self.ends.resize(rows + 1, 0);
    }

    /// Gives `row` the text from `start` to `end` of `source`.
    #[inline]
    pub(crate) fn push(&mut self, row: usize, source: &[u8], start: usize, end: usize) {
        let length = end - start;
        if self.bytes.len() < self.filled + length + COPIED_BYTES {
            self.grow(length);
        }
        let begin = self.filled;
        let window = source.get(start..start + COPIED_BYTES).and_then(|window| window.first_chunk());
        match (window, self.bytes.get_mut(begin..begin + COPIED_BYTES)) {
            (Some(window), Some(room)) if length <= COPIED_BYTES => {
                let window: &[u8; COPIED_BYTES] = window;
                room.copy_from_slice(window);
            }
            _ => self.bytes[begin..begin + length].copy_from_slice(&source[start..end]),
        }
        self.close(row, begin, begin + length);
    }

    /// Gives `row` the text that `fill` appends, unless `fill` fails.
    pub(crate) fn push_with<E>(
        &mut self,
        row: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let begin = self.filled;
        self.bytes.truncate(begin);
        fill(&mut self.bytes)?;
        let end = self.bytes.len();
        self.close(row, begin, end);
        Ok(())
    }

    #[inline]
    fn close(&mut self, row: usize, begin: usize, end: usize) {
        self.last = Some((row, begin));
        self.filled = end;
        if let Some(place) = self.ends.get_mut(row + 1) {
            *place = as_offset(end);
        }
    }

    /// Doubles the room, but for long texts, behind which little is to come: a block holds one of them, or a mebibyte of others.
    #[cold]
    fn grow(&mut self, length: usize) {
        let needed = self.filled + length + COPIED_BYTES;
        self.bytes.resize((needed + needed.min(MOST_ROOM_BYTES)).max(self.bytes.capacity()), 0);
    }

    /// Takes away the text of `row`, the row being filled.
    pub(super) fn abandon(&mut self, row: usize) {
        if let Some((last, begin)) = self.last
            && last == row
        {
            self.filled = begin;
            self.ends[row + 1] = 0;
            self.last = None;
        }
    }

    /// The first `rows` rows; empty afterwards, with room for as much text again.
    pub(super) fn finish(
        &mut self,
        rows: usize,
        nulls: Option<NullBuffer>,
    ) -> Result<StringArray, ArrowError> {
        let mut ends = std::mem::take(&mut self.ends);
        ends.truncate(rows + 1);
        run_on(&mut ends);
        let length = std::mem::take(&mut self.filled);
        let mut bytes = std::mem::take(&mut self.bytes);
        // The array takes what is filled; the next batch finds a buffer of the same size.
        self.bytes = Vec::with_capacity(bytes.len().min(length * 2 + COPIED_BYTES).min(MOST_ROOM_BYTES));
        bytes.truncate(length);
        self.last = None;
        strings(ends, bytes, nulls)
    }
}

/// Ends of rows, some of them missing (0): a row without one ends where the row before does.
pub(super) fn run_on(ends: &mut [i32]) {
    let mut end = 0;
    for place in ends {
        end = end.max(*place);
        *place = end;
    }
}
