//! Up to sixteen bytes of text as one number: how short names and labels are compared and hashed without a loop.

/// How many bytes a word holds.
pub(crate) const WORD_BYTES: usize = 16;

/// The first `length` bytes from `at` on, at most [`WORD_BYTES`] of them, as a little-endian number; absent ones are 0.
///
/// Sixteen bytes are loaded in one go wherever `bytes` has them: what stands behind the text is masked away.
#[inline]
pub(crate) fn word_at(bytes: &[u8], at: usize, length: usize) -> u128 {
    let word = match bytes.get(at..at + WORD_BYTES).and_then(|window| window.first_chunk()) {
        Some(window) => u128::from_le_bytes(*window),
        None => short_word(bytes, at),
    };
    word & MASKS[length.min(WORD_BYTES)]
}

/// The word of a whole text of at most [`WORD_BYTES`] bytes.
pub(crate) const fn word_of(text: &[u8]) -> u128 {
    let mut word = 0;
    let mut at = text.len();
    while at > 0 {
        at -= 1;
        word = word << 8 | text[at] as u128;
    }
    word
}

/// The word at a place with fewer than [`WORD_BYTES`] bytes behind it.
#[cold]
fn short_word(bytes: &[u8], at: usize) -> u128 {
    let mut window = [0; WORD_BYTES];
    if let Some(rest) = bytes.get(at..) {
        let length = rest.len().min(WORD_BYTES);
        window[..length].copy_from_slice(&rest[..length]);
    }
    u128::from_le_bytes(window)
}

/// All bits of the first so many bytes.
const MASKS: [u128; WORD_BYTES + 1] = {
    let mut masks = [0; WORD_BYTES + 1];
    let mut length = 1;
    while length <= WORD_BYTES {
        masks[length] = masks[length - 1] << 8 | 0xff;
        length += 1;
    }
    masks
};

/// A 64-bit hash of a text: a folded multiplication for each sixteen bytes. `first` is its word.
///
/// Not keyed: whoever crafts collisions costs time in a dictionary that is bounded, and one in a count of repeated ids
/// that is a count and no key.
#[inline]
pub(crate) fn hash(text: &[u8], first: u128) -> u64 {
    // The length is spread over all bits first: else a longer text with other bytes could undo it.
    let mut state = fold(first, (text.len() as u64).wrapping_mul(SPREAD));
    if text.len() > WORD_BYTES {
        let mut at = WORD_BYTES;
        while at + WORD_BYTES < text.len() {
            state = fold(word_at(text, at, WORD_BYTES), state);
            at += WORD_BYTES;
        }
        // The last sixteen bytes, some of which may have been taken already: no shorter word is needed.
        state = fold(word_at(text, text.len() - WORD_BYTES, WORD_BYTES), state);
    }
    state
}

const SPREAD: u64 = 0xa076_1d64_78bd_642f;

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a product are folded onto each other")]
fn fold(word: u128, state: u64) -> u64 {
    const LOW: u64 = 0x9e37_79b9_7f4a_7c15;
    const HIGH: u64 = 0xd6e8_feb8_6659_fd93;
    let (low, high) = (word as u64, (word >> 64) as u64);
    let product = u128::from(low ^ LOW ^ state) * u128::from(high ^ HIGH ^ state.rotate_left(32));
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_word_is_the_text_and_nothing_else(text in proptest::collection::vec(any::<u8>(), 0..40), at in 0usize..40, length in 0usize..20) {
            let at = at.min(text.len());
            let length = length.min(text.len() - at);
            let kept = length.min(WORD_BYTES);
            prop_assert_eq!(word_at(&text, at, length), word_of(&text[at..at + kept]));
        }

        #[test]
        fn a_hash_depends_on_the_text_alone(text in proptest::collection::vec(any::<u8>(), 0..80), around in any::<u8>()) {
            let mut longer = vec![around; 3];
            longer.extend(&text);
            longer.extend([around; 20]);
            let alone = hash(&text, word_at(&text, 0, text.len()));
            let within = &longer[3..3 + text.len()];
            prop_assert_eq!(alone, hash(within, word_at(&longer, 3, text.len())));
        }
    }

    #[test]
    fn near_texts_have_other_hashes() {
        let mut seen = std::collections::HashSet::new();
        for length in 0..64 {
            for place in 0..=length {
                let mut text = vec![b'a'; length];
                if let Some(byte) = text.get_mut(place) {
                    *byte = b'b';
                }
                if place == length || text.contains(&b'b') {
                    assert!(seen.insert(hash(&text, word_at(&text, 0, length))), "{length} {place}");
                }
            }
        }
    }
}
