//! Signature Version 4, verified by signing the request again and comparing.
//!
//! Contract: the body is part of the signature, whatever `x-amz-content-sha256` claims. The region of the credential scope
//! is taken as it is: this server stands for all of them. The service must be `mobiletargeting`, the clock may be off
//! by fifteen minutes. Failures have AWS's codes, so that stock clients react as they would to AWS.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign};
use aws_sigv4::sign::v4;
use chrono::{DateTime, NaiveDateTime, Utc};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::http::request::Parts;
use subtle::ConstantTimeEq;

use super::failure::Failure;
use crate::options::LocalCredentials;

/// How far a client's clock may be off.
const CLOCK_SKEW: Duration = Duration::from_mins(15);

/// Pinpoint's name in signatures.
const SIGNING_NAME: &str = "mobiletargeting";

/// The parts of an `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
struct Authorization<'header> {
    access_key_id: &'header str,
    /// `YYYYMMDD`.
    date: &'header str,
    region: &'header str,
    service: &'header str,
    signed_headers: Vec<&'header str>,
    signature: &'header str,
}

/// Refuses a request that was not signed for Pinpoint with these keys, not long before or after `now`.
pub(super) fn verify(
    head: &Parts,
    body: &[u8],
    credentials: &LocalCredentials,
    now: SystemTime,
) -> Result<(), Failure> {
    let Some(header) = head.headers.get(AUTHORIZATION) else {
        return Err(Failure::denied("MissingAuthenticationTokenException", "Missing Authentication Token"));
    };
    let incomplete = |message: &str| Failure::denied("IncompleteSignatureException", message);
    let header = header.to_str().map_err(|_| incomplete("Authorization header is not ASCII."))?;
    let authorization = Authorization::parse(header).ok_or_else(|| {
        incomplete("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.")
    })?;
    let date = head.headers.get("x-amz-date").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let time = signing_time(date)
        .ok_or_else(|| incomplete("Authorization header requires existence of an 'X-Amz-Date' header."))?;
    authorization.check_key(head, credentials)?;
    authorization.check_scope(date, SIGNING_NAME)?;
    check_clock(time, now)?;
    authorization.check_signature(head, body, credentials, time)
}

impl<'header> Authorization<'header> {
    /// Takes a header apart.
    fn parse(header: &'header str) -> Option<Self> {
        let parameters = header.strip_prefix("AWS4-HMAC-SHA256")?.trim_start();
        let find = |name: &str| {
            let mut parameters =
                parameters.split(',').filter_map(|parameter| parameter.trim().split_once('='));
            parameters.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        // An access key id has no slash, so the scope is cut from the right.
        let mut scope = find("Credential")?.rsplitn(5, '/');
        let (terminator, service, region) = (scope.next()?, scope.next()?, scope.next()?);
        let (date, access_key_id) = (scope.next()?, scope.next()?);
        let signed_headers = find("SignedHeaders")?.split(';').collect();
        let signature = find("Signature")?;
        (terminator == "aws4_request").then_some(Authorization {
            access_key_id,
            date,
            region,
            service,
            signed_headers,
            signature,
        })
    }

    /// Whether the key is ours. This server hands out no session tokens, so a request with one has another's keys.
    fn check_key(&self, head: &Parts, credentials: &LocalCredentials) -> Result<(), Failure> {
        let invalid = |message: &str| Failure::denied("UnrecognizedClientException", message);
        if self.access_key_id != credentials.access_key_id {
            return Err(invalid("The security token included in the request is invalid."));
        }
        if head.headers.contains_key("x-amz-security-token") {
            return Err(invalid(
                "The security token included in the request is invalid: this server knows no session tokens, \
                 AWS_SESSION_TOKEN must not be set.",
            ));
        }
        Ok(())
    }

    /// Whether the scope is for this service and the request's day.
    fn check_scope(&self, date: &str, service: &str) -> Result<(), Failure> {
        if self.service != service {
            return Err(mismatch(&format!("Credential should be scoped to correct service: '{service}'.")));
        }
        if !date.starts_with(self.date) || self.date.len() != 8 {
            return Err(mismatch("Date in Credential scope does not match YYYYMMDD from X-Amz-Date."));
        }
        Ok(())
    }

    /// Signs the request again and compares.
    fn check_signature(
        &self,
        head: &Parts,
        body: &[u8],
        credentials: &LocalCredentials,
        time: SystemTime,
    ) -> Result<(), Failure> {
        let signed = |name: &str| self.signed_headers.iter().any(|signed| signed.eq_ignore_ascii_case(name));
        if !signed(HOST.as_str()) || !signed("x-amz-date") {
            return Err(mismatch(
                "'Host' and 'X-Amz-Date' must be 'SignedHeaders' in the AWS Authorization.",
            ));
        }
        let expected = self
            .sign_again(head, body, credentials, time)
            .ok_or_else(|| mismatch("The request cannot be signed again to verify its signature."))?;
        if bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())) {
            return Ok(());
        }
        Err(mismatch(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method.",
        ))
    }

    /// The signature that the request should have.
    fn sign_again(
        &self,
        head: &Parts,
        body: &[u8],
        credentials: &LocalCredentials,
        time: SystemTime,
    ) -> Option<String> {
        let host = head.headers.get(HOST)?.to_str().ok()?;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = Vec::with_capacity(self.signed_headers.len());
        for name in &self.signed_headers {
            // A header that was signed and is not there fails the comparison, as it should. The signer adds the host
            // and the date itself.
            if !name.eq_ignore_ascii_case("x-amz-date") && !name.eq_ignore_ascii_case("host") {
                for value in head.headers.get_all(*name) {
                    headers.push((*name, value.to_str().ok()?));
                }
            }
        }
        let body = SignableBody::Bytes(body);
        let url = format!("http://{host}{path}");
        let request = SignableRequest::new(head.method.as_str(), url, headers.into_iter(), body).ok()?;
        let mut settings = SigningSettings::default();
        // What the client signed is what counts, proxies or not.
        settings.excluded_headers = None;
        let secret = credentials.secret_access_key.as_str();
        let identity = Credentials::new(self.access_key_id, secret, None, None, "pinlake-local").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(time)
            .settings(settings)
            .build()
            .ok()?;
        let output = sign(request, &SigningParams::V4(parameters)).ok()?;
        Some(output.signature().to_owned())
    }
}

/// AWS's refusal of a signature.
fn mismatch(message: &str) -> Failure {
    Failure::denied("InvalidSignatureException", message)
}

/// The time in an `X-Amz-Date` header, `YYYYMMDDTHHMMSSZ`.
fn signing_time(date: &str) -> Option<SystemTime> {
    let time = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").ok()?;
    Some(SystemTime::from(time.and_utc()))
}

/// Refuses a request signed too long ago or ahead.
fn check_clock(time: SystemTime, now: SystemTime) -> Result<(), Failure> {
    let stamp = |time: SystemTime| DateTime::<Utc>::from(time).format("%Y%m%dT%H%M%SZ");
    if time + CLOCK_SKEW < now {
        let limit = stamp(now - CLOCK_SKEW);
        return Err(mismatch(&format!(
            "Signature expired: {} is now earlier than {limit} ({} - 15 min.)",
            stamp(time),
            stamp(now)
        )));
    }
    if time > now + CLOCK_SKEW {
        let limit = stamp(now + CLOCK_SKEW);
        return Err(mismatch(&format!(
            "Signature not yet current: {} is still later than {limit} ({} + 15 min.)",
            stamp(time),
            stamp(now)
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
