//! Spans of local files, read on threads for blocking work.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;

use super::FetchError;
use super::body::SpanData;
use super::digest::PieceDigest;
use super::planner::Span;

/// Reads one span of a file that was listed with `size` bytes; a whole piece comes with its facts.
/// A file whose size is another before or after the read has changed.
pub(super) async fn read(path: &Path, size: u64, span: Span) -> Result<SpanData<Bytes>, FetchError> {
    let owned = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_blocking(&owned, size, span));
    match reading.await {
        Ok(result) => result,
        Err(error) => Err(failed(path)(std::io::Error::other(error))),
    }
}

fn read_blocking(path: &Path, size: u64, span: Span) -> Result<SpanData<Bytes>, FetchError> {
    let changed = || FetchError::FileChanged { path: path.to_owned() };
    let mut file = File::open(path).map_err(failed(path))?;
    if file.metadata().map_err(failed(path))?.len() != size {
        return Err(changed());
    }
    file.seek(SeekFrom::Start(span.offset)).map_err(failed(path))?;
    let mut bytes = Vec::with_capacity(span.bytes);
    (&file).take(span.bytes as u64).read_to_end(&mut bytes).map_err(failed(path))?;
    if bytes.len() != span.bytes || file.metadata().map_err(failed(path))?.len() != size {
        return Err(changed());
    }
    let facts = span.is_whole.then(|| {
        let mut digest = PieceDigest::new(false);
        digest.update(&bytes);
        digest.finish().facts
    });
    Ok(SpanData { bytes: Bytes::from(bytes), facts, expected_md5: None })
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> FetchError {
    let path = path.to_owned();
    move |cause| FetchError::File { path, cause }
}
