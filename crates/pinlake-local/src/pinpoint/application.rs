//! Applications: `CreateApp`, `GetApp`, `GetApps`, `DeleteApp`, and the registry of them all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Answer;
use super::failure::Failure;
use super::job::Job;
use super::paging::PageRequest;
use super::segments::{SegmentVersion, Segments};
use crate::audience::{Audience, AudienceError};
use crate::model::{
    self, ApplicationResponse, CreateApplicationRequest, ExportJobResource, ImportJobResource, Items,
    SegmentDimensions,
};
use crate::population::Population;
use crate::state::{Kind, State, StateError};

/// The account that owns everything here.
const ACCOUNT: &str = "000000000000";

/// An application (a "project" in the console) and what belongs to it.
#[derive(Debug)]
pub(crate) struct Application {
    record: ApplicationRecord,
    /// Its endpoints.
    pub(super) audience: Arc<Audience>,
    /// Its segments.
    pub(super) segments: Segments,
    /// Its export jobs, the oldest first.
    pub(super) export_jobs: Vec<Arc<Job<ExportJobResource>>>,
    /// Its import jobs, the oldest first.
    pub(super) import_jobs: Vec<Arc<Job<ImportJobResource>>>,
}

/// An application as the state keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ApplicationRecord {
    /// 32 hex digits.
    id: String,
    /// Its number in the state, in the order of creation.
    number: u32,
    arn: String,
    name: String,
    tags: BTreeMap<String, String>,
    created: DateTime<Utc>,
}

impl Application {
    /// The application of this record with what the state has of it.
    fn open(state: &State, record: ApplicationRecord) -> Result<Self, AudienceError> {
        Ok(Application {
            audience: Arc::new(Audience::open(state.clone(), record.number)?),
            segments: Segments::open(state, &record.id)?,
            export_jobs: Job::all(state, &record.id)?,
            import_jobs: Job::all(state, &record.id)?,
            record,
        })
    }

    /// 32 hex digits.
    pub(super) fn id(&self) -> &str {
        &self.record.id
    }

    /// Its ARN.
    pub(super) fn arn(&self) -> &str {
        &self.record.arn
    }

    /// Makes sure that a segment without filters is there.
    fn ensure_segment(&mut self, segment_id: &str) -> Result<(), StateError> {
        if self.segments.get(segment_id, None).is_some() {
            return Ok(());
        }
        let now = Utc::now();
        self.segments.add(SegmentVersion {
            id: segment_id.to_owned(),
            sequence: self.segments.next_sequence(),
            version: 1,
            name: Some("All endpoints".to_owned()),
            created: now,
            modified: now,
            tags: BTreeMap::new(),
            dimensions: Some(SegmentDimensions::default()),
            groups: None,
            import: None,
        })
    }

    /// How the API shows it.
    fn response(&self) -> ApplicationResponse {
        ApplicationResponse {
            arn: self.record.arn.clone(),
            id: self.record.id.clone(),
            name: self.record.name.clone(),
            tags: self.record.tags.clone(),
            creation_date: model::date(self.record.created),
        }
    }
}

/// All applications, by number. Clones share them. The lock is held for look-ups and small changes only.
#[derive(Debug, Clone)]
pub(crate) struct Applications {
    by_number: Arc<Mutex<BTreeMap<u32, Application>>>,
    state: State,
    region: String,
}

impl Applications {
    /// The applications that the state has, in this region.
    pub(crate) fn open(state: State, region: &str) -> Result<Self, AudienceError> {
        let mut by_number = BTreeMap::new();
        for record in state.all::<ApplicationRecord>(Kind::Application, "")? {
            by_number.insert(record.number, Application::open(&state, record)?);
        }
        Ok(Applications { by_number: Arc::new(Mutex::new(by_number)), state, region: region.to_owned() })
    }

    /// Where all of it is kept.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Makes sure that an application of this id is there.
    pub(crate) fn ensure(&self, id: &str, name: &str) -> Result<(), AudienceError> {
        let mut applications = self.lock();
        if applications.values().any(|application| application.record.id == id) {
            return Ok(());
        }
        self.add(&mut applications, id.to_owned(), name.to_owned(), BTreeMap::new())?;
        Ok(())
    }

