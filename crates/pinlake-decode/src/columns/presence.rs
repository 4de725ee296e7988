//! Which columns hold a value in which rows.
//!
//! A row's columns are one word while it is read, since that is also how a repeated member is noticed. Only a finished
//! batch needs the other view, a bit per row for each column: a transposition of 32 by 32 bits for every 32 rows.

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A set of columns, by their positions; there are fewer than 32.
pub(crate) type ColumnSet = u32;

const SIDE: usize = 32;

/// For each finished row, the columns that hold a value.
#[derive(Debug, Default)]
pub(super) struct Presence {
    rows: Vec<ColumnSet>,
}

impl Presence {
    #[inline]
    pub(super) fn push(&mut self, columns: ColumnSet) {
        self.rows.push(columns);
    }

    /// The masks of the first `columns` columns; `None` for one with a value in every row. Empty afterwards.
    pub(super) fn finish(&mut self, columns: usize) -> Vec<Option<NullBuffer>> {
        let rows = self.rows.len();
        let everywhere = self.rows.iter().fold(ColumnSet::MAX, |all, row| all & row);
        let mut bits: Vec<Vec<u32>> = (0..columns).map(|_| Vec::with_capacity(rows.div_ceil(SIDE))).collect();
        for rows in self.rows.chunks(SIDE) {
            let mut square = [0; SIDE];
            square[..rows.len()].copy_from_slice(rows);
            transpose(&mut square);
            for (bits, word) in bits.iter_mut().zip(square) {
                bits.push(word);
            }
        }
        self.rows.clear();
        let masks = bits.into_iter().enumerate().map(|(column, bits)| {
            let is_everywhere = everywhere >> column & 1 == 1;
            (!is_everywhere && rows > 0)
                .then(|| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows)))
        });
        masks.collect()
    }
}

/// Swaps rows and columns: bit `j` of word `i` becomes bit `i` of word `j` (Hacker's Delight, 7-3).
fn transpose(square: &mut [u32; SIDE]) {
    let (mut width, mut mask) = (SIDE / 2, 0x0000_ffff_u32);
    while width != 0 {
        for pair in square.chunks_exact_mut(width * 2) {
            let (low, high) = pair.split_at_mut(width);
            for (low, high) in low.iter_mut().zip(high) {
                let swapped = (*low >> width ^ *high) & mask;
                *low ^= swapped << width;
                *high ^= swapped;
            }
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn masks_are_the_rows_read_downwards(rows in proptest::collection::vec(any::<u32>(), 0..150), full in any::<u32>()) {
            let mut presence = Presence::default();
            for row in &rows {
                presence.push(row | full);
            }
            let masks = presence.finish(31);
            for (column, mask) in masks.iter().enumerate() {
                for (at, row) in rows.iter().enumerate() {
                    let expected = (row | full) >> column & 1 == 1;
                    prop_assert_eq!(mask.as_ref().is_none_or(|mask| mask.is_valid(at)), expected);
                }
            }
            prop_assert!(presence.rows.is_empty());
        }
    }
}
