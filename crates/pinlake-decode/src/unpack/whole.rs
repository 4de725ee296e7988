//! Inflating a whole piece at once with libdeflate.

use bytes::Bytes;

use super::buffers::BufferPool;
use super::gzip::{Header, read_header, read_trailer};
use super::inflater::{Inflated, Inflater};

/// The content of `piece` if it is one sound gzip member of at most `max_bytes`, and nothing else; `None` sends it through
/// the stream, which reads everything and finds the fault where there is one.
pub(super) fn inflate(piece: &[u8], max_bytes: usize, buffers: &BufferPool) -> Option<Bytes> {
    let Header::Complete(header_bytes) = read_header(piece) else { return None };
    let body = piece.get(header_bytes..)?;
    let (data, trailer) = body.split_at_checked(body.len().checked_sub(8)?)?;
    let (stated_crc, stated_length) = read_trailer(trailer)?;
    let length = usize::try_from(stated_length).ok()?;
    // Deflate makes at most 1,032 bytes of one, so a larger claim is false; memory is not spent on it.
    if length == 0 || length > max_bytes || length / 1_032 > data.len() {
        return None;
    }
    let mut buffer = buffers.take(length);
    let inflated = Inflater::new()?.inflate(data, &mut buffer[..length]);
    let content = buffers.share(buffer, length);
    // The member ends where the piece does: what was read as its trailer is its trailer.
    let is_whole = inflated == Some(Inflated { used: data.len(), written: length });
    (is_whole && libdeflater::crc32(&content) == stated_crc).then_some(content)
}
