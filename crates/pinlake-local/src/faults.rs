//! What goes wrong on purpose: rules that strike chosen requests with a failure of the network or the service.
//!
//! A request is matched by service, operation and path, and counted by each rule that matches it; a rule lets its
//! first `after` matches pass and strikes the next `times`. The first rule that strikes decides. Rules can be added
//! while the server runs.

pub(crate) mod body;
mod seeded;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use seeded::FaultKind;

/// Where a body breaks unless a rule says otherwise: in its middle.
const HALF_PER_MILLE: u16 = 500;

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Pinpoint's REST API.
    Pinpoint,
    /// S3.
    S3,
}

/// What happens to a request that a rule strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request is answered with this error and nothing is done: 429 `TooManyRequestsException`, 503 `SlowDown`,
    /// 403 `ExpiredToken` and so on.
    Status {
        /// The HTTP status.
        code: u16,
        /// The error's code, in the form of the service that answers.
        error_code: String,
    },
    /// The connection is reset and there is no answer at all, as by a server that dies.
    Dropped,
    /// The request is taken and never answered.
    StalledHeader,
    /// A part of the body is sent (half of it, or what the rule says), then nothing more, on an open connection.
    StalledBody,
    /// A part of the body is sent, then one byte a second.
    Drip,
    /// A part of the body is sent, then the connection is reset (TCP RST).
    ResetMidBody,
    /// A part of the body is sent, then the connection is closed in good order (TCP FIN), although `Content-Length`
    /// promised all of it.
    ShortBody,
    /// A part of the body is sent as though it were all: a well-formed answer whose `Content-Length` is too small.
    TruncatedBody,
    /// All of the body is sent, with one bit flipped: in its middle, or where the rule says.
    FlipBit,
    /// The answer is 200 with an error's XML for a body, as S3 does when it fails after it began to answer.
    ErrorPage,
    /// The object is deleted just before the request is answered: it vanished between listing and reading.
    Deleted,
    /// A page of a listing says that there is more, and gives the same continuation token each time.
    RepeatedToken,
    /// A page of a listing counts a key that it does not tell.
    LostKey,
    /// A page of a listing tells a key twice.
    RepeatedKey,
    /// The object is written again, with the same bytes and another `ETag`, just before the request is answered: it
    /// changed between listing and reading.
    StaleETag,
}

impl Fault {
    /// An error answer.
    #[must_use]
    pub fn status(code: u16, error_code: &str) -> Self {
        Fault::Status { code, error_code: error_code.to_owned() }
    }
}

/// Which requests a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// The service.
    pub service: Service,
    /// The operation by AWS's name (`GetObject`), or `None` for all.
    pub operation: Option<String>,
    /// Part of the request's decoded path, such as a key's end, or `None` for all.
    pub path_contains: Option<String>,
    /// How many matching requests pass before the first is struck.
    pub after: u64,
    /// How many are struck; [`u64::MAX`] for all from then on.
    pub times: u64,
    /// How much of a body passes before a fault in it, in thousandths; 500 is its middle.
    pub body_per_mille: u16,
    /// What happens to them.
    pub fault: Fault,
}

/// A fault for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) fault: Fault,
    /// See [`FaultRule::body_per_mille`].
    pub(crate) body_per_mille: u16,
}

impl FaultRule {
    /// Strikes the next request of an operation of a service, once.
    #[must_use]
    pub fn new(service: Service, operation: &str, fault: Fault) -> Self {
        FaultRule {
            service,
            operation: Some(operation.to_owned()),
            path_contains: None,
            after: 0,
            times: 1,
            body_per_mille: HALF_PER_MILLE,
            fault,
        }
    }

    /// Strikes the next request of an operation of S3, once.
    #[must_use]
    pub fn s3(operation: &str, fault: Fault) -> Self {
        Self::new(Service::S3, operation, fault)
    }

    /// Strikes the next request of an operation of Pinpoint, once.
    #[must_use]
    pub fn pinpoint(operation: &str, fault: Fault) -> Self {
        Self::new(Service::Pinpoint, operation, fault)
    }

    /// Only requests whose decoded path contains this.
    #[must_use]
    pub fn on_path(mut self, part: &str) -> Self {
        self.path_contains = Some(part.to_owned());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// Strikes this many requests.
    #[must_use]
    pub fn times(mut self, requests: u64) -> Self {
        self.times = requests;
        self
    }

    /// Lets this much of a body pass first, in thousandths.
    #[must_use]
    pub fn behind(mut self, body_per_mille: u16) -> Self {
        self.body_per_mille = body_per_mille;
        self
    }

    /// Strikes every matching request from then on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    /// Whether the rule is about this request.
    fn matches(&self, service: Service, operation: &str, path: &str) -> bool {
        self.service == service
            && self.operation.as_deref().is_none_or(|name| name == operation)
            && self.path_contains.as_deref().is_none_or(|part| path.contains(part))
    }
}

/// A rule and what it has seen.
#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    matched: u64,
    struck: u64,
}

/// A set of rules. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Armed>>>,
}

impl Faults {
    /// No rules: everything goes well.
    #[must_use]
    pub fn none() -> Self {
        Faults::default()
    }

    /// The set with one more rule.
    #[must_use]
    pub fn rule(self, rule: FaultRule) -> Self {
        self.add(rule);
        self
    }

    /// Adds a rule.
    pub fn add(&self, rule: FaultRule) {
        self.armed().push(Armed { rule, matched: 0, struck: 0 });
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.armed().clear();
    }

    /// How many requests were struck by the rules that are there now.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.armed().iter().map(|armed| armed.struck).sum()
    }

    /// The fault for this request, if a rule strikes it.
    pub(crate) fn strike(&self, service: Service, operation: &str, path: &str) -> Option<Strike> {
        let mut strike = None;
        for armed in self.armed().iter_mut().filter(|armed| armed.rule.matches(service, operation, path)) {
            armed.matched += 1;
            let due = armed.matched > armed.rule.after && armed.struck < armed.rule.times;
            if due && strike.is_none() {
                armed.struck += 1;
                let FaultRule { fault, body_per_mille, .. } = &armed.rule;
                strike = Some(Strike { fault: fault.clone(), body_per_mille: *body_per_mille });
            }
        }
        strike
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_lets_some_pass_and_strikes_some() {
        let faults = Faults::none()
            .rule(FaultRule::s3("GetObject", Fault::FlipBit).on_path("part-1").after(1).times(2))
            .rule(FaultRule::pinpoint("GetExportJob", Fault::ResetMidBody).always());
        let strike = |path| faults.strike(Service::S3, "GetObject", path).is_some();
        assert!(!strike("/b/part-2"));
        assert_eq!(
            [strike("/b/part-1"), strike("/b/part-1"), strike("/b/part-1"), strike("/b/part-1")],
            [false, true, true, false]
        );
        assert_eq!(faults.strike(Service::S3, "HeadObject", "/b/part-1"), None);
        for _ in 0..3 {
            let fault = faults.strike(Service::Pinpoint, "GetExportJob", "/v1");
            assert_eq!(fault.map(|strike| strike.fault), Some(Fault::ResetMidBody));
        }
        assert_eq!(faults.struck(), 5);
        faults.clear();
        assert_eq!(faults.strike(Service::Pinpoint, "GetExportJob", "/v1"), None);
    }
}
