//! Applications: `CreateApp`, `GetApp`, `GetApps`, `DeleteApp`, and the registry of them all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use hyper::StatusCode;
use uuid::Uuid;

use super::Answer;
use super::failure::Failure;
use super::job::Job;
use super::paging::PageRequest;
use crate::model::{self, ApplicationResponse, CreateApplicationRequest, Items};
use crate::population::Population;

/// The account that owns everything here.
const ACCOUNT: &str = "000000000000";

/// An application (a "project" in the console) and what belongs to it.
#[derive(Debug)]
pub(crate) struct Application {
    /// 32 hex digits.
    pub(super) id: String,
    arn: String,
    name: String,
    tags: BTreeMap<String, String>,
    created: DateTime<Utc>,
    /// Its endpoints; `None` where there are none.
    pub(super) population: Option<Arc<Population>>,
    /// Segments without filters.
    pub(super) segment_ids: Vec<String>,
    /// Its export jobs, the oldest first.
    pub(super) jobs: Vec<Arc<Job>>,
}

impl Application {
    /// An application of this region, without endpoints, segments and jobs.
    pub(crate) fn new(id: String, name: String, region: &str) -> Self {
        let arn = format!("arn:aws:mobiletargeting:{region}:{ACCOUNT}:apps/{id}");
        Application {
            id,
            arn,
            name,
            tags: BTreeMap::new(),
            created: Utc::now(),
            population: None,
            segment_ids: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// The application with these endpoints and with segments that hold all of them.
    pub(crate) fn with_audience(mut self, population: Option<Population>, segment_ids: Vec<String>) -> Self {
        self.population = population.map(Arc::new);
        self.segment_ids = segment_ids;
        self
    }

    /// How the API shows it.
    fn response(&self) -> ApplicationResponse {
        ApplicationResponse {
            arn: self.arn.clone(),
            id: self.id.clone(),
            name: self.name.clone(),
            tags: self.tags.clone(),
            creation_date: model::date(self.created),
        }
    }
}

/// All applications, by sequence number. Clones share them. The lock is held for look-ups only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applications {
    by_sequence: Arc<Mutex<BTreeMap<u64, Application>>>,
}

impl Applications {
    /// Adds an application.
    pub(crate) fn add(&self, application: Application) {
        let mut applications = self.lock();
        let sequence = applications.last_key_value().map_or(0, |(sequence, _)| sequence + 1);
        applications.insert(sequence, application);
    }

    /// Does something with an application.
    pub(super) fn with<T>(
        &self,
        application_id: &str,
        act: impl FnOnce(&mut Application) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut applications = self.lock();
        let application = applications.values_mut().find(|application| application.id == application_id);
        act(application.ok_or_else(|| unknown(application_id))?)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Application>> {
        // A panic elsewhere leaves the map whole: each change is one insertion or removal.
        self.by_sequence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `CreateApp`: 201.
pub(super) fn create(applications: &Applications, region: &str, body: &[u8]) -> Result<Answer, Failure> {
    let request: CreateApplicationRequest = super::read(body)?;
    let name = request.name.filter(|name| !name.trim().is_empty() && name.chars().count() <= 64);
    let name = name.ok_or_else(|| Failure::bad_request("Name must have 1 to 64 characters."))?;
    let mut application = Application::new(Uuid::new_v4().simple().to_string(), name, region);
    application.tags = request.tags;
    let answer = Answer::new(StatusCode::CREATED, &application.response());
    applications.add(application);
    answer
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
        request.cut(applications.iter().map(|(sequence, application)| (*sequence, application.response())))
    };
    Answer::new(StatusCode::OK, &Items { item, next_token })
}

/// `DeleteApp`: 200. Its jobs under way end as they would; nobody can ask for them any more.
pub(super) fn delete(applications: &Applications, application_id: &str) -> Result<Answer, Failure> {
    let mut all = applications.lock();
    let sequence = all.iter().find(|(_, application)| application.id == application_id).map(|(key, _)| *key);
    let removed =
        sequence.and_then(|sequence| all.remove(&sequence)).ok_or_else(|| unknown(application_id))?;
    Answer::new(StatusCode::OK, &removed.response())
}

/// 404 for an application.
fn unknown(application_id: &str) -> Failure {
    Failure::not_found(&format!("Application {application_id} was not found."))
}
