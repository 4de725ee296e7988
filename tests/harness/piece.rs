//! Pieces made by hand.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// One gzip member.
pub(crate) fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A piece of these lines, in the form of an export: a line feed between two, none at the end.
pub(crate) fn lines_piece(lines: &[&str]) -> Vec<u8> {
    gzip(lines.join("\n"))
}
