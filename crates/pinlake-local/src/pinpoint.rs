//! The local Pinpoint: the REST API that stock AWS clients speak, over applications in memory.
//!
//! A request goes through five gates: the fault rules, the throttle, its size and time, its signature, its route. Every answer is JSON, the inner
//! object of the model without a wrapper; every failure has AWS's form (see `failure`).

mod application;
mod endpoint;
mod export;
mod failure;
mod import;
mod job;
mod paging;
mod route;
mod segment;
mod segments;
mod signature;
mod throttle;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub(crate) use application::Applications;
pub(crate) use job::{JobRunner, JobSettings};
pub(crate) use throttle::Throttle;

use crate::faults::{Fault, Faults, Service, Strike, body};
use crate::listener::{Handler, ResetSwitch, ResponseBody};
use crate::options::LocalCredentials;
use crate::requests::Requests;
use endpoint::Scope;
use failure::Failure;
use route::{Operation, Route};

/// Pinpoint's limit of a request's body: 7 MB.
const MAXIMUM_BODY_BYTES: usize = 7_000_000;

/// Answers Pinpoint requests.
pub(crate) struct PinpointHandler {
    pub(crate) operations: Arc<Operations>,
    pub(crate) credentials: LocalCredentials,
    pub(crate) faults: Faults,
    pub(crate) throttle: Throttle,
    pub(crate) requests: Requests,
    /// How long a request's body may take to arrive.
    pub(crate) body_time: Duration,
}

/// What operations work on.
pub(crate) struct Operations {
    pub(crate) applications: Applications,
    pub(crate) jobs: JobRunner,
}

/// A request that has been let in.
struct Call {
    head: Parts,
    body: Bytes,
    request_id: String,
}

/// What a request is answered with when it succeeds.
pub(crate) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// A JSON answer.
    fn new(status: StatusCode, content: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(content).map_err(|error| Failure::internal(&error.to_string()))?;
        Ok(Answer { status, body })
    }
}

impl PinpointHandler {
    /// Passes a request through the gates.
    async fn answer(&self, request: Request<Incoming>, request_id: &str) -> Result<Answer, Failure> {
        let (head, body) = request.into_parts();
        let body = read_body(&head, body, self.body_time).await?;
        signature::verify(&head, &body, &self.credentials, SystemTime::now())?;
        let operations = Arc::clone(&self.operations);
        let call = Call { head, body, request_id: request_id.to_owned() };
        // Operations wait for the state's disk, and the first one on a seeded audience for all of its endpoints.
        let answered = tokio::task::spawn_blocking(move || operations.dispatch(&call)).await;
        answered.unwrap_or_else(|error| Err(Failure::internal(&error.to_string())))
    }
}

impl Operations {
    /// Does what is asked for.
    fn dispatch(&self, call: &Call) -> Result<Answer, Failure> {
        let (operation, labels) = Route::of(&call.head.method, call.head.uri.path()).operation()?;
        let query = call.head.uri.query().unwrap_or_default();
        let (applications, body) = (&self.applications, &call.body[..]);
        let (application_id, segment_id) = (labels.get("application-id"), labels.get("segment-id"));
        let scope = Scope { applications, application_id, request_id: &call.request_id };
        match operation {
            Operation::CreateApp => application::create(applications, body),
            Operation::GetApps => application::list(applications, query),
            Operation::GetApp => application::get(applications, application_id),
            Operation::DeleteApp => application::delete(applications, application_id),
            Operation::UpdateEndpoint => endpoint::update(&scope, labels.get("endpoint-id"), body),
            Operation::UpdateEndpointsBatch => endpoint::update_batch(&scope, body),
            Operation::GetEndpoint => endpoint::get(&scope, labels.get("endpoint-id")),
            Operation::DeleteEndpoint => endpoint::delete(&scope, labels.get("endpoint-id")),
            Operation::GetUserEndpoints => endpoint::of_user(&scope, labels.get("user-id")),
            Operation::DeleteUserEndpoints => endpoint::delete_user(&scope, labels.get("user-id")),
            Operation::CreateExportJob => export::create(applications, &self.jobs, application_id, body),
            Operation::GetExportJob => export::get(applications, application_id, labels.get("job-id")),
            Operation::GetExportJobs => export::list(applications, application_id, None, query),
            Operation::GetSegmentExportJobs => {
                export::list(applications, application_id, Some(segment_id), query)
            }
            Operation::CreateSegment => segment::create(applications, application_id, body),
            Operation::GetSegment => segment::get(applications, application_id, segment_id, None),
            Operation::GetSegments => segment::list(applications, application_id, query),
            Operation::GetSegmentVersion => {
                segment::get(applications, application_id, segment_id, Some(labels.get("version")))
            }
            Operation::GetSegmentVersions => {
                segment::versions(applications, application_id, segment_id, query)
            }
            Operation::UpdateSegment => segment::update(applications, application_id, segment_id, body),
            Operation::DeleteSegment => segment::delete(applications, application_id, segment_id),
            Operation::CreateImportJob => import::create(applications, &self.jobs, application_id, body),
            Operation::GetImportJob => import::get(applications, application_id, labels.get("job-id")),
            Operation::GetImportJobs => import::list(applications, application_id, None, query),
            Operation::GetSegmentImportJobs => {
                import::list(applications, application_id, Some(segment_id), query)
            }
        }
    }
}

