//! How fast this machine is for these pieces: each stage of a conversion by itself, and the whole.
//!
//! A round fetches the pieces and drops them; converts them, on all threads and on one; and takes them through unpacking,
//! decoding and writing one stage after the other (`stages`). Rounds are repeated, so that a noisy minute shows. Of a large
//! source only a sample is read, whole pieces from all over it (`sample`). The result is facts; an [`Estimate`] for another
//! number of endpoints follows from them.
//!
//! What is written lies in a folder that the caller gives and takes away. Dropping the future stops the work.

mod facts;
mod memory;
mod sample;
mod stages;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use pinlake_source::fetch;

use crate::error::IngestError;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::pipeline::convert;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::stop::Stop;

pub use facts::{BenchFacts, Estimate, SampleFacts, StageFacts};

use facts::Measurements;
use sample::Sample;
use stages::StageTimes;

/// What to measure.
#[derive(Debug)]
pub struct BenchRequest {
    /// A conversion of the pieces, with the limits and the writer that are to be measured. Its lake is not used, and rejects
    /// are counted rather than held against it.
    pub plan: Plan,
    /// The same limits for one thread.
    pub one_thread: Limits,
    /// An empty folder to write to. What is left in it afterwards is of no use.
    pub scratch: PathBuf,
    /// How often everything is measured; at least once.
    pub rounds: usize,
    /// About how many bytes of pieces, as stored, are read in a round: whole pieces, and one at least.
    pub sample_bytes: u64,
}

/// How far a bench is: runs done, runs in all, and what runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchStep {
    /// Runs that are done.
    pub done: usize,
    /// Runs in all.
    pub total: usize,
    /// What runs now; empty at the end.
    pub name: &'static str,
}

/// Measures. `on_step` is called before each run and at the end.
pub async fn bench(
    request: BenchRequest,
    mut on_step: impl FnMut(BenchStep),
) -> Result<BenchFacts, IngestError> {
    let limits = request.plan.request.limits;
    let rounds = request.rounds.max(1);
    let sample = Sample::choose(request.plan, request.sample_bytes);
    let has_one_thread = limits.threads > 1;
    let total = rounds * (3 + usize::from(has_one_thread));
    let mut done = 0;
    let mut step = |name| {
        on_step(BenchStep { done, total, name });
        done += 1;
    };
    let mut measured = Measurements::default();
    for round in 0..rounds {
        step("fetch");
        measured.fetch.push(fetch_alone(&sample, limits).await?);
        // Before the stages, which hold more in memory than a conversion does, and in the first round alone: an allocator
        // keeps what it once had.
        let is_peak_known = round == 0 && memory::reset_peak();
        step("whole");
        let whole = convert_sample(&sample, limits, &request.scratch).await?;
        if is_peak_known {
            measured.peak_memory_bytes = memory::peak_bytes();
        }
        measured.whole.push(whole.seconds);
        measured.totals = whole.manifest.totals;
        measured.parquet_bytes = whole.published.snapshot.bytes;
        if has_one_thread {
            step("whole, one thread");
            let whole = convert_sample(&sample, request.one_thread, &request.scratch).await?;
            measured.whole_one_thread.push(whole.seconds);
        }
        step("stages");
        let lake = request.scratch.join("stages");
        let times: StageTimes = stages::measure(&sample.plan(lake.clone(), limits)).await?;
        clear(&lake);
        measured.json_bytes = times.json_bytes;
        measured.unpack.push(times.unpack);
        measured.decode.push(times.decode);
        measured.write.push(times.write);
    }
    on_step(BenchStep { done: total, total, name: "" });
    Ok(BenchFacts::new(&sample, limits, measured))
}

/// Reads every piece of the sample and does nothing with it. In seconds.
async fn fetch_alone(sample: &Sample, limits: Limits) -> Result<f64, IngestError> {
    let clock = Instant::now();
    let mut fetch = fetch(sample.aws(), sample.pieces(), limits.fetch);
    while let Some(body) = fetch.next().await {
        let mut body = body?;
        while let Some(chunk) = body.next_chunk().await {
            chunk?;
        }
    }
    Ok(clock.elapsed().as_secs_f64())
}

/// Converts the sample into a lake of its own, which is taken away again.
async fn convert_sample(sample: &Sample, limits: Limits, scratch: &Path) -> Result<Outcome, IngestError> {
    let lake = scratch.join("lake");
    let outcome =
        convert(sample.plan(lake.clone(), limits), Arc::new(Progress::default()), Stop::default()).await?;
    clear(&lake);
    Ok(outcome)
}

/// Makes room for the next run. What stays here goes with the scratch folder.
fn clear(lake: &Path) {
    if let Err(error) = std::fs::remove_dir_all(lake) {
        tracing::debug!(path = %lake.display(), %error, "a lake of the bench was not removed");
    }
}

#[cfg(test)]
mod tests;
