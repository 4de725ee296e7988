//! Failures in AWS's form: a status, a type in `x-amzn-ErrorType`, and `{"Message":…,"RequestID":…}`.

use hyper::{Method, StatusCode};
use thiserror::Error;

use crate::audience::{AudienceError, Refusal};
use crate::model::MessageBody;
use crate::state::StateError;

/// Why a request is refused. The code is the name of an exception in Pinpoint's model or of AWS's common errors.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub(crate) struct Failure {
    status: StatusCode,
    code: String,
    message: String,
}

impl Failure {
    fn new(status: StatusCode, code: &str, message: &str) -> Self {
        Failure { status, code: code.to_owned(), message: message.to_owned() }
    }

    /// 400: the request is not what the model asks for.
    pub(super) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequestException", message)
    }

    /// 403, with one of AWS's codes for signatures that do not hold.
    pub(super) fn denied(code: &str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404: there is no such thing.
    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFoundException", message)
    }

    /// 404 for an operation of Pinpoint that this server does not have.
    pub(super) fn unserved(operation: &str) -> Self {
        Self::not_found(&format!(
            "{operation} is not served by this local Pinpoint: it has applications, endpoints, segments, imports and exports."
        ))
    }

    /// 404 for a path that Pinpoint does not have.
    pub(super) fn no_such_path(method: &Method, path: &str) -> Self {
        Self::not_found(&format!("{method} {path} is no operation of Pinpoint."))
    }

    /// 405: the path exists, with other methods.
    pub(super) fn method_not_allowed(method: &Method, path: &str) -> Self {
        let message = format!("{method} is not allowed on {path}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedException", &message)
    }

    /// 413: the body is larger than the limit.
    pub(super) fn too_large(limit_bytes: usize) -> Self {
        let message = format!("The request's body is larger than {limit_bytes} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", &message)
    }

    /// 429: more requests than the server was told to take. As from AWS, no header says when to come again.
    pub(super) fn too_many() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Too many requests.")
    }

    /// 500: a fault of this server.
    pub(super) fn internal(message: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerErrorException", message)
    }

    /// The error that a fault rule wants.
    pub(super) fn asked_for(status: u16, code: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, code, status.canonical_reason().unwrap_or("error"))
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The exception's name.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// The body of the answer.
    pub(super) fn to_json(&self, request_id: &str) -> Vec<u8> {
        // Two texts always serialise.
        serde_json::to_vec(&MessageBody { message: &self.message, request_id }).unwrap_or_default()
    }
}

impl From<AudienceError> for Failure {
    fn from(error: AudienceError) -> Self {
        match error {
            AudienceError::Refused(Refusal(message)) => Failure::bad_request(&message),
            error => internal(&error),
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        internal(&error)
    }
}

/// A fault of this server, which its log knows more of than the client is told.
fn internal(error: &(dyn std::error::Error + 'static)) -> Failure {
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    tracing::error!(%error, source, "a request failed");
    Failure::internal(&error.to_string())
}
