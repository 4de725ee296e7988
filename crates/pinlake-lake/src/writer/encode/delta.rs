//! `DELTA_BINARY_PACKED`: the differences between neighbours, each packed in as few bits as its 64 neighbours need.

use super::bits::{pack, varint, width_of, zigzag};

/// Values of a block, which share their least difference.
const BLOCK: usize = 256;
/// Values of a miniblock, which share their width.
const MINIBLOCK: usize = 64;

/// Appends `values`. As 32-bit integers they may be read too, where neighbours differ by less than 2^31.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / MINIBLOCK) as u64, out);
    varint(values.len() as u64, out);
    let Some((&first, rest)) = values.split_first() else {
        return zigzag(0, out);
    };
    zigzag(first, out);
    let mut previous = first;
    for block in rest.chunks(BLOCK) {
        encode_block(previous, block, out);
        previous = block[block.len() - 1];
    }
}

fn encode_block(mut previous: i64, block: &[i64], out: &mut Vec<u8>) {
    // Differences wrap around, and readers add them wrapping.
    let mut differences = [0i64; BLOCK];
    let mut least = i64::MAX;
    for (difference, value) in differences.iter_mut().zip(block) {
        *difference = value.wrapping_sub(previous);
        least = least.min(*difference);
        previous = *value;
    }
    zigzag(least, out);
    let mut above = [0u64; BLOCK];
    for (above, difference) in above.iter_mut().zip(&differences[..block.len()]) {
        *above = difference.wrapping_sub(least).cast_unsigned();
    }
    let widths_at = out.len();
    out.extend([0; BLOCK / MINIBLOCK]);
    // Miniblocks without a value have width 0 and no bytes; a last one that is short is filled up with zeros.
    for (at, miniblock) in above.chunks_exact(MINIBLOCK).enumerate() {
        let width = width_of(miniblock.iter().fold(0, |bits, value| bits | value));
        out[widths_at + at] = u8::try_from(width).unwrap_or_default();
        pack(miniblock, width, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn read_zigzag(bytes: &mut &[u8]) -> i64 {
        let value = read_varint(bytes);
        (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
    }

    /// Decodes as the specification says.
    fn decode(mut bytes: &[u8]) -> Vec<i64> {
        let bytes = &mut bytes;
        let [block, miniblocks, count] = [0; 3].map(|_| usize::try_from(read_varint(bytes)).unwrap());
        let length = block / miniblocks;
        assert!(block.is_multiple_of(128) && length.is_multiple_of(32));
        let mut values = vec![read_zigzag(bytes)];
        while values.len() < count {
            let least = read_zigzag(bytes);
            let (widths, rest) = bytes.split_at(miniblocks);
            *bytes = rest;
            for width in widths {
                let width = usize::from(*width);
                for at in 0..length {
                    let bit = |bit: usize| {
                        let place = at * width + bit;
                        i64::from(bytes[place / 8] >> (place % 8) & 1) << bit
                    };
                    let above = (0..width).fold(0, |value, place| value | bit(place));
                    let previous = values[values.len() - 1];
                    values.push(previous.wrapping_add(least).wrapping_add(above));
                }
                *bytes = &bytes[length / 8 * width..];
            }
        }
        assert!(bytes.is_empty());
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            values in prop::collection::vec(prop_oneof![any::<i64>(), -9i64..9, Just(i64::MIN)], 0..500),
        ) {
            let mut out = Vec::new();
            encode(&values, &mut out);
            prop_assert_eq!(decode(&out), values);
        }
    }

    #[test]
    fn ascending_lines_take_next_to_nothing() {
        let lines: Vec<i64> = (1..=100_000).collect();
        let mut out = Vec::new();
        encode(&lines, &mut out);
        assert!(out.len() < 5_000, "{}", out.len());
    }
}
