//! A dictionary of text that is filled while lines are read.
//!
//! It outlives a batch: an export repeats its countries, platforms and attribute names from the first block to the last,
//! so most batches add nothing and share the array of the batch before. It begins anew when it has grown beyond
//! [`MAX_LABELS`] or [`MAX_LABEL_BYTES`], and it stops looking for repetition, for some batches, where there is little.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::error::ArrowError;

use super::text::Texts;
use crate::json::word::{WORD_BYTES, hash, word_at};

/// A dictionary with more labels begins anew with the next batch. Its tables then fit a core's second-level cache.
const MAX_LABELS: usize = 4_096;
/// The same for the bytes of its labels.
const MAX_LABEL_BYTES: usize = 256 * 1024;
/// A batch's labels are unique rather than repeated if at least so many are new...
const UNIQUE_LABELS: usize = 512;
/// ...and the dictionary is not asked for so many batches.
const BATCHES_WITHOUT: u32 = 32;

/// Numbers for texts, each of them stored once.
#[derive(Debug)]
struct Table {
    texts: Texts,
    /// Of each text: its first bytes and its length, which settle most comparisons.
    heads: Vec<Head>,
    /// Open addressing: 0 is free, else one more than a number. A power of two in length, at most half full.
    slots: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    word: u128,
    length: usize,
    hash: u64,
}

const FIRST_SLOTS: usize = 64;
/// Larger tables, and longer texts, are not kept when a dictionary begins anew: no block of usual lines makes such.
const KEPT_SLOTS: usize = 128 * 1024;
const KEPT_BYTES: usize = 2 * 1024 * 1024;

/// What a search came to.
enum Found {
    Number(usize),
    /// The free slot where it would have been.
    Nothing(usize),
}

