//! The endpoints of one application: found by id, user and address, changed by Pinpoint's rules, read on all cores.
//!
//! Contract: a change is made wholly or not at all, and what a call returns has been committed. An export sees the audience
//! as it was at one moment. A seeded population is not kept as endpoints before one of them is asked for or changed: until
//! then exports come from the generator, without memory and verbatim.

mod change;
mod directory;
mod loading;
mod members;
mod rules;
mod stored;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use thiserror::Error;

pub(crate) use loading::TakenIn;
pub(crate) use members::Source;
pub(crate) use rules::{BATCH_ITEMS, Refusal, Stamp};

use change::Change;
use directory::{Directory, id_key, user_key};

use crate::model::EndpointResponse;
use crate::population::Population;
use crate::state::{State, StateError};

/// Why an audience could not be changed or read.
#[derive(Debug, Error)]
pub(crate) enum AudienceError {
    /// Pinpoint's rules do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The state failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// An endpoint in the state is not what was written.
    #[error("an endpoint in the state cannot be read")]
    Endpoint(#[from] serde_json::Error),
}

/// The endpoints of one application.
#[derive(Debug)]
pub(crate) struct Audience {
    state: State,
    /// Which application it is, in the state.
    number: u32,
    directory: RwLock<Directory>,
    /// A population that has not been kept as endpoints yet.
    seed: Mutex<Option<Arc<Population>>>,
}

impl Audience {
    /// The audience that the state has for this application.
    pub(crate) fn open(state: State, number: u32) -> Result<Self, AudienceError> {
        let directory = loading::index(&state.endpoints(number)?)?;
        Ok(Audience { state, number, directory: RwLock::new(directory), seed: Mutex::default() })
    }

    /// The audience with this population, which takes no memory before an endpoint is asked for.
    pub(crate) fn with_seed(self, population: Population) -> Self {
        Audience { seed: Mutex::new(Some(Arc::new(population))), ..self }
    }

    /// One endpoint, as `GetEndpoint` shows it.
    pub(crate) fn get(&self, id: &str) -> Result<Option<EndpointResponse>, AudienceError> {
        self.pour()?;
        let directory = self.read();
        let Some(slot) = directory.slot(id_key(id)) else { return Ok(None) };
        self.shown(&[slot]).map(|mut found| found.pop())
    }

    /// The endpoints of a user, the oldest first.
    pub(crate) fn of_user(&self, user_id: &str) -> Result<Vec<EndpointResponse>, AudienceError> {
        self.pour()?;
        let directory = self.read();
        self.shown(&directory.of_user(user_key(user_id)))
    }

    /// Creates or updates endpoints: all, or none where one is refused.
    pub(crate) fn update(
        &self,
        items: Vec<(String, EndpointResponse)>,
        stamp: &Stamp,
    ) -> Result<(), AudienceError> {
        self.change(|change| {
            let several = items.len() > 1;
            for (number, (id, request)) in items.into_iter().enumerate() {
                change.update(&id, request, stamp).map_err(|error| match error {
                    AudienceError::Refused(Refusal(message)) if several => {
                        Refusal(format!("Item {number}: {message}")).into()
                    }
                    error => error,
                })?;
            }
            Ok(())
        })
    }

    /// Creates or updates endpoints one by one, as an import does: what became of each, in order.
    pub(crate) fn update_each(
        &self,
        items: Vec<(String, EndpointResponse)>,
        stamp: &Stamp,
    ) -> Result<Vec<Result<(), Refusal>>, AudienceError> {
        self.change(|change| {
            let update = |(id, request): (String, EndpointResponse)| {
                let mark = change.mark();
                match change.update(&id, request, stamp) {
                    Ok(()) => Ok(Ok(())),
                    Err(AudienceError::Refused(refusal)) => {
                        change.roll_back(mark);
                        Ok(Err(refusal))
                    }
                    Err(error) => Err(error),
                }
            };
            items.into_iter().map(update).collect()
        })
    }

    /// Deletes an endpoint, and returns it.
    pub(crate) fn delete(&self, id: &str) -> Result<Option<EndpointResponse>, AudienceError> {
        self.change(|change| {
            let Some((slot, endpoint)) = change.find(id)? else { return Ok(None) };
            change.put(slot, None)?;
            Ok(Some(shown(endpoint)))
        })
    }

    /// Deletes the endpoints of a user, and returns them.
    pub(crate) fn delete_user(&self, user_id: &str) -> Result<Vec<EndpointResponse>, AudienceError> {
        self.change(|change| {
            let found = change.of_user(user_id)?;
            for (slot, _) in &found {
                change.put(*slot, None)?;
            }
            Ok(found.into_iter().map(|(_, endpoint)| shown(endpoint)).collect())
        })
    }

    /// Changes endpoints under the lock, and commits what the steps left or takes it all back.
    fn change<T>(
        &self,
        steps: impl FnOnce(&mut Change<'_>) -> Result<T, AudienceError>,
    ) -> Result<T, AudienceError> {
        self.pour()?;
        let mut directory = self.write();
        let mut change = Change::new(&mut directory, self.state.endpoints(self.number)?);
        let outcome = steps(&mut change).and_then(|outcome| {
            let writes = change.finish()?;
            if !writes.is_empty() {
                let writes = writes.iter().map(|(slot, bytes)| (*slot, bytes.as_deref()));
                self.state.change_endpoints(self.number, writes)?;
            }
            Ok(outcome)
        });
        if outcome.is_err() {
            change.roll_back(0);
        }
        outcome
    }

    /// What is in these slots, as the API shows it.
    fn shown(&self, slots: &[u64]) -> Result<Vec<EndpointResponse>, AudienceError> {
        let endpoints = self.state.endpoints(self.number)?;
        let mut found = Vec::with_capacity(slots.len());
        for slot in slots {
            if let Some(bytes) = endpoints.get(*slot)? {
                found.push(shown(stored::decode(&bytes)?));
            }
        }
        Ok(found)
    }

    fn seed(&self) -> std::sync::MutexGuard<'_, Option<Arc<Population>>> {
        self.seed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An endpoint with what is not kept but known: its cohort.
fn shown(mut endpoint: EndpointResponse) -> EndpointResponse {
    if endpoint.cohort_id.is_none() {
        endpoint.cohort_id = endpoint.id.as_deref().map(rules::cohort);
    }
    endpoint
}
