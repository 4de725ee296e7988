//! What queries run on: a session, on the lake if there is one, and pieces wherever they lie.

use pinlake_decode::endpoint_schema;
use pinlake_lake::{ErrorKind, LakeError, SnapshotId};
use pinlake_report::{OutsideError, PageFacts, Session};

use super::pieces::PieceLog;
use crate::commands::Context;
use crate::commands::analysis::{OpenLake, session_options};

/// A session that reads a lake and pieces.
pub(crate) struct Desk {
    pub(crate) session: Session,
    /// What a page says about the data it stands on.
    pub(crate) facts: PageFacts,
    /// What the session reads, for people.
    pub(crate) title: String,
    /// Which pieces queries read.
    pub(crate) pieces: PieceLog,
}

impl Desk {
    /// Opens the lake on a snapshot, the latest where none is named. Where there is no lake and no snapshot is named, a query
    /// that reads no lake can still run; one that does is told that there is none. `pieces` takes account of what queries read.
    pub(crate) async fn open(
        context: &Context,
        snapshot: Option<SnapshotId>,
        pieces: PieceLog,
    ) -> anyhow::Result<Self> {
        let root = &context.settings.lake;
        let needs_lake = snapshot.is_some();
        let (session, facts, title) = match OpenLake::open(root, snapshot, &context.settings).await {
            Ok(lake) => {
                let shown = lake.snapshot.as_ref().map_or("no snapshot yet".to_owned(), ToString::to_string);
                let title = format!("lake {} · {shown}", lake.lake.root().display());
                let facts = lake.facts();
                (lake.session, facts, title)
            }
            Err(error) => {
                let missing = error.downcast::<LakeError>()?;
                if needs_lake || missing.kind() != ErrorKind::Usage {
                    return Err(missing.into());
                }
                let (reason, options) = (OutsideError::new(missing), session_options(&context.settings));
                let session = Session::without_lake(&endpoint_schema(), reason, options).await?;
                (
                    session,
                    PageFacts::default(),
                    format!("no lake in {}: only read_pieces has rows", root.display()),
                )
            }
        };
        session.offer_pieces(pieces.reader(&context.settings));
        Ok(Self { session, facts, title, pieces })
    }
}
