//! Endpoints and users: `UpdateEndpoint`, `UpdateEndpointsBatch`, `GetEndpoint`, `DeleteEndpoint`, `GetUserEndpoints`,
//! `DeleteUserEndpoints`.

use std::sync::Arc;

use chrono::Utc;
use hyper::StatusCode;
use serde::Deserialize;

use super::Answer;
use super::application::Applications;
use super::failure::Failure;
use crate::audience::{Audience, BATCH_ITEMS, Stamp};
use crate::model::{EndpointResponse, Items, MessageBody};

/// `EndpointBatchRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EndpointBatchRequest {
    item: Option<Vec<EndpointResponse>>,
}

/// Which application's endpoints are meant, and which request means them.
pub(super) struct Scope<'a> {
    pub(super) applications: &'a Applications,
    pub(super) application_id: &'a str,
    pub(super) request_id: &'a str,
}

impl Scope<'_> {
    fn audience(&self) -> Result<Arc<Audience>, Failure> {
        self.applications.with(self.application_id, |application| Ok(Arc::clone(&application.audience)))
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            now: Utc::now(),
            application_id: self.application_id.to_owned(),
            request_id: self.request_id.to_owned(),
        }
    }

    /// 202 and nothing to tell.
    fn accepted(&self) -> Result<Answer, Failure> {
        let body = MessageBody { message: "Accepted", request_id: self.request_id };
        Answer::new(StatusCode::ACCEPTED, &body)
    }
}

/// `UpdateEndpoint`: 202.
pub(super) fn update(scope: &Scope<'_>, endpoint_id: &str, body: &[u8]) -> Result<Answer, Failure> {
    let audience = scope.audience()?;
    let request: EndpointResponse = super::read(body)?;
    audience.update(vec![(endpoint_id.to_owned(), request)], &scope.stamp())?;
    scope.accepted()
}

/// `UpdateEndpointsBatch`: 202; all items, or none where one is refused.
pub(super) fn update_batch(scope: &Scope<'_>, body: &[u8]) -> Result<Answer, Failure> {
    let audience = scope.audience()?;
    let request: EndpointBatchRequest = super::read(body)?;
    let items = request.item.filter(|items| (1..=BATCH_ITEMS).contains(&items.len()));
    let items = items
        .ok_or_else(|| Failure::bad_request(&format!("Item must have 1 to {BATCH_ITEMS} endpoints.")))?;
    let identified = items.into_iter().enumerate().map(|(number, item)| {
        let id =
            item.id.clone().ok_or_else(|| Failure::bad_request(&format!("Item {number}: Missing Id")))?;
        Ok((id, item))
    });
    audience.update(identified.collect::<Result<_, Failure>>()?, &scope.stamp())?;
    scope.accepted()
}

/// `GetEndpoint`: 200.
pub(super) fn get(scope: &Scope<'_>, endpoint_id: &str) -> Result<Answer, Failure> {
    let endpoint = scope.audience()?.get(endpoint_id)?;
    Answer::new(StatusCode::OK, &endpoint.ok_or_else(|| unknown(endpoint_id))?)
}

/// `DeleteEndpoint`: 202, with the endpoint that was.
pub(super) fn delete(scope: &Scope<'_>, endpoint_id: &str) -> Result<Answer, Failure> {
    let endpoint = scope.audience()?.delete(endpoint_id)?;
    Answer::new(StatusCode::ACCEPTED, &endpoint.ok_or_else(|| unknown(endpoint_id))?)
}

/// `GetUserEndpoints`: 200.
pub(super) fn of_user(scope: &Scope<'_>, user_id: &str) -> Result<Answer, Failure> {
    user_answer(StatusCode::OK, user_id, scope.audience()?.of_user(user_id)?)
}

/// `DeleteUserEndpoints`: 202, with the endpoints that were.
pub(super) fn delete_user(scope: &Scope<'_>, user_id: &str) -> Result<Answer, Failure> {
    user_answer(StatusCode::ACCEPTED, user_id, scope.audience()?.delete_user(user_id)?)
}

/// `EndpointsResponse`. A user is there as long as an endpoint names it.
fn user_answer(status: StatusCode, user_id: &str, item: Vec<EndpointResponse>) -> Result<Answer, Failure> {
    if item.is_empty() {
        return Err(Failure::not_found(&format!("User {user_id} was not found.")));
    }
    Answer::new(status, &Items { item, next_token: None })
}

/// 404 for an endpoint.
fn unknown(endpoint_id: &str) -> Failure {
    Failure::not_found(&format!("Endpoint {endpoint_id} was not found."))
}
