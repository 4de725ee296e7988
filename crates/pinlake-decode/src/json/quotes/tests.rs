//! Both scanners against a reading of one byte at a time.

use proptest::prelude::*;

use super::*;

/// Every quote that is not escaped, whether something special stands before it, and every line feed.
fn plainly(text: &[u8]) -> (Vec<(usize, bool)>, Vec<u32>) {
    let (mut quotes, mut feeds) = (Vec::new(), Vec::new());
    let (mut is_escaped, mut is_special) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        if byte == b'\n' {
            feeds.push(u32::try_from(at).unwrap());
        }
        let was_escaped = std::mem::take(&mut is_escaped);
        if byte == b'"' && !was_escaped {
            quotes.push((at, std::mem::take(&mut is_special)));
        } else if byte == b'\\' {
            is_special = true;
            is_escaped = !was_escaped;
        } else if byte < 0x20 && byte != b'\n' {
            is_special = true;
        }
    }
    (quotes, feeds)
}

fn read(index: &QuoteIndex) -> (Vec<(usize, bool)>, Vec<u32>) {
    let quotes = index.quotes[..index.filled].iter();
    let quotes = quotes.map(|&quote| ((quote & NOWHERE) as usize, quote & SPECIAL != 0)).collect();
    (quotes, index.line_feeds.clone())
}

fn portably(text: &[u8]) -> QuoteIndex {
    let mut index = QuoteIndex::default();
    portable::scan(text, &mut Filler { index: &mut index, base: 0, escape: Escape::default() });
    index
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_scanners_find_what_is_there(
        parts in proptest::collection::vec(
            prop_oneof![
                Just(b"\"".to_vec()), Just(b"\\".to_vec()), Just(b"\n".to_vec()), Just(vec![0x1f]), Just(vec![b' ']),
                Just(vec![0x80]), Just(vec![0xff]), Just(vec![b'"'; 40]), Just(vec![b'\\'; 63]), Just(vec![b'x'; 50]),
                proptest::collection::vec(any::<u8>(), 1..20),
            ],
            0..40,
        ),
    ) {
        let text = parts.concat();
        let expected = plainly(&text);
        prop_assert_eq!(&read(&portably(&text)), &expected);
        let mut index = QuoteIndex::default();
        // Twice, so that what a first filling leaves behind is seen.
        for _ in 0..2 {
            index.fill(&text);
            prop_assert_eq!(&read(&index), &expected);
        }
    }
}

#[test]
fn beyond_the_last_quote_nothing_opens() {
    let mut index = QuoteIndex::default();
    index.fill(br#"{"a":1}"#);
    assert_eq!(index.string(0), Quoted { open: 1, close: 3, is_special: false });
    assert!(index.string(2).open > 1 << 30);
    index.fill(br#"{"a":"1}"#);
    assert!(index.string(2).open == 5 && index.string(2).close > 1 << 30);
    assert_eq!((index.first_from(0, 2), index.first_from(0, 99)), (1, 3));
}
