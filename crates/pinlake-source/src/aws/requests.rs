//! Each request to AWS in the log: what was asked of which host and path, what came of it, how long that took, and the id by
//! which AWS finds it again. In one place, as the SDK tells of every attempt of either client.
//!
//! Nothing else of a request is told: its headers hold the signature and the session's token, and its query may hold a
//! continuation token. Paths are percent-encoded, so a key cannot steer a terminal.

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

/// An attempt that is under way. What was asked for is noted here, for the SDK gives the request away when it sends it.
#[derive(Debug)]
struct Begun {
    at: Instant,
    place: String,
    range: Option<String>,
}

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
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let place = without_query(request.uri()).to_owned();
        let range = request.headers().get("range").map(str::to_owned);
        bag.interceptor_state().store_put(Begun { at: Instant::now(), place, range });
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(begun) = bag.load::<Begun>() else { return Ok(()) };
        let response = context.response();
        let header = |name: &str| response.and_then(|response| response.headers().get(name));
        tracing::debug!(
            operation = bag.load::<Metadata>().map(Metadata::name),
            place = begun.place,
            range = begun.range,
            status = response.map(|response| response.status().as_u16()),
            request_id = header("x-amz-request-id").or_else(|| header("x-amzn-requestid")),
            milliseconds = u64::try_from(begun.at.elapsed().as_millis()).unwrap_or(u64::MAX),
            "request"
        );
        Ok(())
    }
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_query() {
        assert_eq!(without_query("http://h/b/k%0A?list-type=2&x=y"), "http://h/b/k%0A");
    }
}
