//! Damage: bytes of a line changed, put in, taken out, or cut off.

use proptest::prelude::*;
use proptest::sample::{Index, select};

#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index),
    Cut(Index),
}

pub(crate) fn list() -> impl Strategy<Value = Vec<Damage>> {
    let telling = select(b"\"\\{}[],: \t\r\n0-9.eE\0\x01\x1f\x7f\x80\xc3\xff/untf".to_vec());
    let byte = prop_oneof![3 => telling, 1 => any::<u8>()];
    let bytes = prop_oneof![
        2 => byte.clone().prop_map(|byte| vec![byte]),
        1 => select(vec!["\u{feff}", "\u{2028}", "é", "😀", "\r\n", "\\u", "\\ud800", "\\\"", "\\\\\"", "\"\""])
            .prop_map(|text| text.as_bytes().to_vec()),
        // Overlong, a surrogate, half of a character: none of them UTF-8.
        1 => select(vec![b"\xc0\x80".to_vec(), b"\xed\xa0\x80".to_vec(), b"\xf0\x9f\x98".to_vec(), b"\xf5\x80\x80\x80".to_vec()]),
    ];
    let damage = prop_oneof![
        (any::<Index>(), byte).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), bytes).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        any::<Index>().prop_map(Damage::Remove),
        any::<Index>().prop_map(Damage::Cut),
    ];
    prop::collection::vec(damage, 1..4)
}

pub(crate) fn apply(mut line: Vec<u8>, list: &[Damage]) -> Vec<u8> {
    for damage in list {
        match damage {
            _ if line.is_empty() => {}
            Damage::Replace(at, byte) => {
                let at = at.index(line.len());
                line[at] = *byte;
            }
            Damage::Insert(at, bytes) => {
                let at = at.index(line.len());
                line.splice(at..at, bytes.iter().copied());
            }
            Damage::Remove(at) => {
                line.remove(at.index(line.len()));
            }
            Damage::Cut(at) => line.truncate(at.index(line.len())),
        }
    }
    line
}