    /// Gives an application without endpoints this population, and segments that hold all of its endpoints.
    pub(crate) fn seed(
        &self,
        id: &str,
        population: Option<Population>,
        segment_ids: &[String],
    ) -> Result<(), AudienceError> {
        let mut applications = self.lock();
        let application = applications.values_mut().find(|application| application.record.id == id);
        let Some(application) = application else { return Ok(()) };
        segment_ids.iter().try_for_each(|segment_id| application.ensure_segment(segment_id))?;
        if let Some(population) = population {
            let audience = Audience::open(self.state.clone(), application.record.number)?;
            application.audience = Arc::new(audience.with_seed(population));
        }
        Ok(())
    }

    /// The endpoints of an application.
    pub(crate) fn audience(&self, id: &str) -> Option<Arc<Audience>> {
        let applications = self.lock();
        let application = applications.values().find(|application| application.record.id == id)?;
        Some(Arc::clone(&application.audience))
    }

    /// Brings everything that was loaded to the disk.
    pub(crate) fn sync(&self) -> Result<(), StateError> {
        self.state.sync()
    }

    /// Adds an application, in the state first.
    fn add<'a>(
        &self,
        applications: &'a mut BTreeMap<u32, Application>,
        id: String,
        name: String,
        tags: BTreeMap<String, String>,
    ) -> Result<&'a Application, AudienceError> {
        let number = applications.last_key_value().map_or(0, |(number, _)| number + 1);
        let arn = format!("arn:aws:mobiletargeting:{}:{ACCOUNT}:apps/{id}", self.region);
        let record = ApplicationRecord { id, number, arn, name, tags, created: Utc::now() };
        self.state.put(Kind::Application, "", &record.id, &record)?;
        let application = Application::open(&self.state, record)?;
        Ok(applications.entry(number).or_insert(application))
    }

    /// Does something with an application.
    pub(super) fn with<T>(
        &self,
        application_id: &str,
        act: impl FnOnce(&mut Application) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut applications = self.lock();
        let application =
            applications.values_mut().find(|application| application.record.id == application_id);
        act(application.ok_or_else(|| unknown(application_id))?)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Application>> {
        // A panic elsewhere leaves the map whole: each change is one insertion or removal.
        self.by_number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `CreateApp`: 201.
pub(super) fn create(applications: &Applications, body: &[u8]) -> Result<Answer, Failure> {
    let request: CreateApplicationRequest = super::read(body)?;
    let name = request.name.filter(|name| !name.trim().is_empty() && name.chars().count() <= 64);
    let name = name.ok_or_else(|| Failure::bad_request("Name must have 1 to 64 characters."))?;
    let id = Uuid::new_v4().simple().to_string();
    let mut all = applications.lock();
    let application = applications.add(&mut all, id, name, request.tags)?;
    Answer::new(StatusCode::CREATED, &application.response())
}

/// `GetApp`: 200.
pub(super) fn get(applications: &Applications, application_id: &str) -> Result<Answer, Failure> {
    let response = applications.with(application_id, |application| Ok(application.response()))?;
    Answer::new(StatusCode::OK, &response)
}

/// `GetApps`: 200, paged.
pub(super) fn list(applications: &Applications, query: &str) -> Result<Answer, Failure> {
    let request = PageRequest::parse(query)?;
    let (item, next_token) = {
        let applications = applications.lock();
        let numbered = applications.iter();
        request.cut(numbered.map(|(number, application)| (u64::from(*number), application.response())))
    };
    Answer::new(StatusCode::OK, &Items { item, next_token })
}

/// `DeleteApp`: 200. Its jobs under way end as they would; nobody can ask for them any more.
pub(super) fn delete(applications: &Applications, application_id: &str) -> Result<Answer, Failure> {
    let mut all = applications.lock();
    let found = all.iter().find(|(_, application)| application.record.id == application_id);
    let number = found.map(|(number, _)| *number).ok_or_else(|| unknown(application_id))?;
    applications.state.remove_application(application_id, number)?;
    let removed = all.remove(&number).ok_or_else(|| unknown(application_id))?;
    Answer::new(StatusCode::OK, &removed.response())
}

/// 404 for an application.
fn unknown(application_id: &str) -> Failure {
    Failure::not_found(&format!("Application {application_id} was not found."))
}
