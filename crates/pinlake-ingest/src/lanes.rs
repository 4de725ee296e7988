//! Lanes: a worker's tools for a while, a decoder and a data file that is open for writing.
//!
//! The worker that decoded a batch also writes it, while its columns are still in the core's cache: it takes a free lane
//! out, decodes, encodes, and puts it back. There are never more lanes than workers, a worker never waits for one, and no
//! queue of batches stands between decoding and writing that memory would have to pay for (docs/adr/0004). Decoder and
//! file stay together because the decoder's dictionaries outlive its batches: a file that knows the last one need not look
//! at it again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use pinlake_decode::unpack::BLOCK_BYTES;
use pinlake_decode::{Block, BlockDecoder, DecodeOptions, DecodedBlock};
use pinlake_lake::{DataFile, DataFileWriter, LakeError, Staging, WriterOptions};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::IngestError;
use crate::redact::{Redactor, Rules};

/// Whether a block is one long line: a block of several is a third as large at most.
pub(crate) fn is_long(block: &Block) -> bool {
    block.bytes.len() > 3 * BLOCK_BYTES
}

/// The lanes of one staging.
pub(crate) struct Lanes {
    decoding: DecodeOptions,
    writing: WriterOptions,
    data_file_bytes: u64,
    redaction: Arc<Rules>,
    state: Mutex<LaneState>,
}

struct LaneState {
    /// Taken out at the end.
    staging: Option<Staging>,
    free: Vec<Lane>,
    /// Files that are whole and in no checkpoint.
    closed: Vec<DataFile>,
    /// Files that a checkpoint names, and those that none is ever to name.
    saved: Vec<DataFile>,
}

struct Lane {
    decoder: BlockDecoder,
    redactor: Redactor,
    /// Opened for the first batch.
    file: Option<DataFileWriter>,
}

impl Lanes {
    /// No lane yet; a data file is closed and another begun once it has `data_file_bytes` bytes. The files of the staging's
    /// checkpoints are published with the others.
    pub(crate) fn new(
        staging: Staging,
        decoding: DecodeOptions,
        writing: WriterOptions,
        data_file_bytes: u64,
        redaction: Rules,
    ) -> Self {
        let saved = staging.checkpoints().iter().flat_map(|checkpoint| checkpoint.files.clone()).collect();
        let state = LaneState { staging: Some(staging), free: Vec::new(), closed: Vec::new(), saved };
        Self { decoding, writing, data_file_bytes, redaction: Arc::new(redaction), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decodes a block of the piece called `piece` and writes its rows, redacted, to whichever lane is free. Nothing is written
    /// where the staging was taken already. What comes back is redacted too, but for the rejects.
    pub(crate) fn convert(
        &self,
        (piece, piece_index): (&str, usize),
        block: &Block,
    ) -> Result<DecodedBlock, IngestError> {
        let mut lane = self.take_lane();
        let columns = |source| IngestError::Columns { piece: piece.to_owned(), source };
        let mut decoded = lane.decoder.decode(piece, piece_index, block).map_err(columns)?;
        lane.redactor.redact(&mut decoded).map_err(columns)?;
        if let Some(batch) = &decoded.batch {
            self.write_to(&mut lane, batch)?;
        }
        if is_long(block) {
            // Each of its columns in turn would keep room for such a line.
            lane.decoder = BlockDecoder::new(self.decoding);
        }
        self.state().free.push(lane);
        Ok(decoded)
    }

    /// A free lane, or a new one; the one used last first, so that few rows make few files. A lane on which something
    /// fails is not put back.
    fn take_lane(&self) -> Lane {
        let free = self.state().free.pop();
        free.unwrap_or_else(|| Lane {
            decoder: BlockDecoder::new(self.decoding),
            redactor: Redactor::new(&self.redaction),
            file: None,
        })
    }

    fn write_to(&self, lane: &mut Lane, batch: &RecordBatch) -> Result<(), LakeError> {
        if lane.file.is_none() {
            lane.file = self.open_file()?;
        }
        let Some(file) = &mut lane.file else { return Ok(()) };
        file.write(batch)?;
        if let Some(file) = lane.file.take_if(|file| file.written_bytes() >= self.data_file_bytes) {
            let file = file.close()?;
            self.state().closed.push(file);
        }
        Ok(())
    }

    fn open_file(&self) -> Result<Option<DataFileWriter>, LakeError> {
        self.state().staging.as_ref().map(|staging| staging.writer(&self.writing)).transpose()
    }

    /// Closes every lane, in parallel on the current pool: what is left to encode is encoded, and every file is synced.
    pub(crate) fn close(&self) -> Result<(), LakeError> {
        let lanes = std::mem::take(&mut self.state().free);
        let open: Vec<DataFileWriter> = lanes.into_iter().filter_map(|lane| lane.file).collect();
        let files: Result<Vec<DataFile>, LakeError> =
            open.into_par_iter().map(DataFileWriter::close).collect();
        self.state().closed.extend(files?);
        Ok(())
    }

    /// Where everything is staged; nowhere after the end.
    pub(crate) fn staging_folder(&self) -> PathBuf {
        self.state().staging.as_ref().map(|staging| staging.folder().to_owned()).unwrap_or_default()
    }

    /// Makes a checkpoint of the files that were closed since the last one. No lane is open then.
    pub(crate) fn checkpoint(&self, notes: serde_json::Value) -> Result<(), LakeError> {
        let mut state = self.state();
        let mut files = std::mem::take(&mut state.closed);
        files.retain(|file| file.rows() > 0);
        let Some(staging) = &mut state.staging else { return Ok(()) };
        staging.checkpoint(files.clone(), notes)?;
        state.saved.extend(files);
        Ok(())
    }

    /// The files that were closed since the last checkpoint are to be in no later one either: they hold rows of pieces that
    /// no checkpoint has.
    pub(crate) fn pass_over(&self) {
        let mut state = self.state();
        let mut files = std::mem::take(&mut state.closed);
        state.saved.append(&mut files);
    }

    /// The staging and its finished files, ready to be published. `None` the second time.
    pub(crate) fn finish(&self) -> Option<(Staging, Vec<DataFile>)> {
        let mut state = self.state();
        let mut files = std::mem::take(&mut state.saved);
        files.append(&mut state.closed);
        state.staging.take().map(|staging| (staging, files))
    }
}
