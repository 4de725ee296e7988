//! Bit packing: the low bits of values, one behind the other, least significant first.

/// Appends the low `width` bits of each value, `width` at most 64. There is a multiple of 8 values, so that whole bytes
/// are appended.
pub(super) fn pack<T: Copy + Into<u64>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    debug_assert!(values.len().is_multiple_of(8) && width <= 64);
    // A function for each width: the compiler unrolls it into shifts by constants.
    macro_rules! of_width {
        ($($width:literal)*) => {
            match width {
                $($width => pack_groups::<T, $width>(values, out),)*
                _ => {}
            }
        };
    }
    of_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
              33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64);
}

fn pack_groups<T: Copy + Into<u64>, const WIDTH: usize>(values: &[T], out: &mut Vec<u8>) {
    let (groups, _) = values.as_chunks::<8>();
    let start = out.len();
    out.resize(start + groups.len() * WIDTH, 0);
    let (packed, _) = out[start..].as_chunks_mut::<WIDTH>();
    for (group, packed) in groups.iter().zip(packed) {
        *packed = pack_group(group);
    }
}

#[inline]
fn pack_group<T: Copy + Into<u64>, const WIDTH: usize>(group: &[T; 8]) -> [u8; WIDTH] {
    let mut packed = [0; WIDTH];
    let (mut word, mut filled, mut at) = (0u64, 0, 0);
    for value in group {
        let value: u64 = (*value).into();
        word |= value << filled;
        filled += WIDTH;
        if filled >= 64 {
            packed[at..at + 8].copy_from_slice(&word.to_le_bytes());
            at += 8;
            filled -= 64;
            // What of the value did not fit; nothing where it ended with the word.
            word = if filled == 0 { 0 } else { value >> (WIDTH - filled) };
        }
    }
    let rest = WIDTH - at;
    packed[at..].copy_from_slice(&word.to_le_bytes()[..rest]);
    packed
}

/// How many bits the value has without leading zeros.
pub(super) fn width_of(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Appends a number in groups of seven bits, the last byte without the top bit.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

/// Appends a signed number so that small ones are short, whatever their sign.
pub(super) fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63).cast_unsigned(), out);
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_is_packed_bit_by_bit() {
        for width in 1..=64 {
            let mask = u64::MAX >> (64 - width);
            let values: Vec<u64> =
                (1..=24u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7) & mask).collect();
            let mut packed = Vec::new();
            pack(&values, width, &mut packed);
            assert_eq!(packed.len(), 3 * width as usize);
            for (at, value) in values.iter().enumerate() {
                for bit in 0..width as usize {
                    let place = at * width as usize + bit;
                    assert_eq!(
                        u64::from(packed[place / 8] >> (place % 8) & 1),
                        value >> bit & 1,
                        "{width} {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn signed_numbers_are_short_near_zero() {
        let mut out = Vec::new();
        for value in [0, -1, 1, -64, 64] {
            zigzag(value, &mut out);
        }
        assert_eq!(out, [0, 1, 2, 127, 128, 1]);
    }
}
