//! Which pieces a bench reads, and plans that read just these.

use std::path::PathBuf;
use std::sync::Arc;

use pinlake_source::{Aws, Piece};

use crate::limits::Limits;
use crate::plan::{ConvertRequest, Plan};
use crate::rejects::MaxRejects;

/// Some of the pieces of a plan.
#[derive(Debug)]
pub(super) struct Sample {
    /// The plan it was taken from.
    pub(super) whole: Plan,
    pieces: Arc<[Piece]>,
}

impl Sample {
    /// Takes all pieces where they fit `sample_bytes`; else pieces at equal distances until that is reached, for the first
    /// ones of an export may be unlike the last.
    pub(super) fn choose(whole: Plan, sample_bytes: u64) -> Self {
        let total = whole.total_bytes();
        if total <= sample_bytes {
            let pieces = Arc::clone(&whole.pieces);
            return Self { whole, pieces };
        }
        let step = usize::try_from(total.div_ceil(sample_bytes.max(1))).unwrap_or(usize::MAX);
        let mut room = sample_bytes;
        let spread = whole.pieces.iter().step_by(step);
        let fitting = spread.enumerate().filter(|(place, piece)| {
            let fits = piece.size <= room;
            room = room.saturating_sub(if fits { piece.size } else { 0 });
            fits || *place == 0
        });
        let pieces = fitting.map(|(_, piece)| piece.clone()).collect();
        Self { whole, pieces }
    }

    pub(super) fn pieces(&self) -> Arc<[Piece]> {
        Arc::clone(&self.pieces)
    }

    pub(super) fn aws(&self) -> Option<Aws> {
        self.whole.request.aws.clone()
    }

    /// Bytes of its pieces as stored.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.size).sum()
    }

    /// A conversion of the sample into a lake of its own.
    pub(super) fn plan(&self, lake: PathBuf, limits: Limits) -> Plan {
        let asked = &self.whole.request;
        let request = ConvertRequest {
            tool: asked.tool.clone(),
            sources: asked.sources.clone(),
            aws: asked.aws.clone(),
            filter: asked.filter.clone(),
            lake,
            snapshot: None,
            replace: false,
            job: None,
            expect_rows: None,
            max_rejects: MaxRejects::Percent(100.0),
            redaction: asked.redaction.clone(),
            rejects_raw: asked.rejects_raw,
            run_id: None,
            writer: asked.writer.clone(),
            checkpoint_bytes: None,
            limits,
        };
        Plan {
            request,
            source: self.whole.source.clone(),
            snapshot: self.whole.snapshot.clone(),
            is_named_by_clock: self.whole.is_named_by_clock,
            identity: self.whole.identity.clone(),
            is_resumed: false,
            pieces: self.pieces(),
            skipped: Vec::new(),
            listings: Vec::new(),
            started_at: self.whole.started_at,
            list_seconds: 0.0,
        }
    }
}
