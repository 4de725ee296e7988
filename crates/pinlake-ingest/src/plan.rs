//! What a conversion will do, decided before it begins: plain data, made by listing and never by reading a piece.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use pinlake_lake::{Lake, LakeError, RunIdentity, SnapshotId, WriterOptions};
use pinlake_source::{Aws, ExportJob, Filter, Listing, Location, Piece, Skipped, Source, SourceError};

use crate::error::IngestError;
use crate::limits::Limits;
use crate::redact::Redaction;
use crate::rejects::MaxRejects;

/// What somebody wants converted, and how.
#[derive(Debug)]
pub struct ConvertRequest {
    /// The program and its version, for the manifest.
    pub tool: String,
    /// Where the pieces are; one or more.
    pub sources: Vec<Source>,
    /// The connection for sources in S3.
    pub aws: Option<Aws>,
    /// Which files of a source are pieces.
    pub filter: Filter,
    /// The lake's folder; it need not exist.
    pub lake: PathBuf,
    /// The snapshot's id; else it is made from the job's completion, or from the clock.
    pub snapshot: Option<SnapshotId>,
    /// Whether a snapshot of this id may be there already, to be replaced.
    pub replace: bool,
    /// The job that wrote the pieces, where one is known: its counts must be met.
    pub job: Option<ExportJob>,
    /// How many endpoints there must be, rows and rejects together.
    pub expect_rows: Option<u64>,
    /// How many rejects are put up with.
    pub max_rejects: MaxRejects,
    /// What becomes of columns that are not to be kept as they came.
    pub redaction: Redaction,
    /// Whether rejects hold the text of the lines; with any redaction they never do.
    pub rejects_raw: bool,
    /// What logs call this run; it goes to the manifest.
    pub run_id: Option<String>,
    /// How Parquet is written.
    pub writer: WriterOptions,
    /// After so many bytes of pieces, as stored, what is done is noted for good; else time decides.
    pub checkpoint_bytes: Option<u64>,
    /// Bounds of the work.
    pub limits: Limits,
}

impl ConvertRequest {
    /// Whether rejects hold the text of the lines. A line that is no endpoint may hold anything, so nothing can be redacted in it.
    pub(crate) fn keeps_raw_rejects(&self) -> bool {
        self.rejects_raw && self.redaction.is_empty()
    }
}

/// A request with its pieces found.
#[derive(Debug)]
pub struct Plan {
    /// What was asked for.
    pub request: ConvertRequest,
    /// The sources, for people and the manifest.
    pub source: String,
    /// The snapshot that will be made.
    pub snapshot: SnapshotId,
    /// Whether its id is of no importance, and another one as good.
    pub(crate) is_named_by_clock: bool,
    /// What tells this work from other; `None` where no other process can go on with it.
    pub(crate) identity: Option<RunIdentity>,
    /// Whether an interrupted run of the same work has left something to go on with.
    pub is_resumed: bool,
    /// The pieces, in the order in which they are fetched. No two have the same name.
    pub pieces: Arc<[Piece]>,
    /// What lies beside the pieces and will not be read.
    pub skipped: Vec<Skipped>,
    /// What was found at each source.
    pub listings: Vec<Listing>,
    /// When planning began.
    pub started_at: DateTime<Utc>,
    /// How long listing took, in seconds.
    pub list_seconds: f64,
}

