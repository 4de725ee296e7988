//! Pieces as an export job writes them: gzip of lines with a line feed between two, and none behind the last.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;
use thiserror::Error;

use super::Population;

/// Lines compressed in one go with libdeflate, the faster compressor, whose input must be in memory as a whole: about
/// 90 MB. A larger piece is streamed in blocks of this many lines, so that memory does not grow with it.
const LINES_IN_MEMORY: u64 = 131_072;

/// Lines between two reports of progress and two writes of a streamed piece.
const LINES_PER_BLOCK: u64 = 4_096;

/// A line's usual length in bytes, for the size of buffers.
const LINE_BYTES: usize = 720;

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
        if range.end.saturating_sub(range.start) > LINES_IN_MEMORY {
            return self.stream(population, range, output, progress);
        }
        self.lines.clear();
        for block in blocks(range.clone()) {
            self.append(population, &range, block.clone());
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

    /// Writes a large piece block by block.
    fn stream(
        &mut self,
        population: &Population,
        range: Range<u64>,
        output: &mut impl Write,
        progress: &(dyn Fn(u64) + Sync),
    ) -> io::Result<()> {
        let mut encoder = GzEncoder::new(output, flate2::Compression::fast());
        for block in blocks(range.clone()) {
            self.lines.clear();
            self.append(population, &range, block.clone());
            encoder.write_all(&self.lines)?;
            progress(block.end - block.start);
        }
        encoder.finish()?;
        Ok(())
    }

    /// Appends the lines of a block, each with a line feed before it unless it is the first of its piece.
    fn append(&mut self, population: &Population, piece: &Range<u64>, block: Range<u64>) {
        for index in block {
            if index > piece.start {
                self.lines.push(b'\n');
            }
            population.write_line(index, &mut self.lines);
        }
    }
}

/// A piece's bytes.
pub(super) fn compress(population: &Population, range: Range<u64>) -> Vec<u8> {
    let count = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
    // Lines shrink to a quarter or less.
    let mut piece = Vec::with_capacity(count.saturating_mul(LINE_BYTES / 4));
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
    let pieces: Vec<(usize, Range<u64>)> = population.pieces(piece_count).into_iter().enumerate().collect();
    pool.install(|| {
        pieces
            .into_par_iter()
            .map_init(PieceWriter::new, |writer, (number, range)| {
                let path = folder.join(format!("part-{number:05}.gz"));
                write_file(writer, population, range, &path, progress)
                    .map_err(|source| PopulationError::Write { path: path.clone(), source })?;
                Ok(path)
            })
            .collect()
    })
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
fn blocks(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    let step = usize::try_from(LINES_PER_BLOCK).unwrap_or(usize::MAX);
    range.step_by(step).map(move |start| start..end.min(start + LINES_PER_BLOCK))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::PopulationOptions;
    use super::*;

    #[test]
    fn a_streamed_piece_has_the_lines_of_one_made_in_memory() -> io::Result<()> {
        let population =
            Population::new(PopulationOptions { endpoints: 5_000, ..PopulationOptions::default() });
        let (mut streamed, mut text, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        PieceWriter::new().stream(&population, 10..4_500, &mut streamed, &|_| {})?;
        flate2::read::GzDecoder::new(streamed.as_slice()).read_to_end(&mut text)?;
        flate2::read::GzDecoder::new(compress(&population, 10..4_500).as_slice())
            .read_to_end(&mut expected)?;
        assert!(text == expected && !text.ends_with(b"\n"));
        Ok(())
    }
}
