//! The query engine of a session: how many partitions, how large its batches, how much memory, and where rows are put aside.
//!
//! [`SessionOptions::within`] divides a bound for the whole process: the program takes a part, each partition that reads takes a part that no
//! operator accounts for (compressed column chunks, decoded pages, batches on their way), and the rest is the pool of the operators.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::diagnosis;
use super::fault::QueryError;
use super::lake_table::TextForm;
use super::pool::QueryPool;

const MIB: usize = 1024 * 1024;

/// What the process holds beside the parts below: `SELECT 1` on a lake peaks at 85 MiB (2026-11-25).
const PROGRAM_BYTES: usize = 96 * MIB;
/// What a partition that reads wide rows holds beside the operators' memory, with batches of [`FEW_ROWS`].
const READING_BYTES: usize = 48 * MIB;
/// The operators' memory is never planned with less.
const LEAST_POOL_BYTES: usize = 16 * MIB;
/// Of this many bytes for each partition, batches have their usual length.
const ROOMY_BYTES: usize = 512 * MIB;
/// The usual rows of a batch. Of whole endpoints they take some 24 MB.
const USUAL_ROWS: usize = 8_192;
/// Rows of a batch where memory is scarce: a merge of sorted runs holds a batch of each.
const FEW_ROWS: usize = 1_024;

/// How much of the machine a session may use.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Partitions that a query is spread over, at least 1. The tokio runtime decides how many run at once.
    pub threads: usize,
    /// Bytes that operators may hold before they spill or fail. None: unbounded.
    pub memory_limit_bytes: Option<usize>,
    /// Bytes that all partitions together may hold for reading, which the operators' memory does not count. Who provides rows
    /// from outside keeps to it.
    pub reading_bytes: usize,
    /// Rows of a batch.
    pub batch_rows: usize,
    /// Whether memory is scarce enough to read text so that what it takes is counted exactly, which is slower.
    pub is_frugal: bool,
    /// A folder for spilled rows. None: nothing is spilled, for rows hold personal data and a library picks no folder for that.
    pub spill_dir: Option<PathBuf>,
}

impl Default for SessionOptions {
    /// One partition, unbounded, without spilling.
    fn default() -> Self {
        Self {
            threads: 1,
            memory_limit_bytes: None,
            reading_bytes: READING_BYTES,
            batch_rows: USUAL_ROWS,
            is_frugal: false,
            spill_dir: None,
        }
    }
}

impl SessionOptions {
    /// For a process that as a whole keeps to `memory_bytes`. Where that is too little for `threads` partitions there are fewer; with less than
    /// 160 MiB queries work and may take more than they were allowed.
    #[must_use]
    pub fn within(threads: usize, memory_bytes: usize, spill_dir: Option<PathBuf>) -> Self {
        let parts_bytes = memory_bytes.saturating_sub(PROGRAM_BYTES);
        // At most half of what is left is for reading.
        let threads = (parts_bytes / (2 * READING_BYTES)).clamp(1, threads.max(1));
        let is_roomy = parts_bytes / threads >= ROOMY_BYTES;
        let reading_bytes = READING_BYTES * threads * if is_roomy { 2 } else { 1 };
        Self {
            threads,
            memory_limit_bytes: Some(parts_bytes.saturating_sub(reading_bytes).max(LEAST_POOL_BYTES)),
            reading_bytes,
            batch_rows: if is_roomy { USUAL_ROWS } else { FEW_ROWS },
            is_frugal: !is_roomy,
            spill_dir,
        }
    }
}

/// How a session reads text.
pub(super) fn text_form(options: &SessionOptions) -> TextForm {
    if options.is_frugal { TextForm::Copies } else { TextForm::Views }
}

/// An empty session, with the memory of its operators where that is bounded.
pub(super) fn context(
    options: &SessionOptions,
) -> Result<(SessionContext, Option<Arc<QueryPool>>), QueryError> {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_batch_size(options.batch_rows.max(1))
        .with_default_catalog_and_schema("pinlake", "lake")
        .with_information_schema(true);
    config.options_mut().sql_parser.collect_spans = true;
    // Grouping in two steps pays where groups are few; by user or id the first step only fills memory. It is given up
    // sooner than usual: where 30,000 rows gave more than 9,000 groups, not 100,000 rows 80,000.
    let execution = &mut config.options_mut().execution;
    execution.skip_partial_aggregation_probe_rows_threshold = 30_000;
    execution.skip_partial_aggregation_probe_ratio_threshold = 0.3;
    if let Some(limit_bytes) = options.memory_limit_bytes {
        // Each sort sets this aside for merging what it spilled; the usual 10 MB would be all of a small limit.
        let reserved = &mut config.options_mut().execution.sort_spill_reservation_bytes;
        *reserved = (*reserved).min(limit_bytes / (8 * options.threads.max(1)));
    }
    let pool = options.memory_limit_bytes.map(|limit_bytes| {
        // What is put together from views seems to take as much as all that was put aside.
        let spillable_bytes = if options.is_frugal { limit_bytes / 8 * 7 } else { limit_bytes / 2 };
        Arc::new(QueryPool::new(limit_bytes, spillable_bytes))
    });
    let runtime = runtime(options, pool.clone())?;
    Ok((SessionContext::new_with_config_rt(config, runtime), pool))
}

fn runtime(options: &SessionOptions, pool: Option<Arc<QueryPool>>) -> Result<Arc<RuntimeEnv>, QueryError> {
    let mode = match &options.spill_dir {
        Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
        None => DiskManagerMode::Disabled,
    };
    // What fits on the disk may be put aside: where it does not, the disk says so.
    let disk = DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(u64::MAX);
    let mut builder = RuntimeEnvBuilder::new().with_disk_manager_builder(disk);
    if let Some(pool) = pool {
        builder = builder.with_memory_pool(pool);
    }
    builder.build_arc().map_err(|error| diagnosis::unexpected(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stay_within_the_whole() {
        for threads in [1, 2, 8, 64] {
            for mebibytes in [160, 256, 512, 1_024, 16_384] {
                let options = SessionOptions::within(threads, mebibytes * MIB, None);
                let pool_bytes = options.memory_limit_bytes.unwrap_or_default();
                let sum = PROGRAM_BYTES + options.reading_bytes + pool_bytes;
                assert!(sum <= mebibytes * MIB, "{threads} threads, {mebibytes} MiB: {options:?}");
                assert!((1..=threads).contains(&options.threads));
            }
        }
        let options = SessionOptions::within(2, 16_384 * MIB, None);
        assert_eq!((options.threads, options.batch_rows), (2, USUAL_ROWS));
    }
}
