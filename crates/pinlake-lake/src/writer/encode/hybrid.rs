//! The hybrid of run lengths and bit packing: levels, and indices into a dictionary.

use super::bits::{pack, varint};

/// Appends `values`, each of at most `width` bits.
///
/// Runs of at least [`least_run`] equal values become a count and the value, all else is packed in groups of eight.
pub(super) fn encode<T: Copy + Eq + Default + Into<u64>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    let least_run = least_run(width);
    // What lies between is to be packed, and is a multiple of 8 long until the end.
    let (mut packed, mut at) = (0, 0);
    while let Some(group) = values.get(at..at + 8) {
        if !all_equal(group) {
            at += 8;
            continue;
        }
        let run = run_length(&values[at..]);
        if run >= least_run {
            pack_run(&values[packed..at], width, out);
            repeat_run(values[at], run, width, out);
            at += run;
            packed = at;
        } else {
            // The run's last values may lie in the group after; nothing in these groups starts a longer one.
            at += run / 8 * 8;
        }
    }
    pack_run(&values[packed..], width, out);
}

/// The bytes of a value in a run, and of the headers of the run and of what is packed behind it, must be less than the
/// bytes that packing takes.
fn least_run(width: u32) -> usize {
    match width {
        0 | 1 => 48,
        2 | 3 => 24,
        4..=7 => 16,
        _ => 8,
    }
}

#[inline]
fn all_equal<T: Copy + Eq + Into<u64>>(group: &[T]) -> bool {
    let first: u64 = group[0].into();
    group.iter().fold(0, |differing, value| differing | ((*value).into() ^ first)) == 0
}

/// How many values equal the first.
fn run_length<T: Copy + Eq + Into<u64>>(values: &[T]) -> usize {
    let first = values[0];
    let groups = values.chunks_exact(8).take_while(|group| group[0] == first && all_equal(group)).count() * 8;
    groups + values[groups..].iter().take(8).take_while(|value| **value == first).count()
}

/// Appends a run of one value.
pub(super) fn repeat_run<T: Into<u64>>(value: T, count: usize, width: u32, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    let bytes = width.div_ceil(8) as usize;
    out.extend_from_slice(&value.into().to_le_bytes()[..bytes]);
}

/// Appends values in groups of eight; the last group is filled up with zeros, and readers know how many values count.
fn pack_run<T: Copy + Default + Into<u64>>(values: &[T], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    packed_header(values.len(), out);
    let (whole, rest) = values.split_at(values.len() / 8 * 8);
    pack(whole, width, out);
    if !rest.is_empty() {
        let mut last = [T::default(); 8];
        last[..rest.len()].copy_from_slice(rest);
        pack(&last, width, out);
    }
}

/// Appends the header of a packed run of so many values.
pub(super) fn packed_header(values: usize, out: &mut Vec<u8>) {
    varint((values.div_ceil(8) as u64) << 1 | 1, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes as the specification says.
    fn decode(mut bytes: &[u8], width: u32, count: usize) -> Vec<u64> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let mut value = [0; 8];
                let length = width.div_ceil(8) as usize;
                value[..length].copy_from_slice(&bytes[..length]);
                bytes = &bytes[length..];
                values.extend(std::iter::repeat_n(u64::from_le_bytes(value), (header >> 1) as usize));
            } else {
                let length = (header >> 1) as usize * 8;
                for at in 0..length {
                    let bit = |bit: usize| {
                        let place = at * width as usize + bit;
                        u64::from(bytes[place / 8] >> (place % 8) & 1) << bit
                    };
                    values.push((0..width as usize).map(bit).sum());
                }
                bytes = &bytes[length / 8 * width as usize..];
            }
        }
        assert!(bytes.is_empty() && values.len() < count + 8);
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            width in 1u32..=20,
            runs in prop::collection::vec((any::<u32>(), prop_oneof![1usize..4, 6usize..60]), 0..40),
        ) {
            let mask = u32::MAX >> (32 - width);
            let values: Vec<u32> =
                runs.iter().flat_map(|(value, count)| std::iter::repeat_n(value & mask, *count)).collect();
            let mut out = Vec::new();
            encode(&values, width, &mut out);
            let wide: Vec<u64> = values.iter().map(|value| u64::from(*value)).collect();
            prop_assert_eq!(decode(&out, width, values.len()), wide);
        }
    }

    #[test]
    fn equal_values_take_a_few_bytes() {
        let mut out = Vec::new();
        encode(&vec![5u32; 100_000], 3, &mut out);
        assert_eq!(out.len(), 4);
    }
}
