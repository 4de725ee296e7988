//! Whether a data file can be handed to readers: it lies in the lake itself, is as long as the log says, and its footer
//! claims nothing that cannot be.
//!
//! The Parquet readers believe a footer. One that claims two thousand million row groups makes them ask for so much
//! memory that the process ends, which no error handling can catch, and a range beyond the file does the same; so
//! footers are walked here first, in memory bounded by [`MAX_FOOTER_BYTES`]. Nothing is decoded.

mod footer;
mod thrift;

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use arrow::datatypes::Schema;

use self::footer::Claims;
use crate::LakeError;
use crate::disk::{self, At as _};

/// The longest footer that is read. Those of the largest exports have some MiB.
const MAX_FOOTER_BYTES: u64 = 64 << 20;
/// Length of the footer and magic, at the end of a Parquet file.
const TAIL_BYTES: usize = 8;
const MAGIC: &[u8; 4] = b"PAR1";

/// The data file at `path` in the lake at `root` is a file of its own there, as long as the log says, and has the columns
/// of `schema` and a footer that readers can be trusted with. Returns the rows that the footer counts.
///
/// # Errors
/// `DamagedDataFile` if not.
pub(crate) fn check(root: &Path, path: &Path, bytes: u64, schema: &Schema) -> Result<u64, LakeError> {
    let damaged = |problem: String| LakeError::DamagedDataFile { path: path.to_owned(), problem };
    let found = length(root, path)?;
    if found != bytes {
        return Err(damaged(format!("has {found} bytes; the Delta log says {bytes}")));
    }
    let claims = claims(path, found)?;
    match claims.difference(schema) {
        None => Ok(claims.rows),
        Some(difference) => Err(damaged(format!("has a footer that {difference}"))),
    }
}

/// The rows that the footer of a data file counts, after the same look at the file and its footer.
pub(crate) fn rows(root: &Path, path: &Path) -> Result<u64, LakeError> {
    let length = length(root, path)?;
    claims(path, length).map(|claims| claims.rows)
}

/// What is said where a footer and the log count differently, in words that follow the path.
pub(crate) fn rows_differ(found: u64, logged: u64) -> String {
    format!("counts {found} rows in its footer; the Delta log says {logged}")
}

fn claims(path: &Path, length: u64) -> Result<Claims, LakeError> {
    let damaged = |problem: String| LakeError::DamagedDataFile { path: path.to_owned(), problem };
    let footer = read_footer(path, length).at("read", path)?.map_err(damaged)?;
    Claims::read(&footer, length).map_err(|problem| damaged(format!("has a footer that {problem}")))
}

/// The length of a file that lies in the lake itself.
fn length(root: &Path, path: &Path) -> Result<u64, LakeError> {
    let damaged =
        |problem: &str| LakeError::DamagedDataFile { path: path.to_owned(), problem: problem.to_owned() };
    if let Some(link) = disk::link_below(root, path) {
        let problem = "is reached through a link, and what may lie outside of the lake is not read";
        return Err(LakeError::DamagedDataFile { path: link, problem: problem.to_owned() });
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(found.len()),
        Ok(_) => Err(damaged("is no file")),
        Err(error) if is_absence(error.kind()) => Err(damaged("is missing, though the Delta log names it")),
        Err(error) => Err(error).at("look at", path),
    }
}

/// Whether nothing can be there: also where no file system has such a name.
fn is_absence(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename)
}

/// The bytes of a footer; or why there are none, in words that follow the path.
fn read_footer(path: &Path, length: u64) -> io::Result<Result<Vec<u8>, String>> {
    let (tail_bytes, magic_bytes) = (TAIL_BYTES as u64, MAGIC.len() as u64);
    if length < tail_bytes + magic_bytes {
        return Ok(Err(format!("is no Parquet file: it has {length} bytes")));
    }
    let mut file = File::open(path)?;
    let mut head = [0; MAGIC.len()];
    file.read_exact(&mut head)?;
    file.seek(SeekFrom::Start(length - tail_bytes))?;
    let mut tail = [0; TAIL_BYTES];
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if head != *MAGIC || magic != *MAGIC {
        return Ok(Err("is no Parquet file: it does not begin and end as one".to_owned()));
    }
    let footer_bytes = u64::from(u32::from_le_bytes([a, b, c, d]));
    if footer_bytes > length - tail_bytes - magic_bytes || footer_bytes > MAX_FOOTER_BYTES {
        return Ok(Err(format!("claims a footer of {footer_bytes} bytes")));
    }
    file.seek(SeekFrom::Start(length - tail_bytes - footer_bytes))?;
    let mut footer = Vec::new();
    file.take(footer_bytes).read_to_end(&mut footer)?;
    Ok(Ok(footer))
}

#[cfg(test)]
mod tests;
