//! A change of several endpoints that is made wholly or not at all.
//!
//! What is read within a change is as the change has made it so far. Each step can be taken back, up to a mark; what is left
//! at the end goes to the state in one commit.

use std::collections::BTreeMap;

use super::directory::{self, Directory, Keys, id_key, user_key};
use super::rules::{self, ATTRIBUTE_NAMES, ENDPOINTS_PER_USER, Refusal, Stamp};
use super::{AudienceError, stored};
use crate::model::EndpointResponse;
use crate::state::Endpoints;

/// An endpoint in a change; `None` where it is removed.
type Pending = Option<EndpointResponse>;

/// What a slot is to hold: bytes, or nothing where it is to be emptied.
pub(super) type SlotWrite = (u64, Option<Vec<u8>>);

/// One step, and what it takes to undo it.
struct Step {
    slot: u64,
    before: Option<Keys>,
    after: Option<Keys>,
    /// What the change had for the slot before the step, if anything.
    pending: Option<Pending>,
}

/// A change under way. Dropped without [`Change::finish`] it must have been rolled back.
pub(super) struct Change<'a> {
    directory: &'a mut Directory,
    endpoints: Endpoints,
    pending: BTreeMap<u64, Pending>,
    steps: Vec<Step>,
}

impl<'a> Change<'a> {
    /// A change of what these endpoints are, found by this directory.
    pub(super) fn new(directory: &'a mut Directory, endpoints: Endpoints) -> Self {
        Change { directory, endpoints, pending: BTreeMap::new(), steps: Vec::new() }
    }

    /// How far the change has come.
    pub(super) fn mark(&self) -> usize {
        self.steps.len()
    }

    /// Takes everything back that was done since the mark.
    pub(super) fn roll_back(&mut self, mark: usize) {
        for step in self.steps.drain(mark..).rev() {
            self.directory.relink(step.slot, step.after, step.before);
            match step.pending {
                Some(pending) => self.pending.insert(step.slot, pending),
                None => self.pending.remove(&step.slot),
            };
        }
    }

    /// What there is to write: each slot with its bytes, or nothing where it is to be emptied. The names of attributes are
    /// remembered from here on.
    pub(super) fn finish(&mut self) -> Result<Vec<SlotWrite>, AudienceError> {
        for endpoint in self.pending.values().flatten() {
            self.directory.add_names(directory::names(endpoint));
        }
        let encode = |(slot, endpoint): (&u64, &Pending)| {
            let bytes = endpoint.as_ref().map(stored::encode_endpoint).transpose()?;
            Ok((*slot, bytes))
        };
        self.pending.iter().map(encode).collect()
    }

    /// An endpoint with its slot.
    pub(super) fn find(&self, id: &str) -> Result<Option<(u64, EndpointResponse)>, AudienceError> {
        let Some(slot) = self.directory.slot(id_key(id)) else { return Ok(None) };
        Ok(self.get(slot)?.map(|endpoint| (slot, endpoint)))
    }

    /// A user's endpoints with their slots.
    pub(super) fn of_user(&self, user_id: &str) -> Result<Vec<(u64, EndpointResponse)>, AudienceError> {
        let slots = self.directory.of_user(user_key(user_id));
        let read = |slot| Ok(self.get(slot)?.map(|endpoint| (slot, endpoint)));
        slots.into_iter().filter_map(|slot| read(slot).transpose()).collect()
    }

    fn get(&self, slot: u64) -> Result<Option<EndpointResponse>, AudienceError> {
        match self.pending.get(&slot) {
            Some(pending) => Ok(pending.clone()),
            None => match self.endpoints.get(slot)? {
                Some(bytes) => Ok(Some(stored::decode(&bytes)?)),
                None => Ok(None),
            },
        }
    }

    /// Puts an endpoint into a slot, or empties it.
    pub(super) fn put(&mut self, slot: u64, endpoint: Pending) -> Result<(), AudienceError> {
        let before = self.get(slot)?.as_ref().and_then(Keys::of);
        let after = endpoint.as_ref().and_then(Keys::of);
        self.directory.relink(slot, before, after);
        let pending = self.pending.insert(slot, endpoint);
        self.steps.push(Step { slot, before, after, pending });
        Ok(())
    }

    /// Creates or updates an endpoint, and does to its neighbours what Pinpoint does.
    pub(super) fn update(
        &mut self,
        id: &str,
        request: EndpointResponse,
        stamp: &Stamp,
    ) -> Result<(), AudienceError> {
        let found = self.find(id)?;
        let (slot, before) = match found {
            Some((slot, endpoint)) => (slot, Some(endpoint)),
            None => (self.directory.next_slot(), None),
        };
        let user_before = before.as_ref().and_then(|endpoint| endpoint.user_id().map(str::to_owned));
        let endpoint = rules::updated(before, id, request, stamp)?;
        if self.directory.names_with(&endpoint) > ATTRIBUTE_NAMES && self.brings_names(&endpoint) {
            return Err(Refusal(format!(
                "The application would have more than {ATTRIBUTE_NAMES} names of attributes, metrics and user attributes."
            ))
            .into());
        }
        if let Some(user_id) = endpoint.user_id().filter(|user_id| user_before.as_deref() != Some(user_id)) {
            self.make_room(user_id, &endpoint)?;
        }
        let keys = Keys::of(&endpoint);
        self.put(slot, Some(endpoint))?;
        for other in keys.map(|keys| self.directory.of_address(&keys, slot)).unwrap_or_default() {
            self.deactivate(other)?;
        }
        Ok(())
    }

    /// Whether the endpoint has a name that the application does not know, in its state or in this change.
    fn brings_names(&self, endpoint: &EndpointResponse) -> bool {
        directory::names(endpoint).any(|name| !self.directory.has_name(&name))
    }

    /// Makes an endpoint inactive, as the older one of an equal address is.
    fn deactivate(&mut self, slot: u64) -> Result<(), AudienceError> {
        let Some(mut endpoint) = self.get(slot)? else { return Ok(()) };
        if endpoint.endpoint_status.as_deref() == Some("INACTIVE") {
            return Ok(());
        }
        endpoint.endpoint_status = Some("INACTIVE".to_owned());
        self.put(slot, Some(endpoint))
    }

    /// Sees to it that a user can have one endpoint more: the oldest push endpoint gives way to a new one of push, and
    /// anything else is refused.
    fn make_room(&mut self, user_id: &str, endpoint: &EndpointResponse) -> Result<(), AudienceError> {
        let others = self.of_user(user_id)?;
        if others.len() < ENDPOINTS_PER_USER {
            return Ok(());
        }
        let push = others.into_iter().filter(|(_, other)| rules::is_push(other.channel_type.as_deref()));
        let oldest = push.min_by(|(_, one), (_, other)| one.effective_date.cmp(&other.effective_date));
        match oldest.filter(|_| rules::is_push(endpoint.channel_type.as_deref())) {
            Some((slot, mut oldest)) => {
                oldest.endpoint_status = Some("INACTIVE".to_owned());
                if let Some(user) = &mut oldest.user {
                    user.user_id = None;
                }
                self.put(slot, Some(oldest))
            }
            None => {
                Err(Refusal(format!("Exceeded maximum endpoint per user count {ENDPOINTS_PER_USER}")).into())
            }
        }
    }
}
