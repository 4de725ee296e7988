//! Each request to AWS in the log: what was asked of which host and path, what came of it, how long that took, and the id by
//! which AWS finds it again. In one place, as the SDK tells of every attempt of either client.
//!
//! Nothing else of a request is told: its headers hold the signature and the session's token, and its query may hold a
//! continuation token. Paths are percent-encoded, so a key cannot steer a terminal.

use std::fmt;
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// Tells the log of each attempt, once it has ended.
#[derive(Debug)]
pub(super) struct RequestLog;

/// When the attempt began.
#[derive(Debug)]
struct Begun(Instant);

impl Storable for Begun {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for RequestLog {
    fn name(&self) -> &'static str {
        "pinlake's log of requests"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Begun(Instant::now()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let milliseconds = bag.load::<Begun>().map_or(0, |begun| begun.0.elapsed().as_millis());
        let operation = bag.load::<Metadata>().map_or("a request", Metadata::name);
        let response = context.response();
        let header = |name: &str| response.and_then(|response| response.headers().get(name));
        let request_id = header("x-amz-request-id").or_else(|| header("x-amzn-requestid"));
        tracing::debug!(
            operation,
            place = %context.request().map(|request| Place(request.uri())).unwrap_or(Place("")),
            range = context.request().and_then(|request| request.headers().get("range")),
            status = response.map(|response| response.status().as_u16()),
            request_id = ?request_id,
            milliseconds,
            "request"
        );
        Ok(())
    }
}

/// A URL without its query.
struct Place<'u>(&'u str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split(['?', '#']).next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_query() {
        assert_eq!(Place("http://h/b/k%0A?list-type=2&x=y").to_string(), "http://h/b/k%0A");
    }
}
