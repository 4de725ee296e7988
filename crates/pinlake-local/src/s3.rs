//! The local S3: s3s in front (routing, signatures, XML), our own store behind.
//!
//! s3s's own file system backend is not used: it gives no `ETag` in lists, answers wrong `If-Match` with 200 and leaves
//! keys unencoded under `encoding-type=url`.

mod checksums;
mod conditions;
mod errors;
mod multipart;
mod operation;
mod pages;
mod reading;
mod service;
mod stall;
mod streaming;
mod writing;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::{Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::auth::{S3Auth, SecretKey};
use s3s::region::Region;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};
use uuid::Uuid;

use crate::error::LocalError;
use crate::faults::{Fault, Faults, Service, Strike, body};
use crate::listener::{ClientLimits, Handler, ResetSwitch, ResponseBody};
use crate::options::LocalCredentials;
use crate::requests::Requests;
use crate::store::{Store, StoreError};
use errors::Refused;
use stall::{PatientBody, Stalled};
use writing::BodyBytes;

/// Answers S3 requests out of a store.
pub(crate) struct S3Handler {
    service: S3Service,
    store: Store,
    faults: Faults,
    requests: Requests,
    /// How long the bytes of a body may stay away.
    pause: Duration,
}

impl S3Handler {
    /// A handler for this store and these keys.
    pub(crate) fn new(
        store: Store,
        credentials: LocalCredentials,
        region: &str,
        faults: Faults,
        requests: Requests,
    ) -> Result<Self, LocalError> {
        let bucket_region =
            Region::new(region.into()).map_err(|_| LocalError::Region { region: region.to_owned() })?;
        let mut builder =
            S3ServiceBuilder::new(service::LocalS3 { store: store.clone(), region: bucket_region });
        builder.set_auth(KnownKey(credentials));
        let pause = ClientLimits::default().body_time;
        Ok(S3Handler { service: builder.build(), store, faults, requests, pause })
    }

    /// The same for clients that may pause so long while they send a body.
    pub(crate) fn with_pauses_up_to(self, pause: Duration) -> Self {
        S3Handler { pause, ..self }
    }

    /// Does to the object what the fault is about.
    fn change(&self, fault: Option<&Fault>, path: &str) {
        let Some((bucket, key)) = path.trim_start_matches('/').split_once('/') else { return };
        let changed = match fault {
            Some(Fault::StaleETag) => self.store.rewrite(bucket, key).map(drop),
            Some(Fault::Deleted) => self.store.delete(bucket, key).map(drop),
            _ => Ok(()),
        };
        if let Err(error) = changed {
            tracing::debug!(%error, "no object to change");
        }
    }

    /// Lets s3s answer.
    async fn serve(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let stalled = Stalled::default();
        let request = counted(request, self.pause, &stalled);
        let body_bytes = request.extensions().get::<BodyBytes>().cloned();
        match self.service.call(request).await {
            // Whatever was made of half a body.
            _ if stalled.is_set() => {
                let mut refused = errors::failure(StatusCode::BAD_REQUEST, "RequestTimeout");
                refused.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                refused
            }
            Ok(response) => {
                let response = response.map(BodyExt::boxed_unsync);
                match body_bytes {
                    Some(bytes) if bytes.all_came() => errors::with_altered_body(response).await,
                    _ => response,
                }
            }
            Err(error) => {
                tracing::error!(?error, "s3s could not make an answer");
                errors::failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
            }
        }
    }
}

impl Handler for S3Handler {
    async fn handle(&self, request: Request<Incoming>) -> Option<Response<ResponseBody>> {
        let operation = operation::name(request.method(), request.uri(), request.headers());
        self.requests.count(operation);
        let path = percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned();
        let strike = self.faults.strike(Service::S3, operation, &path);
        let reset = request.extensions().get::<ResetSwitch>().cloned();
        if body::is_unanswered(strike.as_ref(), reset.as_ref()).await {
            return None;
        }
        let fault = strike.as_ref().map(|Strike { fault, .. }| fault);
        self.change(fault, &path);
        let method = request.method().clone();
        let response = match fault {
            Some(Fault::Status { code, error_code }) => {
                let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                errors::failure(status, error_code)
            }
            Some(Fault::ErrorPage) => errors::failure(StatusCode::OK, "InternalError"),
            Some(fault) => pages::spoil(self.serve(request).await, fault).await,
            None => self.serve(request).await,
        };
        let request_id = Uuid::new_v4().simple().to_string()[..16].to_uppercase();
        let refused = Refused { request_id: &request_id, path: &path, method: &method };
        let mut response = errors::complete(response, &refused).await;
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amz-request-id", value);
        }
        Some(match strike {
            Some(strike) => body::spoil(response, &strike, reset),
            None => response,
        })
    }
}

/// Knows one pair of keys.
struct KnownKey(LocalCredentials);

#[async_trait::async_trait]
impl S3Auth for KnownKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key_id {
            Ok(SecretKey::from(self.0.secret_access_key.clone()))
        } else {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            Err(S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, message))
        }
    }
}

/// The request with a body that fails where it stalls, and that counts its bytes where the signature holds a digest of it.
fn counted(mut request: Request<Incoming>, pause: Duration, stalled: &Stalled) -> Request<s3s::Body> {
    let digest = request.headers().get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    // Without a length s3s must see how long the body is, which a counted one does not tell.
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(length) = length.filter(|_| digest.is_some_and(|digest| digest.len() == 64)) else {
        return request.map(|body| patient(body, pause, stalled));
    };
    let count = BodyBytes::new(length);
    request.extensions_mut().insert(count.clone());
    request.map(|body| {
        let body = PatientBody::new(body, pause, stalled.clone());
        s3s::Body::http_body_unsync(body.map_frame(move |frame: Frame<Bytes>| {
            count.add(frame.data_ref().map_or(0, Bytes::len));
            frame
        }))
    })
}

/// The body of a request, if it has one.
fn patient(body: Incoming, pause: Duration, stalled: &Stalled) -> s3s::Body {
    if body.is_end_stream() {
        return s3s::Body::from(body);
    }
    s3s::Body::http_body_unsync(PatientBody::new(body, pause, stalled.clone()))
}

/// A refusal of the store, with S3's code for it.
impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::InvalidBucketName { .. } => S3ErrorCode::InvalidBucketName,
            StoreError::NoSuchBucket { .. } => S3ErrorCode::NoSuchBucket,
            StoreError::BucketExists { .. } => S3ErrorCode::BucketAlreadyOwnedByYou,
            StoreError::BucketNotEmpty { .. } => S3ErrorCode::BucketNotEmpty,
            StoreError::NoSuchKey { .. } => S3ErrorCode::NoSuchKey,
            StoreError::NoSuchUpload { .. } => S3ErrorCode::NoSuchUpload,
            StoreError::InvalidPart { .. } => S3ErrorCode::InvalidPart,
            StoreError::InvalidPartOrder { .. } => S3ErrorCode::InvalidPartOrder,
            StoreError::PartTooSmall { .. } => S3ErrorCode::EntityTooSmall,
            StoreError::Folder { .. }
            | StoreError::InUse { .. }
            | StoreError::Open { .. }
            | StoreError::Database { .. }
            | StoreError::Record { .. }
            | StoreError::Closed
            | StoreError::Bytes { .. } => {
                let message = error.to_string();
                tracing::error!(?error, "the store failed");
                return S3Error::with_message(S3ErrorCode::InternalError, message);
            }
        };
        S3Error::with_message(code, error.to_string())
    }
}
