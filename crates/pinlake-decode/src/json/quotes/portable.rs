//! The scanner for every processor: eight bytes at a time in a 64-bit register.

use super::{Filler, Marks, STEP, last_step};

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Fills the index.
pub(super) fn scan(text: &[u8], filler: &mut Filler<'_>) {
    let (steps, rest) = text.as_chunks::<STEP>();
    for step in steps {
        filler.step(marks(step));
    }
    if !rest.is_empty() {
        filler.step(marks(&last_step(rest)));
    }
}

fn marks(step: &[u8; STEP]) -> Marks {
    let mut marks = Marks::default();
    let (words, _) = step.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let place = at * 8;
        marks.quotes |= gather(equal(word, b'"')) << place;
        marks.backslashes |= gather(equal(word, b'\\')) << place;
        marks.controls |= gather(below_space(word)) << place;
        marks.line_feeds |= gather(equal(word, b'\n')) << place;
    }
    marks
}

/// The high bit of each byte that is `byte`.
fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * u64::from(byte));
    // No carry leaves a byte: its seven low bits and 0x7f make at most 0xfe.
    !(((difference & LOW_BITS) + LOW_BITS) | difference | LOW_BITS)
}

/// The high bit of each byte below a space.
fn below_space(word: u64) -> u64 {
    !(((word & LOW_BITS) + ONES * (0x80 - 0x20)) | word) & HIGH_BITS
}

/// The high bits of eight bytes as the low eight bits of a number, the first byte's lowest.
fn gather(high_bits: u64) -> u64 {
    (high_bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