impl Plan {
    /// Lists the sources. A completed job without endpoints leaves no piece behind; that is a plan without pieces, while
    /// a source without pieces is an error otherwise.
    pub async fn make(request: ConvertRequest) -> Result<Self, IngestError> {
        let started_at = Utc::now();
        let clock = Instant::now();
        let mut listings = Vec::with_capacity(request.sources.len());
        for source in &request.sources {
            match source.list(request.aws.as_ref(), &request.filter).await {
                Ok(listing) => listings.push(listing),
                Err(SourceError::Listing(error))
                    if error.is_without_pieces() && is_empty_export(request.job.as_ref()) =>
                {
                    listings.push(empty_listing(source));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let names: Vec<&str> = listings.iter().map(|listing| listing.source.as_str()).collect();
        let source = names.join(" ");
        let (pieces, skipped) = join(&listings)?;
        let identity = identity(&request, source.clone());
        let name = Name::choose(&request, identity.as_ref(), started_at).await?;
        tracing::info!(%source, snapshot = %name.id, pieces = pieces.len(), skipped = skipped.len(), "planned");
        Ok(Self {
            request,
            source,
            snapshot: name.id,
            is_named_by_clock: name.is_by_clock,
            identity,
            is_resumed: name.is_resumed,
            pieces: pieces.into(),
            skipped,
            listings,
            started_at,
            list_seconds: clock.elapsed().as_secs_f64(),
        })
    }

    /// Reads these pieces, named as the plan names them, from copies on the disk.
    pub fn read_copies(&mut self, copies: impl IntoIterator<Item = (String, PathBuf)>) {
        let mut copies: HashMap<String, PathBuf> = copies.into_iter().collect();
        let pieces = self.pieces.iter().cloned().map(|mut piece| {
            if let Some(path) = copies.remove(&piece.name) {
                piece.location = Location::File(path);
            }
            piece
        });
        self.pieces = pieces.collect();
    }

    /// Bytes of all pieces as stored.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.size).sum()
    }
}

/// What tells this work from other: whatever decides which rows and files come of the pieces, but for the pieces themselves. `None`
/// where another process could not go on with it.
fn identity(request: &ConvertRequest, source: String) -> Option<RunIdentity> {
    let redaction = request.redaction.terms()?;
    let WriterOptions { compression, row_group_rows, .. } = &request.writer;
    let lines = request.limits.unpack.max_line_bytes;
    let raw = request.keeps_raw_rejects();
    let terms = format!(
        "{}, {compression:?}, row groups of {row_group_rows}, lines up to {lines}, raw rejects {raw}, {redaction}",
        request.tool
    );
    Some(RunIdentity { source, terms })
}

/// The id of the snapshot to be made, and how it came about.
struct Name {
    id: SnapshotId,
    is_by_clock: bool,
    is_resumed: bool,
}

impl Name {
    /// An id that was asked for, or is the job's completion, must be free unless it is to be replaced, or an interrupted run of the
    /// same work has it. Where the clock decides, such a run is gone on with; else it is the next free second, so that conversions
    /// in quick succession do not meet.
    async fn choose(
        request: &ConvertRequest,
        identity: Option<&RunIdentity>,
        now: DateTime<Utc>,
    ) -> Result<Self, IngestError> {
        let lake = Lake::open_if_any(&request.lake).await?;
        let interrupted = match (&lake, identity) {
            (Some(lake), Some(identity)) => lake.interrupted_runs(identity)?,
            _ => Vec::new(),
        };
        let given = request.snapshot.clone();
        if let Some(id) = given.or_else(|| completion(request.job.as_ref()).map(SnapshotId::from_time)) {
            let is_resumed = interrupted.contains(&id);
            let is_taken = lake.is_some_and(|lake| lake.snapshot(&id).is_ok());
            if is_taken && !request.replace && !is_resumed {
                return Err(LakeError::SnapshotExists { path: request.lake.clone(), id }.into());
            }
            return Ok(Self { id, is_by_clock: false, is_resumed });
        }
        if let Some(id) = interrupted.into_iter().next_back() {
            return Ok(Self { id, is_by_clock: true, is_resumed: true });
        }
        let id = match lake {
            Some(lake) => free_id(&lake, now)?,
            None => SnapshotId::from_time(now),
        };
        Ok(Self { id, is_by_clock: true, is_resumed: false })
    }
}

/// The first second from `now` on that no snapshot and no run has for its id.
pub(crate) fn free_id(lake: &Lake, now: DateTime<Utc>) -> Result<SnapshotId, LakeError> {
    let mut seconds = 0;
    loop {
        let id = SnapshotId::from_time(now + TimeDelta::seconds(seconds));
        if lake.snapshot(&id).is_err() && !lake.is_staged(&id)? {
            return Ok(id);
        }
        seconds += 1;
    }
}

/// When the job ended, as far as it says so.
fn completion(job: Option<&ExportJob>) -> Option<DateTime<Utc>> {
    let date = job?.completion_date.as_deref()?;
    DateTime::parse_from_rfc3339(date).ok().map(|date| date.with_timezone(&Utc))
}

fn is_empty_export(job: Option<&ExportJob>) -> bool {
    job.is_some_and(|job| job.is_completed() && job.total_processed == Some(0))
}

fn empty_listing(source: &Source) -> Listing {
    Listing { source: source.to_string(), prefix: String::new(), pieces: Vec::new(), skipped: Vec::new() }
}

/// The pieces and the skipped files of all sources. Names that stand in several sources get their source in front, since a
/// piece's name says where a row came from.
fn join(listings: &[Listing]) -> Result<(Vec<Piece>, Vec<Skipped>), IngestError> {
    let mut names = HashSet::new();
    let clash = listings.iter().flat_map(|listing| &listing.pieces).any(|piece| !names.insert(&piece.name));
    let (mut pieces, mut skipped) = (Vec::new(), Vec::new());
    let mut places = HashSet::new();
    for listing in listings {
        for piece in &listing.pieces {
            if !places.insert(place(piece)) {
                return Err(IngestError::PieceTwice {
                    piece: piece.name.clone(),
                    source_name: listing.source.clone(),
                });
            }
            let mut piece = piece.clone();
            if clash {
                piece.name = qualified(&listing.source, &piece.name);
            }
            pieces.push(piece);
        }
        skipped.extend(listing.skipped.iter().cloned());
    }
    Ok((pieces, skipped))
}

/// A piece's name with its source in front. The source of a single file is its path, which needs nothing more.
fn qualified(source: &str, name: &str) -> String {
    let is_the_file = source == name || source.ends_with(&format!("/{name}"));
    if is_the_file { source.to_owned() } else { format!("{}/{name}", source.trim_end_matches('/')) }
}

/// Where a piece truly is, so that one reached by two ways is known to be one.
fn place(piece: &Piece) -> Location {
    match &piece.location {
        // A file that cannot be looked at fails when it is read, with its reason.
        Location::File(path) => Location::File(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())),
        object @ Location::S3 { .. } => object.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn listing(source: &str, names: &[&str]) -> Listing {
        let piece = |name: &&str| Piece {
            name: (*name).to_owned(),
            size: 1,
            etag: None,
            location: Location::File(Path::new(source).join(name)),
        };
        let pieces = names.iter().map(piece).collect();
        Listing { source: source.to_owned(), prefix: String::new(), pieces, skipped: Vec::new() }
    }

    #[test]
    fn names_are_told_apart_only_where_they_clash() {
        let (pieces, _) = join(&[listing("a", &["1.gz"]), listing("b/", &["2.gz"])]).unwrap();
        assert_eq!(pieces[1].name, "2.gz");
        let (pieces, _) = join(&[listing("a", &["1.gz"]), listing("b/", &["1.gz"])]).unwrap();
        assert_eq!([pieces[0].name.as_str(), pieces[1].name.as_str()], ["a/1.gz", "b/1.gz"]);
    }

    #[test]
    fn the_name_of_a_single_file_is_its_path_where_it_clashes() {
        assert_eq!(qualified("old/1.gz", "1.gz"), "old/1.gz");
        assert_eq!(qualified("1.gz", "1.gz"), "1.gz");
        assert_eq!(qualified("s3://b/p/", "p/1.gz"), "s3://b/p/p/1.gz");
    }

    #[test]
    fn a_piece_given_twice_is_refused() {
        let error = join(&[listing("a", &["1.gz"]), listing("a", &["1.gz"])]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Usage);
        assert!(error.to_string().contains("1.gz"), "{error}");
    }

    #[test]
    fn the_job_names_the_snapshot() {
        let job = ExportJob {
            completion_date: Some("2026-10-29T12:00:00.228Z".to_owned()),
            ..ExportJob::default()
        };
        let date = completion(Some(&job)).unwrap();
        assert_eq!(SnapshotId::from_time(date).as_str(), "2026-10-29T120000Z");
    }
}
