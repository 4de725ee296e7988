//! The bytes of an object or of a part: segments in memory or in files, one after the other, which are shared and never
//! changed.
//!
//! A body is cut and joined without copying. What is in files is read on demand, a range at a time.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};

/// Bytes that are read or hashed at once: what an answer that comes from files holds in memory, twice.
pub(crate) const CHUNK_BYTES: usize = 512 * 1024;

/// A file of the data folder, removed when nobody can read it any more: no object names it, and no reader holds it.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: PathBuf,
    /// How many objects name it.
    named: AtomicUsize,
}

impl KeptFile {
    /// A file that no object names yet.
    pub(super) fn new(path: PathBuf) -> Self {
        KeptFile { path, named: AtomicUsize::new(0) }
    }

    /// The name in the data folder.
    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

impl Drop for KeptFile {
    fn drop(&mut self) {
        if *self.named.get_mut() == 0
            && let Err(error) = fs::remove_file(&self.path)
        {
            // It is removed when the folder is opened the next time.
            tracing::debug!(%error, "a file that no object names was not removed");
        }
    }
}

/// Bytes that lie together.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// In memory.
    Memory(Bytes),
    /// In a file, from `start`.
    File { file: Arc<KeptFile>, start: u64, length: usize },
}

impl Segment {
    fn length(&self) -> usize {
        match self {
            Segment::Memory(bytes) => bytes.len(),
            Segment::File { length, .. } => *length,
        }
    }

    /// A part of it, which must lie inside.
    fn cut(&self, range: Range<usize>) -> Segment {
        match self {
            Segment::Memory(bytes) => Segment::Memory(bytes.slice(range)),
            Segment::File { file, start, .. } => Segment::File {
                file: Arc::clone(file),
                start: start + range.start as u64,
                length: range.len(),
            },
        }
    }

    fn read(&self) -> io::Result<Bytes> {
        match self {
            Segment::Memory(bytes) => Ok(bytes.clone()),
            Segment::File { file, start, length } => {
                let mut bytes = BytesMut::zeroed(*length);
                read_at(&File::open(&file.path)?, &mut bytes, *start)?;
                Ok(bytes.freeze())
            }
        }
    }
}

/// Fills the buffer from an offset of the file.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills the buffer from an offset of the file, whose handle nobody else has.
#[cfg(not(unix))]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = file;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(buffer)
}

/// Bytes in segments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    segments: Arc<[Segment]>,
    length: usize,
}

impl Body {
    /// Bytes in memory.
    pub(super) fn in_memory(bytes: Bytes) -> Self {
        Body::of(if bytes.is_empty() { Vec::new() } else { vec![Segment::Memory(bytes)] })
    }

    /// These segments.
    pub(super) fn of(segments: Vec<Segment>) -> Self {
        let length = segments.iter().map(Segment::length).sum();
        Body { segments: segments.into(), length }
    }

    /// These bodies, one after the other.
    pub(super) fn join<'body>(bodies: impl IntoIterator<Item = &'body Body>) -> Self {
        Body::of(bodies.into_iter().flat_map(|body| body.segments.iter().cloned()).collect())
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The segments.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// A part, which must lie inside.
    pub(crate) fn cut(&self, range: Range<usize>) -> Body {
        if range == (0..self.length) {
            return self.clone();
        }
        let (mut segments, mut offset) = (Vec::new(), 0);
        for segment in self.segments.iter() {
            let start = range.start.saturating_sub(offset).min(segment.length());
            let end = range.end.saturating_sub(offset).min(segment.length());
            if start < end {
                segments.push(segment.cut(start..end));
            }
            offset += segment.length();
        }
        Body::of(segments)
    }

    /// Whether reading it needs no disk.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Memory(_)))
    }

    /// Whether all of it is in files.
    pub(super) fn is_in_files(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::File { .. }))
    }

    /// Takes the next bytes off the front, at most [`CHUNK_BYTES`]; `None` at the end. They are read by [`Body::read`].
    pub(crate) fn split_chunk(&mut self) -> Option<Body> {
        let first = self.segments.iter().find(|segment| segment.length() > 0)?;
        // A chunk ends with its segment, so that what is in memory is not copied.
        let chunk = self.cut(0..first.length().min(CHUNK_BYTES));
        *self = self.cut(chunk.length..self.length);
        Some(chunk)
    }

    /// All bytes, read into memory. Waits for the disk where they are in files.
    pub(crate) fn read(&self) -> io::Result<Bytes> {
        match &*self.segments {
            [] => Ok(Bytes::new()),
            [segment] => segment.read(),
            segments => {
                let mut bytes = BytesMut::with_capacity(self.length);
                for segment in segments {
                    bytes.extend_from_slice(&segment.read()?);
                }
                Ok(bytes.freeze())
            }
        }
    }

    /// Hands all bytes to a hasher, a chunk at a time. Waits for the disk where they are in files.
    pub(crate) fn each_chunk(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut rest = self.clone();
        while let Some(chunk) = rest.split_chunk() {
            take(&chunk.read()?);
        }
        Ok(())
    }

    /// Counts one object more that names its files.
    pub(super) fn name_files(&self) {
        for segment in self.segments.iter() {
            if let Segment::File { file, .. } = segment {
                file.named.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Counts one object less.
    pub(super) fn forget_files(&self) {
        for segment in self.segments.iter() {
            if let Segment::File { file, .. } = segment {
                file.named.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_cut_and_joined_wherever_the_seams_are() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("file");
        fs::write(&path, b"34567")?;
        let file = Arc::new(KeptFile::new(path.clone()));
        let body = Body::of(vec![
            Segment::Memory(Bytes::from_static(b"012")),
            Segment::File { file, start: 0, length: 5 },
            Segment::Memory(Bytes::from_static(b"89")),
        ]);
        for start in 0..=10 {
            for end in start..=10 {
                let part = body.cut(start..end);
                assert_eq!(part.length(), end - start);
                assert_eq!(part.read()?, b"0123456789"[start..end]);
                let mut chunks = Vec::new();
                part.each_chunk(|chunk| chunks.extend_from_slice(chunk))?;
                assert_eq!(chunks, b"0123456789"[start..end]);
            }
        }
        assert_eq!(Body::join([&body.cut(0..4), &body.cut(4..10)]).read()?, b"0123456789".as_slice());
        drop(body);
        assert!(!path.exists(), "nobody names the file or holds it");
        Ok(())
    }
}