impl Table {
    fn new() -> Self {
        Self { texts: Texts::new(), heads: Vec::new(), slots: vec![0; FIRST_SLOTS] }
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits")]
    fn find(&self, head: Head, text: &[u8]) -> Found {
        let mask = self.slots.len() - 1;
        let mut slot = head.hash as usize & mask;
        loop {
            let number = match self.slots[slot] {
                0 => return Found::Nothing(slot),
                taken => taken as usize - 1,
            };
            if self.heads[number] == head && (text.len() <= WORD_BYTES || self.texts.get(number) == text) {
                return Found::Number(number);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds a text that is not there, at the free slot that the search for it ended at.
    fn add(&mut self, slot: usize, head: Head, text: &[u8]) -> usize {
        let number = self.texts.len();
        self.texts.push(text);
        self.heads.push(head);
        self.slots[slot] = as_slot(number);
        if self.heads.len() * 2 > self.slots.len() {
            self.grow();
        }
        number
    }

    #[expect(clippy::cast_possible_truncation, reason = "the mask keeps the low bits")]
    fn grow(&mut self) {
        let length = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(length, 0);
        for (number, head) in self.heads.iter().enumerate() {
            let mut slot = head.hash as usize & (length - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (length - 1);
            }
            self.slots[slot] = as_slot(number);
        }
    }

    /// Forgets all texts, and gives back what a line of very many or very long ones has taken.
    fn clear(&mut self) {
        if self.slots.len() > KEPT_SLOTS || self.texts.bytes() > KEPT_BYTES {
            *self = Self::new();
            return;
        }
        self.texts.clear();
        self.heads.clear();
        self.slots.clear();
        self.slots.resize(FIRST_SLOTS, 0);
    }
}

fn as_slot(number: usize) -> u32 {
    u32::try_from(number + 1).unwrap_or(u32::MAX)
}

#[inline]
fn head_of(source: &[u8], start: usize, end: usize) -> Head {
    let word = word_at(source, start, end - start);
    Head { word, length: end - start, hash: hash(&source[start..end], word) }
}

/// A dictionary, and the array of it that batches share.
#[derive(Debug)]
pub(super) struct Dictionary {
    labels: Table,
    /// Texts as they stand in lines, with escapes, that were met before; what they mean is unescaped only once.
    escaped: Table,
    /// The label of each escaped text.
    escaped_labels: Vec<usize>,
    /// The labels as an array, unless some have been added since.
    array: Option<Arc<StringArray>>,
    /// Number of labels when the batch began.
    labels_before: usize,
    /// Batches still to come for which labels are added without a search. Always 0 where labels must be unique.
    batches_without: u32,
    must_be_unique: bool,
    scratch: Vec<u8>,
}

impl Dictionary {
    /// An empty dictionary. Where it `must_be_unique`, equal texts have equal numbers in every batch.
    pub(super) fn new(must_be_unique: bool) -> Self {
        Self {
            labels: Table::new(),
            escaped: Table::new(),
            escaped_labels: Vec::new(),
            array: None,
            labels_before: 0,
            batches_without: 0,
            must_be_unique,
            scratch: Vec::new(),
        }
    }

    /// The number of the text from `start` to `end` of `source`.
    #[inline]
    pub(super) fn number(&mut self, source: &[u8], start: usize, end: usize) -> usize {
        let text = &source[start..end];
        if self.batches_without > 0 {
            return self.append(text);
        }
        let head = head_of(source, start, end);
        match self.labels.find(head, text) {
            Found::Number(number) => number,
            Found::Nothing(slot) => self.add(slot, head, text),
        }
    }

    /// The number of what the text from `start` to `end` of `source` means once `unescape` has written it out.
    pub(super) fn number_of_escaped<E>(
        &mut self,
        source: &[u8],
        start: usize,
        end: usize,
        unescape: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let raw = &source[start..end];
        let head = head_of(source, start, end);
        let slot = match self.escaped.find(head, raw) {
            Found::Number(known) => return Ok(self.escaped_labels[known]),
            Found::Nothing(slot) => slot,
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let unescaped = unescape(raw, &mut scratch);
        let number = unescaped.is_ok().then(|| self.number(&scratch, 0, scratch.len()));
        self.scratch = scratch;
        unescaped?;
        let number = number.unwrap_or_default();
        if self.batches_without == 0 {
            self.escaped.add(slot, head, raw);
            self.escaped_labels.push(number);
        }
        Ok(number)
    }

    #[cold]
    fn add(&mut self, slot: usize, head: Head, text: &[u8]) -> usize {
        self.array = None;
        self.labels.add(slot, head, text)
    }

    /// Adds a text without a look whether it is there.
    fn append(&mut self, text: &[u8]) -> usize {
        self.array = None;
        self.labels.texts.push(text);
        self.labels.texts.len() - 1
    }

    /// The labels as an array, for a batch that was given `values` of them; ready for the next batch afterwards.
    pub(super) fn finish(&mut self, values: usize) -> Result<Arc<StringArray>, ArrowError> {
        let array = match &self.array {
            Some(array) => Arc::clone(array),
            None => Arc::new(self.labels.texts.to_array()?),
        };
        let count = self.labels.texts.len();
        let added = count - self.labels_before;
        if self.batches_without > 0 {
            self.batches_without -= 1;
            self.clear();
        } else if !self.must_be_unique && added >= UNIQUE_LABELS && added * 2 > values {
            self.batches_without = BATCHES_WITHOUT;
            self.clear();
        } else if count > MAX_LABELS || self.bytes() > MAX_LABEL_BYTES {
            self.clear();
        } else {
            self.array = Some(Arc::clone(&array));
            self.labels_before = count;
        }
        Ok(array)
    }

    fn bytes(&self) -> usize {
        self.labels.texts.bytes() + self.escaped.texts.bytes()
    }

    fn clear(&mut self) {
        self.labels.clear();
        self.escaped.clear();
        self.escaped_labels.clear();
        self.array = None;
        self.labels_before = 0;
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array as _;

    use super::*;

    fn number(dictionary: &mut Dictionary, text: &str) -> usize {
        dictionary.number(text.as_bytes(), 0, text.len())
    }

    #[test]
    fn equal_texts_have_one_number_from_batch_to_batch() {
        let mut dictionary = Dictionary::new(true);
        let long = "a text that is longer than a word";
        let longer = "a text that is longer than a ward";
        let numbers = ["", "a", long, longer].map(|text| number(&mut dictionary, text));
        assert_eq!(numbers, [0, 1, 2, 3]);
        let first = dictionary.finish(4).unwrap();
        assert_eq!(["", "a", long, longer].map(|text| number(&mut dictionary, text)), numbers);
        let second = dictionary.finish(4).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        number(&mut dictionary, "b");
        let third = dictionary.finish(1).unwrap();
        assert_eq!(third.len(), 5);
        assert_eq!((first.len(), third.value(4), third.value(3)), (4, "b", longer));
    }

    #[test]
    fn an_escaped_text_is_the_label_it_means() {
        let mut dictionary = Dictionary::new(false);
        let plain = number(&mut dictionary, "a");
        for _ in 0..2 {
            let found = dictionary.number_of_escaped(br"\u0061", 0, 6, |_, out| {
                out.push(b'a');
                Ok::<(), ()>(())
            });
            assert_eq!(found, Ok(plain));
        }
        let failed = dictionary.number_of_escaped(br"\ud800", 0, 6, |_, _| Err(()));
        assert_eq!(failed, Err(()));
        assert_eq!(dictionary.finish(2).unwrap().len(), 1);
    }

    #[test]
    fn many_labels_begin_anew_and_unique_ones_are_not_searched() {
        for must_be_unique in [true, false] {
            let mut dictionary = Dictionary::new(must_be_unique);
            for batch in 0..40 {
                let texts: Vec<String> = (0..1_000).map(|at| format!("label {batch} {at}")).collect();
                let numbers: Vec<usize> = texts.iter().map(|text| number(&mut dictionary, text)).collect();
                let array = dictionary.finish(texts.len()).unwrap();
                assert!(array.len() <= MAX_LABELS + 1_000);
                for (text, number) in texts.iter().zip(numbers) {
                    assert_eq!(array.value(number), text);
                }
            }
        }
    }
}
