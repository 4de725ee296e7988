//! An import job at work: object after object, batch after batch, by the rules of `UpdateEndpoint`.
//!
//! A line that is no endpoint, or that the rules refuse, is counted and told, and the job goes on. An object that cannot be
//! read at all is a failed piece, and the job fails.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::Utc;
use tokio_util::sync::CancellationToken;

use super::Origin;
use crate::audience::{Audience, AudienceError, Refusal, Stamp};
use crate::import::{self, Format, ImportError, Item};
use crate::model::{EndpointResponse, ImportJobResource, JobStatus, SegmentImportResource};
use crate::pinpoint::application::{Application, Applications};
use crate::pinpoint::failure::Failure;
use crate::pinpoint::job::{Job, JobSettings};
use crate::pinpoint::segments::SegmentVersion;

/// One job with everything it needs.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) job: Arc<Job<ImportJobResource>>,
    pub(super) applications: Applications,
    pub(super) origin: Origin,
    pub(super) format: Format,
    pub(super) settings: JobSettings,
    pub(super) stop: CancellationToken,
}

/// Who has been imported.
#[derive(Debug, Default)]
struct Imported {
    /// Ids in lower case.
    ids: HashSet<String>,
    channels: BTreeMap<String, u64>,
}

/// What became of an object's lines.
#[derive(Debug, Default)]
struct Tally {
    processed: u64,
    failed: u64,
}

/// Why an object cannot be gone on with.
#[derive(Debug, thiserror::Error)]
enum PieceError {
    #[error("the object cannot be read: {0}")]
    Import(#[from] ImportError),
    #[error("{0}")]
    Audience(#[from] AudienceError),
    #[error("the server stops")]
    Stopped,
}

impl Work {
    /// Takes the job through its statuses.
    pub(super) async fn run(self) {
        for status in [JobStatus::PreparingForInitialization, JobStatus::Initializing] {
            self.settings.pause().await;
            self.job.advance(status);
        }
        self.settings.pause().await;
        let keys = self.keys();
        self.job.begin_pieces(keys.len() as u64);
        self.job.advance(JobStatus::Processing);
        self.settings.pause().await;
        let mut imported = Imported::default();
        for key in keys {
            let work = self.clone();
            let read = tokio::task::spawn_blocking(move || {
                work.import_object(&key, &mut imported);
                imported
            });
            match read.await {
                Ok(so_far) => imported = so_far,
                Err(error) => {
                    tracing::error!(%error, job = %self.job.id(), "an object could not be imported");
                    self.job.fail_piece(0, "An object could not be imported.");
                    imported = Imported::default();
                }
            }
            self.settings.pause().await;
        }
        if !self.job.has_failed() {
            let work = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || work.define_segment(imported)).await {
                tracing::error!(%error, job = %self.job.id(), "a segment could not be made");
                self.job.fail("The segment could not be made.");
            }
        }
        self.job.finish(async || self.settings.pause().await).await;
    }

    /// The objects to import, in order: the one of this key, or those below it that have the format. Tells where there are
    /// none.
    fn keys(&self) -> Vec<String> {
        let Origin { bucket, key } = &self.origin;
        let keys = match self.settings.store.keys(bucket, key) {
            Ok(keys) if keys.contains(key) => vec![key.clone()],
            Ok(keys) => keys.into_iter().filter(|key| self.has_format(key)).collect(),
            Err(error) => {
                self.job.fail(&format!("{error}."));
                return Vec::new();
            }
        };
        if keys.is_empty() {
            self.job.fail(&format!("Nothing to import lies under s3://{bucket}/{key}."));
        }
        keys
    }

    /// Whether a key's name is that of a file of the job's format. Folder markers are none.
    fn has_format(&self, key: &str) -> bool {
        !key.ends_with('/') && import::is_csv(key) == (self.format == Format::Csv)
    }

    /// Imports one object.
    fn import_object(&self, key: &str, imported: &mut Imported) {
        let mut tally = Tally::default();
        match self.import_lines(key, imported, &mut tally) {
            Ok(()) => self.job.complete_piece(tally.processed, tally.failed),
            Err(error) => {
                self.job.count(tally.processed, tally.failed);
                self.job.fail_piece(0, &format!("{key}: {error}."));
            }
        }
    }

    fn import_lines(&self, key: &str, imported: &mut Imported, tally: &mut Tally) -> Result<(), PieceError> {
        let unreadable = |error: crate::store::StoreError| {
            PieceError::Import(ImportError::Header { reason: error.to_string() })
        };
        let object = self.settings.store.get(&self.origin.bucket, key).map_err(unreadable)?;
        let bytes = object.bytes().map_err(unreadable)?;
        let plain = import::unpacked(&bytes)?;
        let Some(audience) = self.applications.audience(self.job.application_id()) else { return Ok(()) };
        import::each_batch(self.format, &plain, |batch| {
            if self.stop.is_cancelled() {
                return Err(PieceError::Stopped);
            }
            self.import_batch(key, batch, &audience, imported, tally)
        })
    }

    fn import_batch(
        &self,
        key: &str,
        batch: Vec<Item>,
        audience: &Audience,
        imported: &mut Imported,
        tally: &mut Tally,
    ) -> Result<(), PieceError> {
        let refuse = |line: u64, reason: &str, tally: &mut Tally| {
            tally.failed += 1;
            self.job.tell(&format!("{key}, line {line}: {reason}"));
        };
        let (mut lines, mut items) = (Vec::new(), Vec::new());
        for Item { line, endpoint } in batch {
            match endpoint {
                Ok(endpoint) if is_user_alone(&endpoint) => {
                    let known = audience.of_user(endpoint.user_id().unwrap_or_default())?;
                    if known.is_empty() {
                        refuse(line, "the user has no endpoints", tally);
                    } else {
                        tally.processed += 1;
                        for endpoint in &known {
                            imported.add(endpoint);
                        }
                    }
                }
                Ok(endpoint) => match import::id_of(&endpoint) {
                    Ok(id) => {
                        lines.push(line);
                        items.push((id, endpoint));
                    }
                    Err(reason) => refuse(line, reason, tally),
                },
                Err(reason) => refuse(line, &reason, tally),
            }
        }
        let ids: Vec<String> = items.iter().map(|(id, _)| id.clone()).collect();
        let outcomes = if self.job.definition().register_endpoints {
            audience.update_each(items, &self.stamp())?
        } else {
            // Without registration only those count that are there already.
            let found = |id: &String| Ok(audience.get(id)?.map(drop));
            let outcome = |found: Result<Option<()>, AudienceError>| {
                Ok(found?.ok_or_else(|| Refusal("the endpoint is not registered".to_owned())))
            };
            ids.iter().map(found).map(outcome).collect::<Result<Vec<_>, AudienceError>>()?
        };
        for ((line, id), outcome) in lines.into_iter().zip(ids).zip(outcomes) {
            match outcome {
                Ok(()) => {
                    tally.processed += 1;
                    if self.job.definition().segment_id.is_some()
                        && let Some(endpoint) = audience.get(&id)?
                    {
                        imported.add(&endpoint);
                    }
                }
                Err(Refusal(reason)) => refuse(line, &reason, tally),
            }
        }
        Ok(())
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            now: Utc::now(),
            application_id: self.job.application_id().to_owned(),
            request_id: self.job.id().to_owned(),
        }
    }

