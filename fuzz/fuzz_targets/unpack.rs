//! Any bytes as a gzip piece: at once and in chunks of any size they have one verdict and one content.
//!
//! The bytes are tried as they are, and as the compressed data of a member whose header and trailer are right, since no
//! fuzzer finds a CRC by chance.

#![no_main]

use std::io::Read as _;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pinlake_decode::unpack::{BufferPool, UnpackTotals};
use pinlake_decode::{PieceFormat, UnpackError, UnpackLimits, Unpacker};

type Unpacked = Result<(Vec<u8>, UnpackTotals), UnpackError>;

/// More than a fuzzer's input inflates to, unless it is a bomb.
const WHOLE_BYTES: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    expect_one_verdict(data);
    if let Some(content) = inflate(data) {
        let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        member.extend_from_slice(data);
        let mut crc = flate2::Crc::new();
        crc.update(&content);
        member.extend(crc.sum().to_le_bytes());
        member.extend(crc.amount().to_le_bytes());
        expect_one_verdict(&member);
    }
});

/// What raw deflate data inflate to, if they have an end within bounds; what follows the end is not looked at.
fn inflate(data: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::with_capacity(WHOLE_BYTES);
    let mut inflate = flate2::Decompress::new(false);
    let status = inflate.decompress_vec(data, &mut content, flate2::FlushDecompress::Finish).ok()?;
    (status == flate2::Status::StreamEnd).then_some(content)
}

/// What flate2 reads: the content up to the first fault, and whether there was none. It takes no notice of a header's CRC and reserved flags, and
/// zero padding is a fault to it.
fn reference(piece: &[u8]) -> (Vec<u8>, bool) {
    let mut content = Vec::new();
    let is_sound = flate2::read::MultiGzDecoder::new(piece).read_to_end(&mut content).is_ok();
    (content, is_sound)
}

fn expect_the_reference(piece: &[u8]) {
    let (content, is_sound) = reference(piece);
    match unpack(piece, 0, 1 << 20) {
        Ok((ours, _)) => assert_eq!(ours, content),
        Err(error) if is_sound && !piece.is_empty() => {
            assert!(matches!(error, UnpackError::BadHeader { .. }) || error.is_limit(), "{error}");
        }
        Err(_) => {}
    }
}

fn expect_one_verdict(piece: &[u8]) {
    expect_the_reference(piece);
    for block_bytes in [64, 1 << 20] {
        let whole = unpack(piece, 0, block_bytes);
        for chunk_bytes in [1, 7, 4096] {
            let streamed = unpack(piece, chunk_bytes, block_bytes);
            match (&whole, &streamed) {
                // Blocks are cut where bytes come; their number is no part of the outcome.
                (Ok((left, left_totals)), Ok((right, right_totals))) => {
                    assert_eq!(left, right);
                    assert_eq!(
                        (left_totals.lines, left_totals.bytes),
                        (right_totals.lines, right_totals.bytes)
                    );
                }
                // Where the inflater notices damage depends on what it was given, and before that a piece may end.
                (Err(left), Err(right)) if is_inflaters(left) && is_inflaters(right) => {}
                (left, right) => assert_eq!(left, right, "at once, and in chunks of {chunk_bytes}"),
            }
        }
    }
}

/// Whether the inside of a member is at fault.
fn is_inflaters(error: &UnpackError) -> bool {
    matches!(error, UnpackError::Damaged { .. } | UnpackError::CutShort { .. })
}

/// Unpacks in chunks, or at once for 0.
fn unpack(piece: &[u8], chunk_bytes: usize, block_bytes: usize) -> Unpacked {
    let limits = UnpackLimits { block_bytes, whole_bytes: WHOLE_BYTES, ..UnpackLimits::default() };
    let mut unpacker = Unpacker::new(PieceFormat::Gzip, limits, &BufferPool::new(1 << 20));
    let mut content = Vec::new();
    let mut sink = |block: pinlake_decode::Block| content.extend_from_slice(&block.bytes);
    if chunk_bytes == 0 {
        unpacker.feed_whole(&Bytes::copy_from_slice(piece), &mut sink)?;
    } else {
        for chunk in piece.chunks(chunk_bytes) {
            unpacker.feed(chunk, &mut sink)?;
        }
    }
    let totals = unpacker.finish(&mut sink)?;
    Ok((content, totals))
}
