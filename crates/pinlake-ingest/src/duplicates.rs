//! How many rows have an id that another row has before them, counted without holding every id.
//!
//! Ids are held as 64-bit hashes. Beyond a budget the hashes are sorted and put aside on the disk as a run; at the end
//! the runs are merged and equal neighbours counted. Two different ids of the same hash would be counted as one: among
//! ten million ids that happens once in some 370,000 exports.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::slice::ParallelSliceMut;

use crate::error::IngestError;
use crate::scratch::{Scratch, spill};

/// The hashes met so far.
#[derive(Debug)]
pub(crate) struct DuplicateIds {
    scratch: Scratch,
    budget: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hashes: Vec<u64>,
    /// Names of sorted runs that are written.
    runs: Vec<String>,
    /// How many of them are known to last.
    saved_runs: usize,
}

impl DuplicateIds {
    /// Holds at most `budget` hashes in memory, and runs of them in `scratch`, where `runs` lie already.
    pub(crate) fn new(scratch: Scratch, budget: usize, runs: Vec<String>) -> Self {
        let saved_runs = runs.len();
        let state = State { hashes: Vec::new(), runs, saved_runs };
        Self { scratch, budget: budget.max(1), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, hashes: &[u64]) -> Result<(), IngestError> {
        let mut state = self.state();
        let is_full = state.hashes.len() + hashes.len() > self.budget && !state.hashes.is_empty();
        let full = if is_full { std::mem::take(&mut state.hashes) } else { Vec::new() };
        state.hashes.extend_from_slice(hashes);
        // Sorting and writing happen without the lock.
        drop(state);
        self.put_aside(full)
    }

    /// Writes hashes as a sorted run. They are sorted on this thread alone: a parallel sort could pick up another job of the
    /// pool that comes here too, and wait for itself.
    fn put_aside(&self, mut hashes: Vec<u64>) -> Result<(), IngestError> {
        if hashes.is_empty() {
            return Ok(());
        }
        hashes.sort_unstable();
        let (name, file) = self.scratch.make("ids")?;
        write_run(file, &hashes).map_err(|source| spill(&self.scratch.path(&name), source))?;
        self.state().runs.push(name);
        Ok(())
    }

    /// Makes all hashes so far last; the names of the runs that were not known to last before.
    pub(crate) fn save(&self) -> Result<Vec<String>, IngestError> {
        let hashes = std::mem::take(&mut self.state().hashes);
        self.put_aside(hashes)?;
        let mut state = self.state();
        let new = state.runs[state.saved_runs..].to_vec();
        for name in &new {
            self.scratch.sync(name)?;
        }
        state.saved_runs = state.runs.len();
        Ok(new)
    }

    /// The number of rows whose id stands in another row before them.
    pub(crate) fn count(&self) -> Result<u64, IngestError> {
        let State { mut hashes, runs, .. } = std::mem::take(&mut *self.state());
        hashes.par_sort_unstable();
        if runs.is_empty() {
            return Ok(hashes.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64);
        }
        let runs: Vec<PathBuf> = runs.iter().map(|name| self.scratch.path(name)).collect();
        merge(hashes, &runs).map_err(|source| spill(&self.scratch.path(""), source))
    }
}

fn write_run(file: File, hashes: &[u64]) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    for hash in hashes {
        file.write_all(&hash.to_le_bytes())?;
    }
    file.flush()
}

/// Merges sorted runs and counts the elements that equal the one before.
fn merge(in_memory: Vec<u64>, runs: &[PathBuf]) -> std::io::Result<u64> {
    let mut streams: Vec<Box<dyn Iterator<Item = std::io::Result<u64>>>> =
        vec![Box::new(in_memory.into_iter().map(Ok))];
    for run in runs {
        let mut file = BufReader::new(File::open(run)?);
        streams.push(Box::new(std::iter::from_fn(move || read_hash(&mut file).transpose())));
    }
    let mut heads = BinaryHeap::new();
    for (number, stream) in streams.iter_mut().enumerate() {
        if let Some(hash) = stream.next().transpose()? {
            heads.push(Reverse((hash, number)));
        }
    }
    let (mut last, mut repeated) = (None, 0);
    while let Some(Reverse((hash, number))) = heads.pop() {
        repeated += u64::from(last == Some(hash));
        last = Some(hash);
        if let Some(next) = streams[number].next().transpose()? {
            heads.push(Reverse((next, number)));
        }
    }
    Ok(repeated)
}

fn read_hash(file: &mut BufReader<File>) -> std::io::Result<Option<u64>> {
    let mut bytes = [0; 8];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u64::from_le_bytes(bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_count_does_not_depend_on_the_budget(
            blocks in prop::collection::vec(prop::collection::vec(0u64..40, 0..12), 0..12),
            budget in 1usize..80,
            interruption in 0usize..12,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let scratch = || Scratch::new(folder.path().to_owned());
            let mut duplicates = DuplicateIds::new(scratch(), budget, Vec::new());
            let mut saved = Vec::new();
            for (number, block) in blocks.iter().enumerate() {
                duplicates.add(block).unwrap();
                if number == interruption {
                    saved.extend(duplicates.save().unwrap());
                    duplicates = DuplicateIds::new(scratch(), budget, saved.clone());
                }
            }
            let all: Vec<u64> = blocks.concat();
            let distinct: std::collections::HashSet<u64> = all.iter().copied().collect();
            prop_assert_eq!(duplicates.count().unwrap(), (all.len() - distinct.len()) as u64);
        }
    }
}
