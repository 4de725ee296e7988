//! The distinct doubles of one column chunk, by their bits: coordinates of cities, counts of visits.

/// Doubles in the order in which they came, and a hash table to find them.
pub(super) struct FloatDictionary {
    entries: Vec<u64>,
    /// Entries by the hash of their bits; [`EMPTY`] where there is none.
    slots: Vec<u32>,
}

/// No entry.
const EMPTY: u32 = u32::MAX;
/// 256 kB as a page, and half the slots.
const MAX_ENTRIES: usize = 1 << (SLOT_BITS - 1);
/// Slots are twice the entries.
const SLOT_BITS: u32 = 16;
/// Slots looked at for one value. Doubles come from whoever filled the audience: a hash without a key can be made to
/// collide, and then the dictionary is given up instead of getting slow.
const MAX_PROBES: usize = 64;

impl FloatDictionary {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), slots: Vec::new() }
    }

    /// The index of the double with these bits, a new one if need be; `None` where the dictionary is full.
    #[inline]
    pub(super) fn index_of(&mut self, bits: u64) -> Option<u32> {
        if self.slots.is_empty() {
            self.slots.resize(1 << SLOT_BITS, EMPTY);
        }
        // Small counts and short decimals differ in few of their top bits; folding these down first and multiplying
        // brings every bit to the top, whence the slot is taken.
        let hash = (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = (hash >> (u64::BITS - SLOT_BITS)) as usize;
        for _ in 0..MAX_PROBES {
            slot &= (1 << SLOT_BITS) - 1;
            let entry = self.slots[slot];
            if entry == EMPTY {
                return self.insert(bits, slot);
            }
            if self.entries[entry as usize] == bits {
                return Some(entry);
            }
            slot += 1;
        }
        None
    }

    fn insert(&mut self, bits: u64, slot: usize) -> Option<u32> {
        if self.entries.len() == MAX_ENTRIES {
            return None;
        }
        let entry = u32::try_from(self.entries.len()).ok()?;
        self.slots[slot] = entry;
        self.entries.push(bits);
        Some(entry)
    }

    /// The bits of all entries, in the order of their indices.
    pub(super) fn entries(&self) -> &[u64] {
        &self.entries
    }

    /// Forgets all entries.
    pub(super) fn clear(&mut self) {
        if !self.entries.is_empty() {
            self.entries.clear();
            self.slots.fill(EMPTY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_at_some_point_and_finds_all_before() {
        let mut dictionary = FloatDictionary::new();
        let bits = |n: usize| (n as f64 / 8.0).to_bits();
        let taken = (0..100_000).take_while(|n| dictionary.index_of(bits(*n)).is_some()).count();
        assert!((10_000..=MAX_ENTRIES).contains(&taken), "{taken}");
        assert!((0..taken).all(|n| dictionary.index_of(bits(n)) == u32::try_from(n).ok()));
        dictionary.clear();
        assert_eq!(dictionary.index_of(bits(7)), Some(0));
    }
}
