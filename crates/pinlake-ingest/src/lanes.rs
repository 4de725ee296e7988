//! Lanes: the data files that are open for writing.
//!
//! The worker that decoded a batch also writes it, while its columns are still in the core's cache: it takes a free lane
//! out, encodes, and puts it back. There are never more lanes than workers, a worker never waits for one, and no queue of
//! batches stands between decoding and writing that memory would have to pay for (docs/adr/0004).

use std::sync::{Mutex, PoisonError};

use arrow::array::RecordBatch;
use pinlake_lake::{DataFile, DataFileWriter, LakeError, Staging, WriterOptions};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// The open data files of one staging.
pub(crate) struct Lanes {
    options: WriterOptions,
    data_file_bytes: u64,
    state: Mutex<LaneState>,
}

struct LaneState {
    /// Taken out at the end.
    staging: Option<Staging>,
    free: Vec<DataFileWriter>,
    closed: Vec<DataFile>,
}

impl Lanes {
    pub(crate) fn new(staging: Staging, options: WriterOptions, data_file_bytes: u64) -> Self {
        let state = LaneState { staging: Some(staging), free: Vec::new(), closed: Vec::new() };
        Self { options, data_file_bytes, state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a batch to whichever lane is free. `Ok(false)` where the staging was taken already and nothing is wanted.
    pub(crate) fn write(&self, batch: &RecordBatch) -> Result<bool, LakeError> {
        let Some(mut lane) = self.take_lane()? else { return Ok(false) };
        lane.write(batch)?;
        if lane.written_bytes() >= self.data_file_bytes {
            let file = lane.close()?;
            self.state().closed.push(file);
        } else {
            self.state().free.push(lane);
        }
        Ok(true)
    }

    /// A free lane, or a new one; the one used last first, so that few rows make few files.
    fn take_lane(&self) -> Result<Option<DataFileWriter>, LakeError> {
        let mut state = self.state();
        if let Some(lane) = state.free.pop() {
            return Ok(Some(lane));
        }
        state.staging.as_ref().map(|staging| staging.writer(&self.options)).transpose()
    }

    /// Closes every lane, in parallel on the current pool: what is left to encode is encoded, and every file is synced.
    pub(crate) fn close(&self) -> Result<(), LakeError> {
        let lanes = std::mem::take(&mut self.state().free);
        let files: Result<Vec<DataFile>, LakeError> =
            lanes.into_par_iter().map(DataFileWriter::close).collect();
        self.state().closed.extend(files?);
        Ok(())
    }

    /// The staging and its finished files, ready to be published. `None` the second time.
    pub(crate) fn finish(&self) -> Option<(Staging, Vec<DataFile>)> {
        let mut state = self.state();
        let files = std::mem::take(&mut state.closed);
        state.staging.take().map(|staging| (staging, files))
    }
}
