//! Some endpoints of an audience at one moment, and the pieces that an export makes of them.

use std::ops::Range;
use std::sync::Arc;

use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;

use super::{Audience, AudienceError, stored};
use crate::model::EndpointResponse;
use crate::population::Population;
use crate::state::{Endpoints, StateError};

/// Slots that a thread reads at a time.
const SLOTS_AT_A_TIME: u64 = 16_384;

/// Which endpoints are wanted.
pub(crate) type Filter<'a> = dyn Fn(&EndpointResponse) -> bool + Sync + 'a;

/// Where an export takes its endpoints from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A population that is not kept as endpoints: all of it, verbatim.
    Population(Arc<Population>),
    /// Endpoints of the state.
    Members(Arc<Members>),
}

impl Source {
    /// How many endpoints there are.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Source::Population(population) => population.endpoints(),
            Source::Members(members) => members.slots.len() as u64,
        }
    }

    /// The endpoints of each piece: equal numbers, as far as they go.
    pub(crate) fn pieces(&self, endpoints_per_piece: u64) -> Vec<Range<u64>> {
        let count = self.len().div_ceil(endpoints_per_piece.max(1));
        let bound = |number: u64| {
            let end = u128::from(self.len()) * u128::from(number) / u128::from(count.max(1));
            u64::try_from(end).unwrap_or(u64::MAX)
        };
        (0..count).map(|number| bound(number)..bound(number + 1)).collect()
    }

    /// One piece: a gzip member of lines, a line feed between two and none at the end.
    pub(crate) fn piece(&self, range: Range<u64>) -> Result<Vec<u8>, StateError> {
        match self {
            Source::Population(population) => Ok(population.piece(range)),
            Source::Members(members) => members.piece(range),
        }
    }
}

/// Endpoints at one moment, by their slots in ascending order.
pub(crate) struct Members {
    endpoints: Endpoints,
    slots: Vec<u64>,
}

impl std::fmt::Debug for Members {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Members").field("endpoints", &self.slots.len()).finish_non_exhaustive()
    }
}

impl Members {
    fn piece(&self, range: Range<u64>) -> Result<Vec<u8>, StateError> {
        let slots = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let slots = slots.and_then(|(start, end)| self.slots.get(start..end)).unwrap_or_default();
        let (Some(first), Some(last)) = (slots.first(), slots.last()) else { return Ok(compress(&[])) };
        let mut lines = Vec::new();
        let mut wanted = slots.iter().peekable();
        self.endpoints.visit(*first..last + 1, |slot, bytes| {
            if wanted.peek() == Some(&&slot) {
                wanted.next();
                if !lines.is_empty() {
                    lines.push(b'\n');
                }
                lines.extend_from_slice(stored::line(bytes));
            }
        })?;
        Ok(compress(&lines))
    }
}

/// One gzip member.
fn compress(lines: &[u8]) -> Vec<u8> {
    // Level 1 always exists; libdeflate's default is a safe second.
    let mut compressor = Compressor::new(CompressionLvl::new(1).unwrap_or_default());
    let mut piece = vec![0; compressor.gzip_compress_bound(lines.len())];
    match compressor.gzip_compress(lines, &mut piece) {
        Ok(length) => piece.truncate(length),
        // The buffer has the compressor's own bound.
        Err(error) => unreachable!("compressing into memory failed: {error}"),
    }
    piece
}

impl Audience {
    /// All endpoints as they are now.
    pub(crate) fn everyone(&self) -> Result<Source, AudienceError> {
        match self.unpoured() {
            Some(population) => Ok(Source::Population(population)),
            None => self.members(None),
        }
    }

    /// The endpoints that `filter` is true of, as they are now.
    pub(crate) fn those(&self, filter: &Filter<'_>) -> Result<Source, AudienceError> {
        self.pour()?;
        self.members(Some(filter))
    }

    fn members(&self, filter: Option<&Filter<'_>>) -> Result<Source, AudienceError> {
        let endpoints = {
            let _directory = self.read();
            self.state.endpoints(self.number)?
        };
        let end = endpoints.end()?;
        let step = usize::try_from(SLOTS_AT_A_TIME).unwrap_or(usize::MAX);
        let starts: Vec<u64> = (0..end).step_by(step).collect();
        let find = |start: u64| {
            let mut found = Vec::new();
            let mut bad = None;
            endpoints.visit(start..end.min(start + SLOTS_AT_A_TIME), |slot, bytes| match filter {
                None => found.push(slot),
                Some(filter) => match stored::decode(bytes).map(super::shown) {
                    Ok(endpoint) if filter(&endpoint) => found.push(slot),
                    Ok(_) => {}
                    Err(error) => bad = Some(error),
                },
            })?;
            bad.map_or(Ok(found), |error| Err(AudienceError::Endpoint(error)))
        };
        let slots = starts.into_par_iter().map(find).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Source::Members(Arc::new(Members { endpoints, slots })))
    }
}
