//! The local S3: s3s in front (routing, signatures, XML), our own store behind.
//!
//! s3s's own file system backend is not used: it gives no `ETag` in lists, answers wrong `If-Match` with 200 and leaves
//! keys unencoded under `encoding-type=url`.

mod checksums;
mod conditions;
mod operation;
mod pages;
mod reading;
mod service;
mod writing;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use s3s::auth::{S3Auth, SecretKey};
use s3s::region::Region;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};
use uuid::Uuid;

use crate::error::LocalError;
use crate::faults::{Fault, Faults, Service, Strike, body};
use crate::listener::{Handler, ResetSwitch, ResponseBody};
use crate::options::LocalCredentials;
use crate::requests::Requests;
use crate::store::{Store, StoreError};

/// Answers S3 requests out of a store.
pub(crate) struct S3Handler {
    service: S3Service,
    store: Store,
    faults: Faults,
    requests: Requests,
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
        Ok(S3Handler { service: builder.build(), store, faults, requests })
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
        match self.service.call(request.map(s3s::Body::from)).await {
            Ok(response) => response.map(BodyExt::boxed_unsync),
            Err(error) => {
                tracing::error!(?error, "s3s could not make an answer");
                failure(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &Method::GET)
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
        let mut response = match fault {
            Some(Fault::Status { code, error_code }) => {
                let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                failure(status, error_code, request.method())
            }
            Some(Fault::ErrorPage) => failure(StatusCode::OK, "InternalError", request.method()),
            Some(fault) => pages::spoil(self.serve(request).await, fault).await,
            None => self.serve(request).await,
        };
        let request_id = Uuid::new_v4().simple().to_string()[..16].to_uppercase();
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

/// An error in S3's form. `code` is a plain word.
fn failure(status: StatusCode, code: &str, method: &Method) -> Response<ResponseBody> {
    let body = if method == Method::HEAD {
        Bytes::new()
    } else {
        let escaped = code.replace('&', "&amp;").replace('<', "&lt;");
        let message = status.canonical_reason().unwrap_or("error");
        Bytes::from(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{escaped}</Code><Message>{message}</Message></Error>"
        ))
    };
    let mut response = Response::new(Full::new(body).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
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
        };
        S3Error::with_message(code, error.to_string())
    }
}
