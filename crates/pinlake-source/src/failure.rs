//! Why one request to AWS failed, in a form that can be decided upon.
//!
//! The SDK's error types are generic over the operation and keep the whole response, whose body may quote
//! keys and signatures. A [`RequestFailure`] keeps what a user needs and nothing else: the kind, the HTTP
//! status, the service's error code and one cleaned line of text.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::ErrorKind;

/// Text from a server is cut here, in characters: it is a hint and not a page.
const MESSAGE_MAX_CHARS: usize = 300;

/// What kind of thing went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No credentials were found anywhere.
    NoCredentials,
    /// A provider of credentials failed, for instance because an SSO session has ended.
    CredentialsUnavailable,
    /// The service said that the credentials have expired.
    CredentialsExpired,
    /// The service refused these credentials, or what they ask for.
    Denied,
    /// What was named does not exist.
    NotFound,
    /// The service says that it is no more (410).
    Gone,
    /// The object is not the one that was listed any more (412).
    PreconditionFailed,
    /// The object's storage class must be restored before it can be read.
    Archived,
    /// The bucket is in another region.
    WrongRegion,
    /// The service will not take the request as it is.
    Rejected,
    /// Too many requests.
    Throttled,
    /// The service failed (5xx).
    ServerFault,
    /// No connection came about: name resolution, refusal, TLS.
    Unconnected,
    /// Nothing, or next to nothing, came for too long.
    Stalled,
    /// The connection broke, or the response was no valid one.
    Broken,
    /// The response's length is not the listed one.
    WrongLength,
    /// The request could not be built or sent for a reason of our own.
    Internal,
}

/// Why one request failed. Its text names the reason and, where there is one, the way out.
#[derive(Debug, Clone)]
pub struct RequestFailure {
    kind: FailureKind,
    /// Boxed to keep the errors that carry a failure small.
    details: Box<Details>,
}

#[derive(Debug, Clone, Default)]
struct Details {
    status: Option<u16>,
    code: Option<String>,
    text: String,
    bucket_region: Option<String>,
    /// How long the service asks to be left alone.
    retry_after: Option<Duration>,
}

impl RequestFailure {
    pub(crate) fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        Self { kind, details: Box::new(Details { text: text.into(), ..Details::default() }) }
    }

    /// Sorts an SDK error.
    pub(crate) fn from_sdk<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => Self::from_answer(answer.err(), answer.raw()),
            SdkError::TimeoutError(_) => Self::new(FailureKind::Stalled, "no answer in time"),
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                let kind = match status {
                    429 => FailureKind::Throttled,
                    500.. => FailureKind::ServerFault,
                    _ => FailureKind::Broken,
                };
                let mut failure = Self::new(kind, "the answer is not a valid one");
                failure.details.status = Some(status);
                failure
            }
            SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
                Some(cause) => Self::from_chain(cause, failure.is_timeout()),
                None => Self::new(FailureKind::Broken, "the request could not be sent"),
            },
            other => Self::from_chain(other, false),
        }
    }

    /// An answer with an error status.
    fn from_answer<E: ProvideErrorMetadata>(error: &E, response: &HttpResponse) -> Self {
        let status = response.status().as_u16();
        // A code comes from the server, so it is cleaned as the message is.
        let code = error.code().map(cleaned).filter(|code| !code.is_empty());
        let kind = kind_of_answer(status, code.as_deref().unwrap_or_default());
        let bucket_region = response.headers().get("x-amz-bucket-region").map(cleaned);
        let text = error.message().map(cleaned).unwrap_or_default();
        // A date is allowed here too; AWS sends seconds.
        let retry_after = response.headers().get("retry-after").and_then(|value| value.trim().parse().ok());
        let retry_after = retry_after.map(Duration::from_secs);
        Self {
            kind,
            details: Box::new(Details { status: Some(status), code, text, bucket_region, retry_after }),
        }
    }

    /// An error from before there was an answer: credentials, the connection, or a fault of ours.
    fn from_chain(error: &(dyn StdError + 'static), is_timeout: bool) -> Self {
        let links = || links(error);
        if let Some(cause) = links().find_map(|link| link.downcast_ref::<CredentialsError>()) {
            return match cause {
                CredentialsError::CredentialsNotLoaded(_) => Self::new(FailureKind::NoCredentials, ""),
                _ => Self::new(FailureKind::CredentialsUnavailable, chain_text(cause)),
            };
        }
        let hyper = links().find_map(|link| link.downcast_ref::<hyper_util::client::legacy::Error>());
        let kind = match hyper {
            Some(cause) if cause.is_connect() => FailureKind::Unconnected,
            _ if is_timeout => FailureKind::Stalled,
            Some(_) => FailureKind::Broken,
            None if links().any(<dyn StdError>::is::<std::io::Error>) => FailureKind::Broken,
            None => FailureKind::Internal,
        };
        Self::new(kind, chain_text(error))
    }

    /// A body that broke while it was read.
    pub(crate) fn from_body(error: &(dyn StdError + 'static)) -> Self {
        Self::new(FailureKind::Broken, format!("the body broke off: {}", chain_text(error)))
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The HTTP status, where there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.details.status
    }

    /// The service's error code, such as `NoSuchBucket`, where it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.details.code.as_deref()
    }

    /// How long the service asks to be left alone, where it says so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.details.retry_after
    }

    /// The failure with a pause that the service asks for.
    #[cfg(test)]
    pub(crate) fn retried_after(mut self, seconds: u64) -> Self {
        self.details.retry_after = Some(Duration::from_secs(seconds));
        self
    }

    /// Whether the same request may well succeed a moment later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Throttled
                | FailureKind::ServerFault
                | FailureKind::Unconnected
                | FailureKind::Stalled
                | FailureKind::Broken
                | FailureKind::WrongLength
        )
    }

    /// Which exit code it leads to.
    pub(crate) fn error_kind(&self) -> ErrorKind {
        match self.kind {
            FailureKind::Rejected | FailureKind::NotFound | FailureKind::WrongRegion => ErrorKind::Usage,
            FailureKind::PreconditionFailed | FailureKind::WrongLength => ErrorKind::Integrity,
            FailureKind::Internal => ErrorKind::Unexpected,
            _ => ErrorKind::Network,
        }
    }

    /// The reason without its details, and the way out where there is a general one.
    fn reason(&self) -> &'static str {
        match self.kind {
            FailureKind::NoCredentials => {
                "no credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile"
            }
            FailureKind::CredentialsUnavailable => {
                "the credentials could not be loaded (set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give \
                 another --profile)"
            }
            FailureKind::CredentialsExpired => {
                "the credentials have expired: renew them (for SSO, `aws sso login`)"
            }
            FailureKind::Denied => "access denied",
            FailureKind::NotFound => "not found",
            FailureKind::Gone => "the service is gone",
            FailureKind::PreconditionFailed => "it has changed since it was listed",
            FailureKind::Archived => "the object is archived: restore it first",
            FailureKind::WrongRegion => "the bucket is in another region: give --region",
            FailureKind::Rejected => "the service rejected the request",
            FailureKind::Throttled => "too many requests",
            FailureKind::ServerFault => "the service failed",
            FailureKind::Unconnected => "cannot connect",
            FailureKind::Stalled => "stalled",
            FailureKind::Broken => "the connection broke",
            FailureKind::WrongLength => "wrong length",
            FailureKind::Internal => "the request could not be made",
        }
    }
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())?;
        if let (FailureKind::WrongRegion, Some(region)) = (self.kind, &self.details.bucket_region) {
            write!(f, " {region}")?;
        }
        if !self.details.text.is_empty() {
            write!(f, ": {}", self.details.text)?;
        }
        match (&self.details.code, self.details.status) {
            (Some(code), Some(status)) => write!(f, " ({code}, HTTP {status})"),
            (None, Some(status)) => write!(f, " (HTTP {status})"),
            _ => Ok(()),
        }
    }
}

