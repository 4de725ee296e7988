//! Pieces as an export job writes them: gzip of lines with a line feed between two, and none behind the last.
//!
//! Small pieces are made side by side, each on one thread; a large one is made of blocks, side by side too (`member`). The
//! bytes depend on the population and on nothing else.

mod member;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;
use thiserror::Error;

use super::{Population, RecordSize};

/// Bytes of lines compressed in one go with libdeflate, the faster compressor, whose input must be in memory as a whole:
/// 131,072 usual lines. A larger piece is made of blocks, so that memory does not grow with it and all cores work on it.
const BYTES_IN_MEMORY: u64 = 131_072 * LINE_BYTES;

/// Bytes of lines between two reports of progress, and in a block of a large piece: 4,096 usual lines.
const BLOCK_BYTES: u64 = 4_096 * LINE_BYTES;

/// About the length of a usual line, in bytes. Sparse ones count as usual.
const LINE_BYTES: u64 = 720;

/// About the length of a rich line, in bytes.
const RICH_LINE_BYTES: u64 = 1_700;

/// About the length of a further attribute, in bytes.
const ATTRIBUTE_BYTES: u64 = 25;

/// Why pieces could not be written to a folder.
#[derive(Debug, Error)]
pub enum PopulationError {
    /// The folder could not be made or listed.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder holds pieces already; a second audience among them would be read as part of the first.
    #[error("the folder {} already holds {}", path.display(), name.display())]
    FolderNotEmpty {
        /// The folder.
        path: PathBuf,
        /// The name of a piece in it.
        name: PathBuf,
    },
    /// A piece could not be written.
    #[error("cannot write the piece {}", path.display())]
    Write {
        /// The piece.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The worker threads could not be started.
    #[error("cannot start {threads} threads")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the thread pool said.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}

/// Buffers and a compressor that one thread uses for piece after piece.
pub(super) struct PieceWriter {
    compressor: Compressor,
    lines: Vec<u8>,
    compressed: Vec<u8>,
}

impl PieceWriter {
    /// A writer with empty buffers.
    pub(super) fn new() -> Self {
        // Level 1 always exists; libdeflate's default is a safe second.
        let level = CompressionLvl::new(1).unwrap_or_default();
        PieceWriter { compressor: Compressor::new(level), lines: Vec::new(), compressed: Vec::new() }
    }

    /// Writes the piece that holds these endpoints. `progress` is called with the number of endpoints done since its
    /// last call.
    pub(super) fn write(
        &mut self,
        population: &Population,
        range: Range<u64>,
        output: &mut impl Write,
        progress: &(dyn Fn(u64) + Sync),
    ) -> io::Result<()> {
        if is_large(population, &range) {
            return member::write(population, &range, output, progress);
        }
        self.lines.clear();
        for block in blocks(population, range.clone()) {
            append(population, &range, block.clone(), &mut self.lines);
            progress(block.end - block.start);
        }
        let bound = self.compressor.gzip_compress_bound(self.lines.len());
        if self.compressed.len() < bound {
            self.compressed.resize(bound, 0);
        }
        let length =
            self.compressor.gzip_compress(&self.lines, &mut self.compressed).map_err(io::Error::other)?;
        output.write_all(&self.compressed[..length])
    }
}

/// About how many bytes a line of this population has.
fn line_bytes(population: &Population) -> u64 {
    let options = population.options();
    let usual = if options.records == RecordSize::Rich { RICH_LINE_BYTES } else { LINE_BYTES };
    usual + ATTRIBUTE_BYTES * u64::from(options.further_attributes)
}

/// Whether a piece of these endpoints is made of blocks.
fn is_large(population: &Population, range: &Range<u64>) -> bool {
    range.end.saturating_sub(range.start) > BYTES_IN_MEMORY / line_bytes(population)
}

/// How many lines are in a block.
fn block_lines(population: &Population) -> u64 {
    (BLOCK_BYTES / line_bytes(population)).max(1)
}

/// Appends the lines of a block, each with a line feed before it unless it is the first of its piece.
fn append(population: &Population, piece: &Range<u64>, block: Range<u64>, lines: &mut Vec<u8>) {
    for index in block {
        if index > piece.start {
            lines.push(b'\n');
        }
        population.write_line(index, lines);
    }
}

/// A piece's bytes.
pub(super) fn compress(population: &Population, range: Range<u64>) -> Vec<u8> {
    // Lines shrink to a quarter or less.
    let bytes = range.end.saturating_sub(range.start).saturating_mul(line_bytes(population) / 4);
    let mut piece = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    match PieceWriter::new().write(population, range, &mut piece, &|_| {}) {
        // A Vec takes every write, and the output buffer has the compressor's own bound.
        Ok(()) => piece,
        Err(error) => unreachable!("compressing into memory failed: {error}"),
    }
}

/// Writes `part-00000.gz` … into a folder, which is made where it does not exist and must hold no pieces yet.
pub(super) fn write_files(
    population: &Population,
    folder: &Path,
    piece_count: u64,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<PathBuf>, PopulationError> {
    prepare(folder)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|source| PopulationError::Threads { threads, source })?;
    let name = |number: usize| folder.join(format!("part-{number:05}.gz"));
    let ranges = population.pieces(piece_count);
    let paths: Vec<PathBuf> = (0..ranges.len()).map(name).collect();
    let pieces = paths.iter().zip(ranges);
    // Large pieces come one after another: each has work for every thread, and blocks of one alone are in memory.
    let (large, small): (Vec<_>, Vec<_>) = pieces.partition(|(_, range)| is_large(population, range));
    let write = |writer: &mut PieceWriter, (path, range): (&PathBuf, Range<u64>)| {
        write_file(writer, population, range, path, progress)
            .map_err(|source| PopulationError::Write { path: path.clone(), source })
    };
    pool.install(|| {
        small.into_par_iter().map_init(PieceWriter::new, write).collect::<Result<(), _>>()?;
        let mut writer = PieceWriter::new();
        large.into_iter().try_for_each(|piece| write(&mut writer, piece))
    })?;
    Ok(paths)
}

/// Writes one piece under a temporary name and gives it its own when it is complete.
fn write_file(
    writer: &mut PieceWriter,
    population: &Population,
    range: Range<u64>,
    path: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<()> {
    let partial = path.with_extension("gz.partial");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&partial)?);
    writer.write(population, range, &mut file, progress)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?;
    fs::rename(&partial, path)
}

/// Makes the folder, and refuses one that holds pieces.
fn prepare(folder: &Path) -> Result<(), PopulationError> {
    let error = |source| PopulationError::Folder { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(error)?;
    for entry in fs::read_dir(folder).map_err(error)? {
        let name = PathBuf::from(entry.map_err(error)?.file_name());
        if name.extension().is_some_and(|extension| extension == "gz") {
            return Err(PopulationError::FolderNotEmpty { path: folder.to_owned(), name });
        }
    }
    Ok(())
}

/// Cuts a range into blocks.
fn blocks(population: &Population, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let (end, lines) = (range.end, block_lines(population));
    let step = usize::try_from(lines).unwrap_or(usize::MAX);
    range.step_by(step).map(move |start| start..end.min(start + lines))
}

#[cfg(test)]
mod tests {
    use super::super::PopulationOptions;
    use super::*;

    #[test]
    fn memory_does_not_grow_with_the_length_of_lines() {
        let population = |further_attributes| {
            Population::new(PopulationOptions { further_attributes, ..PopulationOptions::default() })
        };
        // What a usual piece is made of is a contract: the same seed, the same bytes.
        let usual = population(0);
        assert!(!is_large(&usual, &(7..131_079)) && is_large(&usual, &(7..131_080)));
        assert_eq!(block_lines(&usual), 4_096);
        let long = population(9_999);
        assert!(!is_large(&long, &(0..300)) && is_large(&long, &(0..400)));
        assert_eq!(block_lines(&long), 11);
    }
}
