//! How many rows have an id that another row has before them, counted without holding every id.
//!
//! Ids are held as 64-bit hashes. Beyond a budget the hashes are sorted and put aside on the disk as a run; at the end
//! the runs are merged and equal neighbours counted. Two different ids of the same hash would be counted as one: among
//! ten million ids that happens once in some 370,000 exports.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::slice::ParallelSliceMut;

use crate::error::IngestError;

/// The hashes met so far.
#[derive(Debug)]
pub(crate) struct DuplicateIds {
    folder: PathBuf,
    budget: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    hashes: Vec<u64>,
    runs: Vec<PathBuf>,
}

impl DuplicateIds {
    /// Holds at most `budget` hashes in memory, and runs of them in `folder`.
    pub(crate) fn new(folder: PathBuf, budget: usize) -> Self {
        Self { folder, budget: budget.max(1), state: Mutex::default() }
    }

    pub(crate) fn add(&self, hashes: &[u64]) -> Result<(), IngestError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = state.hashes.len() + hashes.len() > self.budget && !state.hashes.is_empty();
        let mut full = if is_full { std::mem::take(&mut state.hashes) } else { Vec::new() };
        state.hashes.extend_from_slice(hashes);
        if full.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(format!("ids-{:05}.run", state.runs.len()));
        state.runs.push(path.clone());
        // Sorting and writing happen without the lock, and on this thread alone: a parallel sort could pick up another
        // job of the pool that comes here too, and wait for itself.
        drop(state);
        full.sort_unstable();
        write_run(&path, &full).map_err(|source| IngestError::Spill { path, source })
    }

    /// The number of rows whose id stands in another row before them; removes the runs.
    pub(crate) fn count(&self) -> Result<u64, IngestError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { mut hashes, runs } = std::mem::take(&mut *state);
        drop(state);
        hashes.par_sort_unstable();
        if runs.is_empty() {
            return Ok(hashes.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64);
        }
        let counted = merge(hashes, &runs);
        let problem = |source| IngestError::Spill { path: self.folder.clone(), source };
        for run in &runs {
            std::fs::remove_file(run).map_err(problem)?;
        }
        counted.map_err(problem)
    }
}

fn write_run(path: &Path, hashes: &[u64]) -> std::io::Result<()> {
    // Hashes of ids are personal data too: who has an id finds it again.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(path)?);
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
        ) {
            let folder = tempfile::tempdir().unwrap();
            let duplicates = DuplicateIds::new(folder.path().to_owned(), budget);
            for block in &blocks {
                duplicates.add(block).unwrap();
            }
            let all: Vec<u64> = blocks.concat();
            let distinct: std::collections::HashSet<u64> = all.iter().copied().collect();
            prop_assert_eq!(duplicates.count().unwrap(), (all.len() - distinct.len()) as u64);
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
