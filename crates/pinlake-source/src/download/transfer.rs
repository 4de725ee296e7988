//! Pieces from the fetch to the writers, a few at a time.

use std::path::Path;
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::plan::Plan;
use super::{DownloadError, writer};
use crate::aws::Aws;
use crate::error::SourceError;
use crate::fetch::{Fetch, FetchLimits, PieceFacts, fetch};
use crate::piece::{Listing, Piece};

/// How many files are written at once. Writing waits for the disk's sync, so a few overlap; more would only
/// hold the window.
const WRITERS: usize = 4;

/// Pieces on their way to the disk.
pub(super) struct Transfer<'a> {
    fetch: Fetch,
    dest: &'a Path,
    plan: &'a Plan,
    /// Where each fetched piece stands in the listing.
    positions: Vec<usize>,
    writers: JoinSet<Result<(usize, PieceFacts), SourceError>>,
    is_all_started: bool,
}

impl<'a> Transfer<'a> {
    /// Starts the GETs of all pieces that the plan wants.
    pub(super) fn start(
        aws: Option<Aws>,
        listing: &Listing,
        dest: &'a Path,
        plan: &'a Plan,
        limits: FetchLimits,
    ) -> Self {
        let positions = plan.to_fetch();
        let pieces: Arc<[Piece]> = positions.iter().map(|at| listing.pieces[*at].clone()).collect();
        let fetch = fetch(aws, pieces, limits);
        Self { fetch, dest, plan, positions, writers: JoinSet::new(), is_all_started: false }
    }

    /// The next piece that is on the disk: its position and facts. `None` when all are.
    pub(super) async fn next(&mut self) -> Option<Result<(usize, PieceFacts), SourceError>> {
        while !self.is_all_started && self.writers.len() < WRITERS {
            tokio::select! {
                body = self.fetch.next() => match body {
                    None => self.is_all_started = true,
                    Some(Err(error)) => return Some(Err(error)),
                    Some(Ok(body)) => {
                        let at = self.positions[body.index];
                        let file = self.plan.files[at].file.clone();
                        self.writers.spawn(writer::write(self.dest.to_owned(), file, at, body));
                    }
                },
                Some(done) = self.writers.join_next() => return Some(flat(done)),
            }
        }
        self.writers.join_next().await.map(flat)
    }
}

/// A writer's result; one that was cut off has none.
fn flat(
    done: Result<Result<(usize, PieceFacts), SourceError>, JoinError>,
) -> Result<(usize, PieceFacts), SourceError> {
    done.unwrap_or_else(|_| Err(DownloadError::Aborted { piece: "a piece".to_owned() }.into()))
}