    /// Makes the segment that the job was asked for, or a version of the one that it adds to.
    fn define_segment(&self, imported: Imported) {
        let Some(segment_id) = self.job.definition().segment_id.clone() else { return };
        if let Err(error) = self.add_version(segment_id, imported) {
            tracing::error!(%error, job = %self.job.id(), "a segment could not be made");
            self.job.fail("The segment could not be made.");
        }
    }

    /// Adds the first version of a segment, or one with further members.
    fn add_version(&self, segment_id: String, mut imported: Imported) -> Result<(), Failure> {
        let application_id = self.job.application_id();
        // Members are looked up before the registry is locked for the change: there may be many.
        let (audience, before) = self.applications.with(application_id, |application| {
            let newest = application.segments.get(&segment_id, None);
            let members = newest.map(|newest| application.segments.members(newest)).transpose()?;
            Ok((Arc::clone(&application.audience), members.unwrap_or_default()))
        })?;
        for id in before {
            if let Some(endpoint) = audience.get(&id)? {
                imported.add(&endpoint);
            }
        }
        self.applications.with(application_id, |application| {
            let version = version_of(application, segment_id, &imported, self.job.definition());
            Ok(application.segments.add_imported(version, &imported.ids)?)
        })
    }
}

impl Imported {
    fn add(&mut self, endpoint: &EndpointResponse) {
        let Some(id) = &endpoint.id else { return };
        if self.ids.insert(id.to_lowercase()) {
            let channel = endpoint.channel_type.clone().unwrap_or_default();
            *self.channels.entry(channel).or_default() += 1;
        }
    }
}

/// The version that a job makes of a segment.
fn version_of(
    application: &Application,
    segment_id: String,
    imported: &Imported,
    definition: &ImportJobResource,
) -> SegmentVersion {
    let newest = application.segments.get(&segment_id, None);
    let now = Utc::now();
    SegmentVersion {
        sequence: newest.map_or_else(|| application.segments.next_sequence(), |newest| newest.sequence),
        version: newest.map_or(1, |newest| newest.version + 1),
        name: definition.segment_name.clone().or_else(|| newest?.name.clone()),
        created: newest.map_or(now, |newest| newest.created),
        modified: now,
        tags: newest.map(|newest| newest.tags.clone()).unwrap_or_default(),
        dimensions: None,
        groups: None,
        import: Some(SegmentImportResource {
            channel_counts: imported.channels.clone(),
            external_id: definition.external_id.clone().unwrap_or_default(),
            format: definition.format.clone(),
            role_arn: definition.role_arn.clone(),
            s3_url: definition.s3_url.clone(),
            size: imported.ids.len() as u64,
        }),
        id: segment_id,
    }
}

/// Whether the line names a user and nothing else: all endpoints of that user are meant.
fn is_user_alone(endpoint: &EndpointResponse) -> bool {
    let user = endpoint.user.as_ref();
    let alone = EndpointResponse { user: endpoint.user.clone(), ..EndpointResponse::default() };
    user.is_some_and(|user| user.user_id.is_some() && user.user_attributes.is_none()) && *endpoint == alone
}