impl Handler for PinpointHandler {
    async fn handle(&self, request: Request<Incoming>) -> Option<Response<ResponseBody>> {
        let request_id = Uuid::new_v4().to_string();
        let reset = request.extensions().get::<ResetSwitch>().cloned();
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        let operation = Route::of(&method, &path).name();
        self.requests.count(operation);
        let decoded = percent_decode_str(&path).decode_utf8_lossy();
        let strike = self.faults.strike(Service::Pinpoint, operation, &decoded);
        if body::is_unanswered(strike.as_ref(), reset.as_ref()).await {
            return None;
        }
        let answer = match strike.as_ref().map(|Strike { fault, .. }| fault) {
            Some(Fault::Status { code, error_code }) => Err(Failure::asked_for(*code, error_code)),
            _ if !self.throttle.admits(operation, Instant::now()) => Err(Failure::too_many()),
            _ => self.answer(request, &request_id).await,
        };
        let response = respond(answer, &request_id);
        Some(match strike {
            Some(strike) => body::spoil(response, &strike, reset),
            None => response,
        })
    }
}

/// Reads a request's body within the limit.
async fn read_body(head: &Parts, body: Incoming, time: Duration) -> Result<Bytes, Failure> {
    let promised =
        head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if promised.is_some_and(|promised| promised > MAXIMUM_BODY_BYTES) {
        return Err(Failure::too_large(MAXIMUM_BODY_BYTES));
    }
    let collected = Limited::new(body, MAXIMUM_BODY_BYTES).collect();
    let Ok(collected) = tokio::time::timeout(time, collected).await else {
        return Err(Failure::bad_request("The request's body did not arrive in time."));
    };
    match collected {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::too_large(MAXIMUM_BODY_BYTES)),
        Err(_) => Err(Failure::bad_request("The request's body did not arrive whole.")),
    }
}

/// Reads a request's body. Unknown members are ignored, as AWS does.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    // A derived reader takes a list for a structure, too.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Failure::bad_request("The request's body is no JSON object."));
    }
    serde_json::from_slice(body)
        .map_err(|error| Failure::bad_request(&format!("The request's body cannot be read: {error}.")))
}

/// Puts an answer or a failure on the wire.
fn respond(answer: Result<Answer, Failure>, request_id: &str) -> Response<ResponseBody> {
    let (status, body, error_type) = match answer {
        Ok(answer) => (answer.status, answer.body, None),
        Err(failure) => (failure.status(), failure.to_json(request_id), Some(failure.code().to_owned())),
    };
    let mut response =
        Response::new(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", value);
    }
    if let Some(value) = error_type.and_then(|code| HeaderValue::from_str(&code).ok()) {
        headers.insert("x-amzn-errortype", value);
    }
    response
}
