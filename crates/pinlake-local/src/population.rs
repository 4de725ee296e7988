//! A seeded audience in the exact form of an export, and the oracle for it.
//!
//! Every endpoint is a pure function of the seed and its index: the same seed gives the same bytes on any machine and
//! with any number of threads. The audience holds each valid but awkward kind of record that real exports show:
//! alpha-2 and alpha-3 countries, ghosts without address and dates, Amplify's opted-out devices with empty objects,
//! phone numbers without `+` and e-mail addresses without `@`, addresses shared by several endpoints, users with up to
//! 15 endpoints over several channels, ids with `/` and `+`, import batches with one creation date. On request a share
//! of the records is odd as well, records are sparse or rich, have further attributes, or their members in any order
//! ([`PopulationOptions`]).
//!
//! [`Population::endpoint`] says what must be read from a line that [`Population::write_line`] writes. Both come from one
//! description (`record`), told to two listeners (`line` and `endpoint`).

mod address;
mod catalogue;
mod digits;
mod draw;
mod endpoint;
mod further;
mod identifier;
mod line;
mod odd;
mod options;
mod pieces;
mod profile;
mod record;
mod seats;
mod shuffle;
mod sink;

use std::ops::Range;
use std::path::{Path, PathBuf};

use draw::{Draw, Stream};
pub use endpoint::{Demographic, Endpoint, Location, TextLists, User};
pub use options::{DEFAULT_APPLICATION_ID, PopulationOptions, RecordSize, UnknownRecordSize};
pub use pieces::PopulationError;

/// A seeded audience.
#[derive(Debug, Clone)]
pub struct Population {
    options: PopulationOptions,
}

impl Population {
    /// The audience with these options. Nothing is made before it is asked for.
    #[must_use]
    pub fn new(options: PopulationOptions) -> Self {
        Population { options }
    }

    /// The options it was made with.
    #[must_use]
    pub fn options(&self) -> &PopulationOptions {
        &self.options
    }

    /// How many endpoints there are.
    #[must_use]
    pub fn endpoints(&self) -> u64 {
        self.options.endpoints
    }

    /// What must be read from the line of this endpoint.
    #[must_use]
    pub fn endpoint(&self, index: u64) -> Endpoint {
        let mut sink = endpoint::EndpointSink::default();
        record::describe(&self.options, index, &mut sink);
        sink.endpoint
    }

    /// Every endpoint, in the order of the export.
    pub fn iter(&self) -> impl Iterator<Item = Endpoint> + '_ {
        (0..self.options.endpoints).map(|index| self.endpoint(index))
    }

    /// Appends the endpoint's line, without a line feed: compact JSON, members in the order of real exports unless
    /// they are to be shuffled.
    pub fn write_line(&self, index: u64, line: &mut Vec<u8>) {
        let start = line.len();
        let mut sink = line::LineSink::new(line);
        let is_free_of_order = record::describe(&self.options, index, &mut sink);
        sink.finish();
        if self.options.shuffle_members && is_free_of_order {
            let usual = line.split_off(start);
            shuffle::push_shuffled(&usual, &mut Draw::new(self.options.seed, Stream::Order, index), line);
        }
    }

    /// One piece of an export: one gzip member of these endpoints' lines, a line feed between two and none at the end.
    /// A large one is made on the threads of the rayon pool that it is asked for in.
    #[must_use]
    pub fn piece(&self, range: Range<u64>) -> Vec<u8> {
        pieces::compress(self, range)
    }

    /// Splits the audience into this many ranges whose lengths differ by one at most. There are fewer where there are
    /// fewer endpoints, and none where there is no endpoint: no piece is empty.
    #[must_use]
    pub fn pieces(&self, piece_count: u64) -> Vec<Range<u64>> {
        let endpoints = self.options.endpoints;
        let count = piece_count.clamp(1, endpoints.max(1)).min(endpoints);
        let bound = |number: u64| {
            let end = u128::from(endpoints) * u128::from(number) / u128::from(count.max(1));
            u64::try_from(end).unwrap_or(endpoints)
        };
        (0..count).map(|number| bound(number)..bound(number + 1)).collect()
    }

    /// Writes the audience as `part-00000.gz` … into a folder, on this many threads (0: one for each core), and
    /// returns the pieces' paths in order. `progress` is called, from any thread, with the number of endpoints that
    /// were made since its last call. The folder is made where it does not exist.
    ///
    /// # Errors
    ///
    /// When the folder holds pieces already, and when it or a piece cannot be written.
    pub fn write_pieces(
        &self,
        folder: &Path,
        piece_count: u64,
        threads: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<PathBuf>, PopulationError> {
        pieces::write_files(self, folder, piece_count, threads, progress)
    }
}

#[cfg(test)]
mod tests;
