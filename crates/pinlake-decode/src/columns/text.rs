//! Text: `Utf8`.

use arrow::array::StringArray;
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use super::validity::Validity;

/// Runs of bytes one after the other: what a text column and the keys and items of a map have in common.
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

    #[inline]
    pub(super) fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.close();
    }

    /// Where the next text may be appended piecemeal, until [`Self::close`] ends it.
    #[inline]
    pub(super) fn open(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "a block's text is bounded far below 2 GiB by UnpackLimits"
    )]
    pub(super) fn close(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
    }

    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "offsets are lengths")]
    pub(super) fn get(&self, at: usize) -> &[u8] {
        &self.bytes[self.offsets[at] as usize..self.offsets[at + 1] as usize]
    }

    #[expect(clippy::cast_sign_loss, reason = "offsets are lengths")]
    pub(super) fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.bytes.truncate(self.offsets[self.offsets.len() - 1] as usize);
    }

    /// Everything as an array; empty afterwards, with room for as much again.
    pub(super) fn finish(&mut self, nulls: Option<NullBuffer>) -> Result<StringArray, ArrowError> {
        let room = Vec::with_capacity(self.bytes.len());
        let bytes = std::mem::replace(&mut self.bytes, room);
        let mut next_offsets = Vec::with_capacity(self.offsets.len());
        next_offsets.push(0);
        let offsets = std::mem::replace(&mut self.offsets, next_offsets);
        StringArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(bytes), nulls)
    }
}

/// A column of text.
#[derive(Debug)]
pub(crate) struct TextColumn {
    texts: Texts,
    validity: Validity,
}

impl TextColumn {
    pub(crate) fn new() -> Self {
        Self { texts: Texts::new(), validity: Validity::default() }
    }

    #[inline]
    fn pad(&mut self, row: usize) {
        while self.texts.len() < row {
            self.texts.close();
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, text: &[u8]) {
        self.pad(row);
        self.texts.push(text);
        self.validity.set(row);
    }

    /// Gives `row` the text that `fill` appends; takes it away again where `fill` fails.
    pub(crate) fn push_with<E>(
        &mut self,
        row: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.pad(row);
        let filled = fill(self.texts.open());
        self.texts.close();
        match filled {
            Ok(()) => self.validity.set(row),
            Err(_) => self.texts.truncate(row),
        }
        filled
    }

    pub(super) fn truncate(&mut self, row: usize) {
        if self.texts.len() > row {
            self.texts.truncate(row);
            self.validity.truncate(row);
        }
    }

    pub(super) fn finish(&mut self, rows: usize) -> Result<StringArray, ArrowError> {
        self.pad(rows);
        self.texts.finish(self.validity.finish(rows))
    }
}
