//! Any bytes as a plain piece: the decoder, by both of its paths and however the piece is cut, against the reference.

#![no_main]

#[path = "../../crates/pinlake-decode/tests/differential"]
mod differential {
    pub(crate) mod decoded;
    pub(crate) mod reference;
}

use differential::decoded::{Session, Way, expect_same};
use differential::reference;
use libfuzzer_sys::fuzz_target;

/// Short, so that a fuzzer's inputs reach it.
const MAX_LINE_BYTES: usize = 2048;

fuzz_target!(|piece: &[u8]| {
    if piece.first() == Some(&0x1f) {
        // Taken for gzip; the target `unpack` is for that.
        return;
    }
    let expected = reference::read(piece, MAX_LINE_BYTES);
    for slow_path_only in [false, true] {
        // Twice with one decoder: nothing of the first reading may show in the second.
        let mut session = Session::new(MAX_LINE_BYTES, slow_path_only);
        for way in [Way { chunk_bytes: 0, block_bytes: 1 << 20 }, Way { chunk_bytes: 13, block_bytes: 40 }] {
            let how = format!("slow path only: {slow_path_only}, {way:?}");
            expect_same(&expected, session.read(piece, way), &how);
        }
    }
});
