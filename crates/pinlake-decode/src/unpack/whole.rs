//! Inflating a whole piece at once with libdeflate.

use bytes::Bytes;
use libdeflater::Decompressor;

use super::buffers::BufferPool;
use super::gzip::{Header, read_header, read_trailer};

/// The content of `piece` if it is one sound gzip member of at most `max_bytes`; `None` sends it through the stream,
/// which reads everything and finds the fault where there is one.
///
/// libdeflate's wrapper does not tell how much input it used, so a second member could hide behind the first: a piece in
/// which any byte sequence could begin another member is left to the stream (one in some twenty pieces of 7 MB, by chance).
pub(super) fn inflate(piece: &[u8], max_bytes: usize, buffers: &BufferPool) -> Option<Bytes> {
    let Header::Complete(header_bytes) = read_header(piece) else { return None };
    let body = piece.get(header_bytes..)?;
    let (data, trailer) = body.split_at_checked(body.len().checked_sub(8)?)?;
    let (stated_crc, stated_length) = read_trailer(trailer)?;
    let length = usize::try_from(stated_length).ok()?;
    // Deflate makes at most 1,032 bytes of one, so a larger claim is false; memory is not spent on it.
    if length == 0 || length > max_bytes || length / 1_032 > data.len() || may_hold_another_member(body) {
        return None;
    }
    let mut buffer = buffers.take(length);
    let inflated = Decompressor::new().deflate_decompress(data, &mut buffer[..length]);
    let content = buffers.share(buffer, length);
    (inflated == Ok(length) && libdeflater::crc32(&content) == stated_crc).then_some(content)
}

fn may_hold_another_member(body: &[u8]) -> bool {
    memchr::memmem::find_iter(body, &[0x1f, 0x8b, 8])
        .any(|at| body.get(at + 3).is_none_or(|flags| flags & 0xe0 == 0))
}
