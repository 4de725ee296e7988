//! Unpacking through its public face: verdicts on gzip, and the cutting into blocks.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn limits(block_bytes: usize, max_line_bytes: usize) -> UnpackLimits {
    UnpackLimits { block_bytes, max_line_bytes, whole_bytes: 1 << 20, ..UnpackLimits::default() }
}

/// Feeds `piece` in chunks of `chunk` bytes, or as a whole for 0.
fn unpack(
    piece: &[u8],
    format: PieceFormat,
    limits: UnpackLimits,
    chunk: usize,
) -> Result<(Vec<Block>, UnpackTotals), UnpackError> {
    let mut blocks = Vec::new();
    let mut unpacker = Unpacker::new(format, limits, &BufferPool::new(1 << 20));
    let mut sink = |block| blocks.push(block);
    if chunk == 0 {
        unpacker.feed_whole(&Bytes::copy_from_slice(piece), &mut sink)?;
    } else {
        for part in piece.chunks(chunk) {
            unpacker.feed(part, &mut sink)?;
        }
    }
    let totals = unpacker.finish(&mut sink)?;
    Ok((blocks, totals))
}

fn content(blocks: &[Block]) -> Vec<u8> {
    blocks.iter().flat_map(|block| block.bytes.to_vec()).collect()
}

const LINES: &[u8] = b"{\"Id\":\"1\"}\n{\"Id\":\"2\"}\r\n\n{\"Id\":\"3\"}";

fn both_ways(piece: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let whole = unpack(piece, PieceFormat::Gzip, limits(16, 100), 0).map(|(blocks, _)| content(&blocks));
    for chunk in [1, 3, 1000] {
        let streamed =
            unpack(piece, PieceFormat::Gzip, limits(16, 100), chunk).map(|(blocks, _)| content(&blocks));
        assert_eq!(whole, streamed, "in chunks of {chunk}");
    }
    whole
}

#[test]
fn one_member_and_several() {
    let one = gzip(LINES);
    assert_eq!(both_ways(&one).unwrap(), LINES);
    let mut several = one.clone();
    several.extend(gzip(b""));
    several.extend(&one);
    assert_eq!(both_ways(&several).unwrap(), [LINES, LINES].concat());
}

#[test]
fn a_damaged_trailer_hides_no_second_member_and_no_garbage() {
    let one = gzip(LINES);
    let mut repeated = [one.as_slice(), &one].concat();
    repeated[one.len() - 8] ^= 1;
    assert!(matches!(both_ways(&repeated), Err(UnpackError::WrongCrc { member: 1, .. })));
    let (data, trailer) = one.split_at(one.len() - 8);
    for garbage in [b"garbage".as_slice(), b"g", &trailer[..4]] {
        let piece = [data, garbage, trailer].concat();
        assert!(both_ways(&piece).is_err(), "{garbage:?}");
    }
    assert!(matches!(
        both_ways(&[one.as_slice(), trailer].concat()),
        Err(UnpackError::TrailingGarbage { member: 1, .. })
    ));
}

#[test]
fn zero_padding_is_fine_and_garbage_is_not() {
    let mut padded = gzip(LINES);
    let end = padded.len() as u64;
    padded.extend([0; 512]);
    assert_eq!(both_ways(&padded).unwrap(), LINES);
    for garbage in [b"x".as_slice(), b"\0\0x", b"\x1fx", b"more text than a trailer is long"] {
        let mut piece = gzip(LINES);
        piece.extend(garbage);
        let zeros = garbage.iter().take_while(|&&byte| byte == 0).count() as u64;
        assert_eq!(both_ways(&piece), Err(UnpackError::TrailingGarbage { member: 1, offset: end + zeros }));
    }
}

#[test]
fn a_name_in_gz_promises_gzip() {
    assert_eq!(both_ways(b""), Err(UnpackError::Empty));
    assert_eq!(both_ways(LINES), Err(UnpackError::NotGzip));
    assert_eq!(PieceFormat::of_name("a/b.GZ"), PieceFormat::Gzip);
    let detected = |piece: &[u8]| unpack(piece, PieceFormat::of_name("b.json"), limits(16, 100), 5);
    assert_eq!(content(&detected(LINES).unwrap().0), LINES);
    assert_eq!(content(&detected(&gzip(LINES)).unwrap().0), LINES);
    assert_eq!(detected(b"").unwrap().1, UnpackTotals::default());
}

