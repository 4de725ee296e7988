//! A file that knows the SHA-256 of what was written to it.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// What one write takes at most. Linux gives a larger one page-cache folios that a virtual machine has often never touched, and the
/// copy into these took up to nine times as long (20 files of 7.5 MB: 0.30 s in one write each, 0.03 s in steps; 2026-11-25).
/// The bytes are still in the cache when they are hashed, too.
const STEP_BYTES: usize = 256 * 1024;

/// Hashes exactly the bytes the file took. The writer above writes whole column chunks.
pub(super) struct HashingFile {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl HashingFile {
    /// `file` is empty and open for writing.
    pub(super) fn new(file: File) -> Self {
        Self { file, hash: Sha256::new(), bytes: 0 }
    }

    /// The length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Syncs the file; its length and the hash in lower-case hex.
    pub(super) fn finish(&mut self) -> io::Result<(u64, String)> {
        self.file.sync_all()?;
        Ok((self.bytes, hex(&self.hash.finalize_reset())))
    }
}

/// The length of a file that exists and the SHA-256 of its bytes in lower-case hex.
pub(super) fn sha256_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; STEP_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(length) => {
                hash.update(&buffer[..length]);
                bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect()
}

fn hex_digit(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or_default()
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(&bytes[..bytes.len().min(STEP_BYTES)])?;
        self.hash.update(&bytes[..taken]);
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_writes_go_in_steps() {
        let bytes = vec![b'a'; 2 * STEP_BYTES + 1];
        let mut at_once = HashingFile::new(tempfile::tempfile().unwrap());
        assert_eq!(at_once.write(&bytes).unwrap(), STEP_BYTES);
        at_once.write_all(&bytes[STEP_BYTES..]).unwrap();
        let mut in_parts = HashingFile::new(tempfile::tempfile().unwrap());
        bytes.chunks(1_000).for_each(|part| in_parts.write_all(part).unwrap());
        let finished = at_once.finish().unwrap();
        assert_eq!(finished.0, bytes.len() as u64);
        assert_eq!(finished, in_parts.finish().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(sha256_of(&path).unwrap(), finished);
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let mut file = HashingFile::new(tempfile::tempfile().unwrap());
        file.write_all(b"a").unwrap();
        file.write_all(b"bc").unwrap();
        let (bytes, sha256) = file.finish().unwrap();
        assert_eq!(bytes, 3);
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
