//! Text of few distinct values: a dictionary, filled while decoding.

use std::sync::Arc;

use arrow::array::{DictionaryArray, PrimitiveArray};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

use super::primitive::PrimitiveColumn;
use super::text::Texts;

/// A column of dictionary-encoded text. The dictionary lives as long as a batch.
#[derive(Debug)]
pub(crate) struct LabelColumn {
    keys: PrimitiveColumn<Int32Type>,
    labels: Texts,
    /// Open addressing: 0 is free, else one more than a key. A power of two in length, at most half full.
    slots: Vec<u32>,
    /// The key given last: an export repeats itself, and its application id never changes.
    last: Option<i32>,
    scratch: Vec<u8>,
}

const FIRST_SLOTS: usize = 64;

impl LabelColumn {
    pub(crate) fn new() -> Self {
        Self {
            keys: PrimitiveColumn::new(),
            labels: Texts::new(),
            slots: vec![0; FIRST_SLOTS],
            last: None,
            scratch: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, row: usize, label: &[u8]) {
        let key = self.key(label);
        self.last = Some(key);
        self.keys.push(row, key);
    }

    /// Gives `row` the label that `fill` appends, unless `fill` fails.
    pub(crate) fn push_with<E>(
        &mut self,
        row: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let filled = fill(&mut scratch);
        if filled.is_ok() {
            self.push(row, &scratch);
        }
        self.scratch = scratch;
        filled
    }

    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "keys count up from 0")]
    fn key(&mut self, label: &[u8]) -> i32 {
        if let Some(last) = self.last
            && self.labels.get(last as usize) == label
        {
            return last;
        }
        let mut slot = self.first_slot(label);
        loop {
            match self.slots[slot] {
                0 => return self.add(slot, label),
                taken if self.labels.get(taken as usize - 1) == label => return as_key(taken - 1),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits")]
    fn first_slot(&self, label: &[u8]) -> usize {
        hash(label) as usize & (self.slots.len() - 1)
    }

    fn add(&mut self, slot: usize, label: &[u8]) -> i32 {
        self.labels.push(label);
        let count = u32::try_from(self.labels.len()).unwrap_or(u32::MAX);
        self.slots[slot] = count;
        if self.labels.len() * 2 > self.slots.len() {
            self.grow();
        }
        as_key(count - 1)
    }

    fn grow(&mut self) {
        let slots = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(slots, 0);
        for at in 0..self.labels.len() {
            let mut slot = self.first_slot(self.labels.get(at));
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = u32::try_from(at + 1).unwrap_or(u32::MAX);
        }
    }

    pub(super) fn truncate(&mut self, row: usize) {
        // Labels stay: an unused entry of a dictionary means nothing.
        self.keys.truncate(row);
    }

    pub(super) fn finish(&mut self, rows: usize) -> Result<DictionaryArray<Int32Type>, ArrowError> {
        let keys: PrimitiveArray<Int32Type> = self.keys.finish(rows);
        let labels = self.labels.finish(None)?;
        self.last = None;
        self.slots.clear();
        self.slots.resize(FIRST_SLOTS, 0);
        DictionaryArray::try_new(keys, Arc::new(labels))
    }
}

fn as_key(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A multiply-and-rotate hash, eight bytes a step: quick on short labels. Not keyed: collisions cost time only, and a
/// dictionary is no longer than a block.
#[inline]
fn hash(label: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = label.len() as u64;
    let mut chunks = label.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = (state.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    }
    let mut word = [0; 8];
    let rest = chunks.remainder();
    word[..rest.len()].copy_from_slice(rest);
    state = (state.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    state ^ state >> 32
}