#[test]
fn a_header_with_everything_in_it() {
    let mut piece = vec![0x1f, 0x8b, 8, FLAGS_ALL, 0, 0, 0, 0, 0, 255];
    piece.extend([3, 0, b'a', b'b', b'c']);
    piece.extend(b"part-0.json\0");
    piece.extend(b"a comment\0");
    let crc = libdeflater::crc32(&piece);
    piece.extend(&crc.to_le_bytes()[..2]);
    let crc_at = piece.len() - 2;
    piece.extend(&gzip(LINES)[10..]);
    assert_eq!(both_ways(&piece).unwrap(), LINES);
    piece[crc_at] ^= 1;
    assert!(matches!(both_ways(&piece), Err(UnpackError::BadHeader { member: 1, offset: 0, .. })));
}

const FLAGS_ALL: u8 = 2 + 4 + 8 + 16;

#[test]
fn every_cut_and_every_flipped_byte_is_noticed() {
    let piece = gzip(LINES);
    for end in 1..piece.len() {
        assert!(both_ways(&piece[..end]).is_err(), "cut at {end}");
    }
    // Bytes 4 to 9 of a header state time, level and system, which nothing depends on. Elsewhere a flipped bit is an
    // error, or one that gzip leaves without a meaning: a hint in the flags, the filling behind the last deflate block.
    for at in (0..piece.len()).filter(|at| !(4..10).contains(at)) {
        for bit in 0..8 {
            let mut flipped = piece.clone();
            flipped[at] ^= 1 << bit;
            if let Ok(content) = both_ways(&flipped) {
                assert_eq!(content, LINES, "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn a_line_beyond_the_limit_is_passed_over_with_its_length() {
    let long = vec![b'x'; 1000];
    let piece = [b"a\n".as_slice(), &long, b"\nb\n"].concat();
    for chunk in [1, 7, 4096] {
        let (blocks, totals) = unpack(&piece, PieceFormat::Detect, limits(16, 64), chunk).unwrap();
        assert_eq!(totals.lines, 3);
        assert_eq!(totals.bytes, piece.len() as u64);
        let oversized: Vec<_> =
            blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Lines)).collect();
        assert_eq!(oversized.len(), 1);
        assert!(matches!(oversized[0].kind, BlockKind::Oversized { bytes: 1000, limit: 64 }));
        assert_eq!((oversized[0].first_line, oversized[0].offset), (2, 2));
        let last = blocks.last().unwrap();
        assert_eq!((last.first_line, last.offset, last.bytes.as_ref()), (3, 1003, b"b\n".as_slice()));
    }
}

/// Unpacks within other limits than usual, at once and streamed.
fn within(piece: &[u8], format: PieceFormat, limits: UnpackLimits) -> Result<u64, UnpackError> {
    let whole = unpack(piece, format, limits, 0).map(|(_, totals)| totals.bytes);
    let streamed = unpack(piece, format, limits, 4_096).map(|(_, totals)| totals.bytes);
    assert_eq!(whole.is_ok(), streamed.is_ok());
    whole
}

#[test]
fn a_piece_beyond_its_limit_is_given_up_and_the_limit_named() {
    let text = b"{}\n".repeat(1_000);
    let zipped = gzip(&text);
    for (piece, format) in [(&text, PieceFormat::Detect), (&zipped, PieceFormat::Gzip)] {
        let with = |max_piece_bytes| {
            let limits = UnpackLimits { max_piece_bytes, ..limits(1 << 10, 100) };
            within(piece, format, limits)
        };
        assert_eq!(with(3_000), Ok(3_000));
        let error = with(2_999).unwrap_err();
        assert!(error.is_limit() && error.to_string().contains("--max-piece"), "{error}");
        assert!(error.to_string().contains("2999"), "{error}");
    }
    assert!(!UnpackError::Empty.is_limit());
}

#[test]
fn a_bomb_is_given_up_long_before_its_end() {
    let size = 4 * usize::try_from(RATIO_FREE_BYTES).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; size]).unwrap();
    let bomb = encoder.finish().unwrap();
    let mut handed_out = 0;
    let mut unpacker = Unpacker::new(PieceFormat::Gzip, UnpackLimits::default(), &BufferPool::new(1 << 20));
    let fed = unpacker.feed_whole(&Bytes::from(bomb.clone()), &mut |block| handed_out += block.bytes.len());
    let error = fed.unwrap_err();
    assert!(matches!(error, UnpackError::RatioTooHigh { limit: 100, .. }) && error.is_limit());
    assert!(error.to_string().contains("--max-ratio"), "{error}");
    assert!(handed_out as u64 <= RATIO_FREE_BYTES);
    // What is small, or what was asked for, may be as repetitive as it likes.
    let small = gzip(&b"{}\n".repeat(100_000));
    assert_eq!(within(&small, PieceFormat::Gzip, UnpackLimits::default()), Ok(300_000));
    let unlimited = UnpackLimits { max_ratio: 0, ..UnpackLimits::default() };
    assert_eq!(unpack(&bomb, PieceFormat::Gzip, unlimited, 4_096).unwrap().1.bytes, size as u64);
}

