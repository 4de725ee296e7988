//! What a bench found, and what follows for another number of endpoints.

use pinlake_lake::Totals;
use serde::Serialize;

use super::sample::Sample;
use crate::limits::Limits;

/// What was measured, run by run. Times are in seconds.
#[derive(Debug, Default)]
pub(super) struct Measurements {
    pub(super) fetch: Vec<f64>,
    pub(super) unpack: Vec<f64>,
    pub(super) decode: Vec<f64>,
    pub(super) write: Vec<f64>,
    pub(super) whole: Vec<f64>,
    pub(super) whole_one_thread: Vec<f64>,
    pub(super) totals: Totals,
    pub(super) json_bytes: u64,
    pub(super) parquet_bytes: u64,
    pub(super) peak_memory_bytes: Option<u64>,
}

/// The pieces, and what of them was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SampleFacts {
    /// The source as it was given.
    pub source: String,
    /// Pieces at the source.
    pub listed_pieces: u64,
    /// Their bytes as stored.
    pub listed_bytes: u64,
    /// Pieces that were read.
    pub pieces: u64,
    /// Their bytes as stored.
    pub stored_bytes: u64,
    /// Their bytes unpacked.
    pub json_bytes: u64,
    /// Endpoints in them.
    pub endpoints: u64,
    /// Lines in them that are no endpoints.
    pub rejects: u64,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageFacts {
    /// `fetch`, `unpack`, `decode`, `write`, or `whole` for a conversion from the first fetch to the commit.
    pub stage: &'static str,
    /// Threads that it ran on.
    pub threads: usize,
    /// Wall time, the median of the rounds.
    pub seconds: f64,
    /// Wall time of each round, in seconds.
    pub rounds: Vec<f64>,
    /// Endpoints a second.
    pub endpoints_per_second: f64,
    /// Bytes as stored, a second.
    pub stored_bytes_per_second: f64,
    /// Unpacked bytes, a second.
    pub json_bytes_per_second: f64,
}

/// What a bench found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchFacts {
    /// The pieces.
    pub sample: SampleFacts,
    /// The stages, `whole` on all threads and on one last.
    pub stages: Vec<StageFacts>,
    /// How many times as fast all threads are as one; null where there is but one.
    pub speed_up: Option<f64>,
    /// Bytes of the Parquet files.
    pub parquet_bytes: u64,
    /// The most memory that the process had while it converted on all threads; null where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    #[serde(skip)]
    id_hashes: usize,
}

/// What a conversion of so many endpoints like these would take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// How many.
    pub endpoints: u64,
    /// Wall time.
    pub seconds: f64,
    /// Disk space of the pieces.
    pub stored_bytes: u64,
    /// Disk space of the Parquet files.
    pub parquet_bytes: u64,
    /// Memory. It grows by the hashes of ids alone, up to their bound.
    pub memory_bytes: Option<u64>,
}

impl BenchFacts {
    pub(super) fn new(sample: &Sample, limits: Limits, measured: Measurements) -> Self {
        let facts = SampleFacts {
            source: sample.whole.source.clone(),
            listed_pieces: sample.whole.pieces.len() as u64,
            listed_bytes: sample.whole.total_bytes(),
            pieces: sample.pieces().len() as u64,
            stored_bytes: sample.stored_bytes(),
            json_bytes: measured.json_bytes,
            endpoints: measured.totals.rows,
            rejects: measured.totals.rejects,
        };
        let one_thread = median(&measured.whole_one_thread);
        let speed_up = one_thread.zip(median(&measured.whole)).map(|(one, all)| one / all);
        let runs = [
            ("fetch", limits.threads, measured.fetch),
            ("unpack", limits.threads, measured.unpack),
            ("decode", limits.threads, measured.decode),
            ("write", limits.threads, measured.write),
            ("whole", limits.threads, measured.whole),
            ("whole", 1, measured.whole_one_thread),
        ];
        let stages = runs.into_iter().filter_map(|(name, threads, rounds)| {
            let seconds = median(&rounds)?;
            let rate = |amount: u64| amount as f64 / seconds.max(f64::EPSILON);
            Some(StageFacts {
                stage: name,
                threads,
                seconds,
                rounds,
                endpoints_per_second: rate(facts.endpoints),
                stored_bytes_per_second: rate(facts.stored_bytes),
                json_bytes_per_second: rate(facts.json_bytes),
            })
        });
        Self {
            stages: stages.collect(),
            sample: facts,
            speed_up,
            parquet_bytes: measured.parquet_bytes,
            peak_memory_bytes: measured.peak_memory_bytes,
            id_hashes: limits.id_hashes,
        }
    }

    /// What this many endpoints like the ones of the sample would take. None where the sample has none.
    #[must_use]
    pub fn estimate(&self, endpoints: u64) -> Option<Estimate> {
        let sample = self.sample.endpoints;
        let whole = self.stages.iter().find(|stage| stage.stage == "whole")?;
        if sample == 0 {
            return None;
        }
        let scaled = |amount: u64| {
            let amount = u128::from(amount) * u128::from(endpoints) / u128::from(sample);
            u64::try_from(amount).unwrap_or(u64::MAX)
        };
        let hashes = |count: u64| 8 * count.min(self.id_hashes as u64);
        let more_hashes = hashes(endpoints).saturating_sub(hashes(sample));
        Some(Estimate {
            endpoints,
            seconds: whole.seconds * (endpoints as f64 / sample as f64),
            stored_bytes: scaled(self.sample.stored_bytes),
            parquet_bytes: scaled(self.parquet_bytes),
            memory_bytes: self.peak_memory_bytes.map(|bytes| bytes + more_hashes),
        })
    }
}

/// The middle of the values, or the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
