//! The distinct texts of one column chunk, kept as the dictionary page has them.

use std::hash::{BuildHasher as _, RandomState};

use super::limits::empty;

/// Texts by the order in which they came, and a hash table to find them.
///
/// The hash is keyed: the texts come from whoever filled the audience, and must not be able to make it slow. Each text
/// is hashed once per batch dictionary and row group, so a keyed hash is affordable.
pub(super) struct TextDictionary {
    /// `PLAIN`: each text behind its length in four bytes.
    plain: Vec<u8>,
    /// Where the text of each entry lies in `plain`.
    entries: Vec<(usize, usize)>,
    /// Entry and the upper half of its hash, by the lower half; [`EMPTY`] where there is none.
    slots: Vec<(u32, u32)>,
    state: RandomState,
}

/// No entry.
const EMPTY: u32 = u32::MAX;
/// Slots of a table that has not grown yet.
const FIRST_SLOTS: usize = 256;
/// The largest table that is kept for the next chunk.
const KEPT_SLOTS: usize = 1 << 18;

impl TextDictionary {
    pub(super) fn new() -> Self {
        Self {
            plain: Vec::new(),
            entries: Vec::new(),
            slots: vec![(EMPTY, 0); FIRST_SLOTS],
            state: RandomState::new(),
        }
    }

    /// The index of `text`, a new one if need be.
    pub(super) fn index_of(&mut self, text: &[u8]) -> u32 {
        let hash = self.state.hash_one(text);
        let tag = upper(hash);
        let mut slot = self.slot(hash);
        loop {
            match self.slots[slot] {
                (EMPTY, _) => break,
                (entry, found) if found == tag && self.get(entry) == text => return entry,
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
        let entry = u32::try_from(self.entries.len()).unwrap_or(EMPTY);
        self.slots[slot] = (entry, tag);
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.plain.extend_from_slice(&length.to_le_bytes());
        let start = self.plain.len();
        self.plain.extend_from_slice(text);
        self.entries.push((start, self.plain.len()));
        if self.entries.len() * 2 > self.slots.len() {
            self.grow();
        }
        entry
    }

    fn slot(&self, hash: u64) -> usize {
        lower(hash) as usize & (self.slots.len() - 1)
    }

    fn grow(&mut self) {
        let slots = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(slots, (EMPTY, 0));
        for (entry, (start, end)) in (0..).zip(&self.entries) {
            let hash = self.state.hash_one(&self.plain[*start..*end]);
            let mut slot = self.slot(hash);
            while self.slots[slot].0 != EMPTY {
                slot = (slot + 1) & (slots - 1);
            }
            self.slots[slot] = (entry, upper(hash));
        }
    }

    /// The text of an entry.
    pub(super) fn get(&self, entry: u32) -> &[u8] {
        let (start, end) = self.entries[entry as usize];
        &self.plain[start..end]
    }

    /// The dictionary page in `PLAIN`.
    pub(super) fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets all entries.
    pub(super) fn clear(&mut self) {
        if self.entries.is_empty() {
            return;
        }
        empty(&mut self.plain);
        empty(&mut self.entries);
        if self.slots.len() > KEPT_SLOTS {
            self.slots = vec![(EMPTY, 0); FIRST_SLOTS];
        } else {
            self.slots.fill((EMPTY, 0));
        }
    }
}

fn lower(hash: u64) -> u32 {
    upper(hash << 32)
}

fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_entry() {
        let mut dictionary = TextDictionary::new();
        for round in 0..2 {
            for n in 0..5_000u32 {
                assert_eq!(dictionary.index_of(n.to_string().as_bytes()), n, "{round}");
            }
        }
        assert_eq!((dictionary.len(), dictionary.get(4_999)), (5_000, b"4999".as_slice()));
        assert_eq!(dictionary.plain()[..5], [1, 0, 0, 0, b'0']);
        dictionary.clear();
        assert_eq!(dictionary.index_of(b""), 0);
        assert_eq!(dictionary.plain(), [0; 4]);
    }
}