/// A header was looked for in a copy of all that followed, so that a million members took hours.
#[test]
fn members_without_number_take_time_in_proportion() {
    let empty = gzip(b"");
    let mut piece = empty.repeat(300_000);
    piece.extend(gzip(LINES));
    let (blocks, totals) = unpack(&piece, PieceFormat::Gzip, limits(1 << 10, 100), piece.len()).unwrap();
    assert_eq!((content(&blocks).as_slice(), totals.bytes), (LINES, LINES.len() as u64));
}

#[test]
fn a_long_header_is_read_to_its_end() {
    let mut piece = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255];
    piece.extend([b'n'; 10_000]);
    piece.push(0);
    piece.extend(&gzip(LINES)[10..]);
    assert_eq!(both_ways(&piece).unwrap(), LINES);
    let endless = [&piece[..10], &vec![b'n'; 2 << 20]].concat();
    assert!(matches!(both_ways(&endless), Err(UnpackError::BadHeader { member: 1, offset: 0, .. })));
}

#[test]
fn lines_without_number_come_in_several_blocks() {
    let text = b"\n".repeat(100_000);
    for chunk in [0, 5_000] {
        let (blocks, totals) = unpack(&text, PieceFormat::Detect, limits(1 << 20, 100), chunk).unwrap();
        assert_eq!((totals.lines, totals.blocks), (100_000, 4));
        assert!(blocks.iter().all(|block| block.lines <= 32 * 1024));
        assert_eq!(blocks[3].first_line, 3 * 32 * 1024 + 1);
    }
}

proptest! {
    #[test]
    fn blocks_are_whole_lines_in_their_places(
        lines in proptest::collection::vec("[a-z]{0,40}\r?", 0..60),
        last_newline in any::<bool>(),
        block_bytes in 1usize..80,
        chunk in 0usize..50,
        compressed in any::<bool>(),
    ) {
        let mut text = lines.join("\n");
        if last_newline && !text.is_empty() {
            text.push('\n');
        }
        let piece = if compressed { gzip(text.as_bytes()) } else { text.clone().into_bytes() };
        let (blocks, totals) = unpack(&piece, PieceFormat::Detect, limits(block_bytes, 100), chunk).unwrap();
        prop_assert_eq!(content(&blocks), text.as_bytes());
        let (mut line, mut offset) = (1, 0);
        for (index, block) in blocks.iter().enumerate() {
            prop_assert_eq!((block.index, block.first_line, block.offset), (index as u64, line, offset));
            prop_assert!(block.bytes.ends_with(b"\n") || index + 1 == blocks.len());
            line += block.bytes.split_inclusive(|&byte| byte == b'\n').count() as u64;
            offset += block.bytes.len() as u64;
        }
        prop_assert_eq!(totals, UnpackTotals { lines: line - 1, bytes: offset, blocks: blocks.len() as u64 });
    }
}
