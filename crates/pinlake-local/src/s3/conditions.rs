//! Conditional requests by RFC 9110 and S3's manual: 412 where a precondition fails, 304 where a reader has it already.

use hyper::HeaderMap;
use hyper::header::{ETAG, HeaderValue};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::store::Object;

/// The conditions of a read. Times count in whole seconds.
#[derive(Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the names of the headers")]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// Refuses the read where the object does not fit the conditions. A condition on the `ETag` overrides the one on the
    /// time beside it.
    pub(super) fn check_read(&self, object: &Object) -> S3Result<()> {
        if self.precondition_fails(object) {
            return Err(precondition_failed());
        }
        if self.reader_has_it(object) {
            let mut error = S3Error::new(S3ErrorCode::NotModified);
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", object.etag())) {
                headers.insert(ETAG, value);
            }
            error.set_headers(headers);
            return Err(error);
        }
        Ok(())
    }

    /// Refuses a copy from the object: here both kinds of failure are 412.
    pub(super) fn check_copy(&self, object: &Object) -> S3Result<()> {
        if self.precondition_fails(object) || self.reader_has_it(object) {
            return Err(precondition_failed());
        }
        Ok(())
    }

    /// Refuses the write or the deletion where what is there does not fit the conditions.
    pub(super) fn check_write(&self, existing: Option<&Object>) -> S3Result<()> {
        match (&self.if_match, existing) {
            (Some(_), None) => return Err(S3Error::new(S3ErrorCode::NoSuchKey)),
            (Some(condition), Some(object)) if !is_match(condition, object) => {
                return Err(precondition_failed());
            }
            _ => {}
        }
        let is_there = |condition: &ETagCondition| existing.is_some_and(|object| is_match(condition, object));
        if self.if_none_match.as_ref().is_some_and(is_there) { Err(precondition_failed()) } else { Ok(()) }
    }

    fn precondition_fails(&self, object: &Object) -> bool {
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => !is_match(condition, object),
            (None, Some(time)) => Timestamp::from(object.last_modified()) > *time,
            (None, None) => false,
        }
    }

    fn reader_has_it(&self, object: &Object) -> bool {
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => is_match(condition, object),
            (None, Some(time)) => Timestamp::from(object.last_modified()) <= *time,
            (None, None) => false,
        }
    }
}

/// S3's 412.
fn precondition_failed() -> S3Error {
    let message = "At least one of the pre-conditions you specified did not hold";
    S3Error::with_message(S3ErrorCode::PreconditionFailed, message)
}

/// Whether the condition names the object.
fn is_match(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(ETag::Strong(value) | ETag::Weak(value)) => value == object.etag(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "a condition is optional wherever it stands")]
    fn etag(value: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(ETag::Strong(value.to_owned())))
    }

    #[test]
    fn etags_and_times_decide() {
        let object = Object::new(Bytes::from_static(b"same"));
        let right = object.etag().to_owned();
        let later = Some(Timestamp::from(SystemTime::now() + Duration::from_mins(1)));
        let code =
            |conditions: Conditions| conditions.check_read(&object).err().map(|error| error.code().clone());
        let none = Conditions::default;

        assert_eq!(code(none()), None);
        assert_eq!(code(Conditions { if_match: etag(&right), ..none() }), None);
        assert_eq!(
            code(Conditions { if_match: etag("other"), ..none() }),
            Some(S3ErrorCode::PreconditionFailed)
        );
        assert_eq!(
            code(Conditions { if_none_match: etag(&right), ..none() }),
            Some(S3ErrorCode::NotModified)
        );
        assert_eq!(
            code(Conditions { if_modified_since: later.clone(), ..none() }),
            Some(S3ErrorCode::NotModified)
        );
        assert_eq!(code(Conditions { if_unmodified_since: later.clone(), ..none() }), None);
        // The ETag overrides the time beside it.
        assert_eq!(
            code(Conditions { if_none_match: etag("other"), if_modified_since: later, ..none() }),
            None
        );

        let code = |result: S3Result<()>| result.err().map(|error| error.code().clone());
        let create_only = Conditions { if_none_match: Some(ETagCondition::Any), ..none() };
        assert_eq!(code(create_only.check_write(None)), None);
        assert_eq!(code(create_only.check_write(Some(&object))), Some(S3ErrorCode::PreconditionFailed));
        let replace = Conditions { if_match: etag(&right), ..none() };
        assert_eq!(code(replace.check_write(Some(&object))), None);
        assert_eq!(code(replace.check_write(None)), Some(S3ErrorCode::NoSuchKey));
        let other = Conditions { if_match: etag("other"), ..none() };
        assert_eq!(code(other.check_write(Some(&object))), Some(S3ErrorCode::PreconditionFailed));
    }
}