impl StdError for RequestFailure {}

/// Sorts an answer. Codes go first, because services use statuses loosely (S3 answers 400 for an expired token
/// and 503 for throttling).
fn kind_of_answer(status: u16, code: &str) -> FailureKind {
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => {
            return FailureKind::CredentialsExpired;
        }
        "InvalidToken" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
            return FailureKind::Denied;
        }
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded" => {
            return FailureKind::Throttled;
        }
        "RequestTimeout" => return FailureKind::Stalled,
        "InvalidObjectState" => return FailureKind::Archived,
        "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" => {
            return FailureKind::WrongRegion;
        }
        _ => {}
    }
    match status {
        301 | 307 | 308 => FailureKind::WrongRegion,
        401 | 403 => FailureKind::Denied,
        404 => FailureKind::NotFound,
        408 => FailureKind::Stalled,
        410 => FailureKind::Gone,
        412 => FailureKind::PreconditionFailed,
        429 => FailureKind::Throttled,
        400..500 => FailureKind::Rejected,
        500.. => FailureKind::ServerFault,
        // An error told with a success status: the answer is nothing that can be relied upon.
        _ => FailureKind::Broken,
    }
}

/// One line of printable text out of whatever a server sent.
fn cleaned(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    match line.char_indices().nth(MESSAGE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// An error and its causes, outermost first.
fn links<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |link| StdError::source(*link))
}

/// An error and its causes in one line, without repetitions.
fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for link in links(error) {
        let part = link.to_string();
        if part.is_empty() || text.contains(&part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&part);
    }
    cleaned(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_statuses() {
        assert_eq!(kind_of_answer(400, "ExpiredToken"), FailureKind::CredentialsExpired);
        assert_eq!(kind_of_answer(503, "SlowDown"), FailureKind::Throttled);
        assert_eq!(kind_of_answer(403, "InvalidObjectState"), FailureKind::Archived);
        assert_eq!(kind_of_answer(403, "AccessDenied"), FailureKind::Denied);
        assert_eq!(kind_of_answer(400, "BadRequestException"), FailureKind::Rejected);
        assert_eq!(kind_of_answer(504, ""), FailureKind::ServerFault);
    }

    #[test]
    fn a_servers_text_is_one_short_line() {
        let odd = format!("first\nsecond\u{1b}[31m{}", "x".repeat(1_000));
        let line = cleaned(&odd);
        assert!(!line.chars().any(char::is_control));
        assert!(line.chars().count() <= MESSAGE_MAX_CHARS + 1);
    }

    #[test]
    fn only_passing_failures_are_retryable() {
        for (kind, expected) in [
            (FailureKind::Throttled, true),
            (FailureKind::Stalled, true),
            (FailureKind::Unconnected, true),
            (FailureKind::Denied, false),
            (FailureKind::CredentialsExpired, false),
            (FailureKind::NotFound, false),
            (FailureKind::PreconditionFailed, false),
        ] {
            assert_eq!(RequestFailure::new(kind, "").is_retryable(), expected, "{kind:?}");
        }
    }
}
