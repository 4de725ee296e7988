//! Any bytes as a piece of CSV: in chunks and blocks of any size they become the same rows and rejects, every line is accounted for, and what was rejected is
//! there to the byte.
//!
//! The bytes are tried as they are, and behind a header, since no fuzzer finds a member's name by chance.

#![no_main]

use arrow::array::RecordBatch;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pinlake_decode::unpack::BufferPool;
use pinlake_decode::{
    BlockDecoder, DecodeOptions, Reject, UnpackError, UnpackLimits, Unpacker, endpoint_schema,
};

/// Columns of every kind, one of them twice and one that no endpoint has.
const HEADER: &[u8] =
    b"Id,EffectiveDate,Location.Latitude,Metrics.m,Attributes.a,Attributes.a,User.UserAttributes.b,Zip\n";

fuzz_target!(|data: &[u8]| {
    expect_one_outcome(data);
    expect_one_outcome(&[HEADER, data].concat());
});

/// How a piece is handed over, and the path that its records take.
#[derive(Clone, Copy)]
struct Way {
    chunk_bytes: usize,
    block_bytes: usize,
    slow_path_only: bool,
}

/// Rows, rejects, lines, and lines that are neither.
type Outcome = Result<(RecordBatch, Vec<Reject>, u64, u64), UnpackError>;

fn expect_one_outcome(piece: &[u8]) {
    let whole = read(piece, Way { chunk_bytes: 0, block_bytes: 1 << 20, slow_path_only: false });
    if let Ok((rows, rejects, lines, blank)) = &whole {
        assert_eq!(rows.num_rows() as u64 + rejects.len() as u64 + blank, *lines);
        for reject in rejects {
            let at = usize::try_from(reject.offset).expect("a position");
            assert!(piece[at..].starts_with(&reject.raw));
        }
    }
    for (chunk_bytes, block_bytes, slow_path_only) in
        [(1, 7, false), (13, 1, true), (64, 100, false), (0, 16, true)]
    {
        let other = read(piece, Way { chunk_bytes, block_bytes, slow_path_only });
        match (&whole, other) {
            (Ok(whole), Ok(other)) => {
                assert!(*whole == other, "chunks of {chunk_bytes}, blocks of {block_bytes}")
            }
            (Err(whole), Err(other)) => assert_eq!(*whole, other),
            (whole, other) => panic!("{:?} and {:?}", whole.is_ok(), other.err()),
        }
    }
}

fn read(piece: &[u8], way: Way) -> Outcome {
    let limits = UnpackLimits { block_bytes: way.block_bytes, ..UnpackLimits::default() };
    let mut blocks = Vec::new();
    let mut sink = |block| blocks.push(block);
    let mut unpacker = Unpacker::for_piece("a.csv", limits, &BufferPool::new(1 << 20));
    if way.chunk_bytes == 0 {
        unpacker.feed_whole(&Bytes::copy_from_slice(piece), &mut sink)?;
    } else {
        for chunk in piece.chunks(way.chunk_bytes) {
            unpacker.feed(chunk, &mut sink)?;
        }
    }
    let totals = unpacker.finish(&mut sink)?;
    let mut decoder =
        BlockDecoder::new(DecodeOptions { slow_path_only: way.slow_path_only, ..DecodeOptions::default() });
    let (mut batches, mut rejects, mut lines, mut blank) = (Vec::new(), Vec::new(), 0, 0);
    for block in &blocks {
        let decoded = decoder.decode("a.csv", 0, block).expect("columns that make a batch");
        batches.extend(decoded.batch);
        rejects.extend(decoded.rejects);
        lines += decoded.lines;
        blank += decoded.blank;
    }
    assert_eq!(totals.lines, lines);
    let rows = arrow::compute::concat_batches(&endpoint_schema(), &batches).expect("batches of one schema");
    Ok((rows, rejects, lines, blank))
}
