//! Bytes on their way into the store: kept in memory, or written to a file of the data folder as they come, and hashed.
//!
//! Bounds: what goes to a file has no more than [`BLOCK_BYTES`] and one chunk in memory.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::Checksum;

use super::body::{Body, KeptFile, Segment};
use super::object::hex;
use super::{Object, Store, StoreError};

/// Bytes that are written to a file at once.
const BLOCK_BYTES: usize = 1024 * 1024;

/// Bytes that have arrived whole.
pub(crate) struct Received {
    /// Where they are.
    pub(crate) body: Body,
    /// Their MD5.
    pub(crate) md5: [u8; 16],
    /// The checksums that were asked for.
    pub(crate) checksum: Checksum,
}

/// Takes bytes in.
pub(crate) struct Intake {
    /// What is not hashed yet: everything where there is no file.
    buffer: BytesMut,
    file: Option<FileIntake>,
    hashes: Hashes,
}

/// A file that is being written.
struct FileIntake {
    file: File,
    kept: Arc<KeptFile>,
    length: usize,
}

/// The hashes of what came.
struct Hashes {
    md5: Md5,
    checksums: ChecksumHasher,
}

impl Hashes {
    /// The MD5, and these checksums.
    fn new(checksums: ChecksumHasher) -> Self {
        Hashes { md5: Md5::new(), checksums }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksums.update(bytes);
    }
}

impl Store {
    /// Begins to take bytes in, and to work out these checksums.
    pub(crate) fn intake(&self, checksums: ChecksumHasher) -> Result<Intake, StoreError> {
        let file = match self.folder() {
            None => None,
            Some(folder) => {
                let (file, kept) = folder.create_file()?;
                Some(FileIntake { file, kept: Arc::new(kept), length: 0 })
            }
        };
        Ok(Intake { buffer: BytesMut::new(), file, hashes: Hashes::new(checksums) })
    }
}

impl Received {
    /// A body that is in the store already, hashed. Waits for the disk where it is in files.
    pub(crate) fn copied(body: Body, checksums: ChecksumHasher) -> Result<Received, StoreError> {
        let mut hashes = Hashes::new(checksums);
        body.each_chunk(|chunk| hashes.update(chunk)).map_err(|source| StoreError::Bytes { source })?;
        let Hashes { md5, checksums } = hashes;
        Ok(Received { body, md5: md5.finalize().into(), checksum: checksums.finalize() })
    }

    /// The object of these bytes: its `ETag` is the MD5.
    pub(crate) fn into_object(self) -> Object {
        Object::with_body(self.body, hex(&self.md5)).with_checksum(self.checksum)
    }
}

impl Intake {
    /// How many bytes have come so far.
    pub(crate) fn length(&self) -> usize {
        self.buffer.len() + self.file.as_ref().map_or(0, |file| file.length)
    }

    /// Whether the bytes stay in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.file.is_none()
    }

    /// Takes a chunk. Whether [`Intake::write`] is due.
    pub(crate) fn push(&mut self, chunk: &Bytes) -> bool {
        self.buffer.extend_from_slice(chunk);
        self.file.is_some() && self.buffer.len() >= BLOCK_BYTES
    }

    /// Writes what has come to the file. Waits for the disk.
    pub(crate) fn write(&mut self) -> Result<(), StoreError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        self.hashes.update(&self.buffer);
        file.file.write_all(&self.buffer).map_err(|source| StoreError::Bytes { source })?;
        file.length += self.buffer.len();
        self.buffer.clear();
        Ok(())
    }

    /// Ends the intake: the file is written and synced. Waits for the disk.
    pub(crate) fn finish(mut self) -> Result<Received, StoreError> {
        self.write()?;
        let body = match self.file {
            None => {
                self.hashes.update(&self.buffer);
                Body::in_memory(self.buffer.freeze())
            }
            Some(FileIntake { length: 0, .. }) => Body::default(),
            Some(FileIntake { file, kept, length }) => {
                file.sync_all().map_err(|source| StoreError::Bytes { source })?;
                Body::of(vec![Segment::File { file: kept, start: 0, length }])
            }
        };
        let Hashes { md5, checksums } = self.hashes;
        Ok(Received { body, md5: md5.finalize().into(), checksum: checksums.finalize() })
    }
}
