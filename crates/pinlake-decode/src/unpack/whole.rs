//! Inflating a whole piece at once with libdeflate.

use bytes::Bytes;
use libdeflater::Decompressor;

use super::buffers::BufferPool;
use super::gzip::{Header, read_header, read_trailer};

/// The content of `piece` if it is one sound gzip member of at most `max_bytes`; `None` sends it through the stream,
/// which reads everything and finds the fault where there is one.
///
/// libdeflate's wrapper does not tell how much input it used, so a second member could hide behind the first. But behind
/// the first, if it is sound, stands its trailer: CRC and length of what was inflated. Where these eight bytes end the
/// piece and are nowhere else in it, the member that was inflated is the only one.
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
    if memchr::memmem::find(body, trailer) != Some(data.len()) {
        return None;
    }
    let mut buffer = buffers.take(length);
    let inflated = Decompressor::new().deflate_decompress(data, &mut buffer[..length]);
    let content = buffers.share(buffer, length);
    (inflated == Ok(length) && libdeflater::crc32(&content) == stated_crc).then_some(content)
}
