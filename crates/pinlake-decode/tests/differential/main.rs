//! The decoder against the plain reading of `reference`: rows and rejects alike, whatever the lines, however the piece is
//! stored and cut, by both paths, and from one piece to the next with one decoder.
//!
//! `PROPTEST_CASES` says how many pieces are tried, 1,500 where it is silent.

mod decoded;
mod lines;
mod reference;

use std::cell::RefCell;
use std::io::Write as _;

use proptest::prelude::*;

use decoded::{Session, Way, expect_same};

const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 1_500;
    }
    config.failure_persistence = None;
    config
}

/// A decoder for each path, shared by all cases of a test: what one piece left behind must not show in another.
struct Paths {
    usual: Session,
    slow: Session,
}

impl Paths {
    fn new(max_line_bytes: usize) -> Self {
        Self { usual: Session::new(max_line_bytes, false), slow: Session::new(max_line_bytes, true) }
    }

    fn expect_same(&mut self, piece: &[u8], max_line_bytes: usize, ways: &[(bool, Way)]) {
        let expected = reference::read(piece, max_line_bytes);
        for &(compressed, way) in ways {
            // A plain piece that begins like gzip is taken for gzip.
            let stored =
                if compressed || piece.first() == Some(&0x1f) { gzip(piece) } else { piece.to_vec() };
            let how =
                |path| format!("{path}, gzip {compressed}, {way:?}: {}", String::from_utf8_lossy(piece));
            expect_same(&expected, self.usual.read(&stored, way), &how("both paths"));
            expect_same(&expected, self.slow.read(&stored, way), &how("slow path"));
        }
    }
}

thread_local! {
    static PATHS: RefCell<Paths> = RefCell::new(Paths::new(MAX_LINE_BYTES));
}

#[test]
fn any_piece_reads_as_the_reference_reads_it() {
    proptest!(config(), |(piece in lines::piece(), block_bytes in 1usize..400, chunk_bytes in 0usize..90)| {
        let ways = [
            (true, Way { chunk_bytes: 0, block_bytes: 1 << 20 }),
            (false, Way { chunk_bytes: 0, block_bytes }),
            (true, Way { chunk_bytes, block_bytes: 1 << 20 }),
        ];
        PATHS.with_borrow_mut(|paths| paths.expect_same(&piece, MAX_LINE_BYTES, &ways));
    });
}

#[test]
fn a_limit_on_lines_holds_wherever_a_line_ends() {
    let mut config = config();
    config.cases /= 4;
    proptest!(config, |(piece in lines::piece(), max_line_bytes in 0usize..700, block_bytes in 1usize..900)| {
        let ways = [
            (true, Way { chunk_bytes: 0, block_bytes }),
            (false, Way { chunk_bytes: 7, block_bytes }),
        ];
        Paths::new(max_line_bytes).expect_same(&piece, max_line_bytes, &ways);
    });
}

/// A string of every length, behind a name of every length, so that its ends meet every place in words and vectors.
#[test]
fn strings_of_every_length_at_every_place() {
    let mut paths = Paths::new(MAX_LINE_BYTES);
    for filler in ["x", "é", "\\\"", "\\\\", "\\u00e9"] {
        for shift in 0..=70 {
            let shift = "s".repeat(shift);
            let lines: Vec<String> = (0..=70)
                .map(|length| {
                    let text = filler.repeat(length);
                    format!("{{\"Address\":\"{shift}\",\"Id\":\"{text}\",\"Attributes\":{{\"{text}\":[\"{text}\"]}}}}\n")
                })
                .collect();
            paths.expect_same(
                lines.concat().as_bytes(),
                MAX_LINE_BYTES,
                &[(false, Way { chunk_bytes: 0, block_bytes: 3000 })],
            );
        }
    }
}

/// More different texts than any dictionary is likely to hold in small keys, then old ones again.
#[test]
fn many_texts_in_many_blocks() {
    let mut paths = Paths::new(MAX_LINE_BYTES);
    let lines: Vec<String> = (0..3_000)
        .map(|at| {
            let (new, old) = (at * 7919 % 3_000, at % 11);
            format!(
                "{{\"Location\":{{\"City\":\"c{new}\",\"Country\":\"{old}\"}},\"Attributes\":{{\"n{new}\":[\"v{old}\",\"w{new}\"],\"o\":[]}},\"Id\":\"{at}\"}}\n"
            )
        })
        .collect();
    for block_bytes in [1 << 20, 5_000, 300] {
        paths.expect_same(
            lines.concat().as_bytes(),
            MAX_LINE_BYTES,
            &[(true, Way { chunk_bytes: 0, block_bytes })],
        );
    }
}

/// What a line is next to the limit of nesting, where `serde_json`'s own count differs from the contract's.
#[test]
fn nesting_of_128_is_a_row_and_of_129_a_reject() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}\n", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let piece = [127, 128, 129].map(nested).concat();
    let read = reference::read(piece.as_bytes(), MAX_LINE_BYTES);
    assert_eq!((read.rows.len(), read.rejects.len(), read.rejects[0].line), (2, 1, 3));
    Paths::new(MAX_LINE_BYTES).expect_same(
        piece.as_bytes(),
        MAX_LINE_BYTES,
        &[(false, Way { chunk_bytes: 0, block_bytes: 1 << 20 })],
    );
}
