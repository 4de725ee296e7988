//! When a failed request is tried again: exponential back-off with jitter, within a bound of time.
//!
//! The bound counts from the last progress. A request that brings nothing ends after `retry_for`; a body of
//! gigabytes over a line that breaks every minute goes on as long as each attempt gets further. In all it may take
//! `retry_for` longer than its bytes would at [`LEAST_RATE`], so that a server that gives a little now and then does not keep
//! us for ever. All requests of a connection share one budget of retries.

mod budget;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::failure::{FailureKind, RequestFailure};
use crate::identity::Identities;

pub(crate) use budget::Budget;

/// What a body must bring at the least, in bytes a second. It is a twentieth of the slowest lines in use, so sixteen requests
/// may share one of those.
pub(crate) const LEAST_RATE: u32 = 1_024;

/// The first delay at the contract's bound of 30 s; it shrinks with shorter bounds.
const FIRST_DELAY_SHARE: u32 = 150;

/// No delay grows beyond this: a service that recovers is found again within seconds.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// How often a connection that does not even open is tried by requests that open a conversation. A server that
/// is not there is told from one that hiccups after about three seconds, not after thirty.
const FIRST_CONTACT_ATTEMPTS: u32 = 5;

/// The attempts of one request so far, and how long they may go on.
#[derive(Debug)]
pub(crate) struct Retry {
    bound: Duration,
    began: Instant,
    give_up_at: Instant,
    delay: Duration,
    attempts: u32,
    unconnected_max: u32,
    budget: Budget,
    /// The identities that are thrown away when they are found expired, and those in use since.
    identities: Option<(Identities, u64)>,
}

impl Retry {
    pub(crate) fn new(bound: Duration) -> Self {
        Self {
            bound,
            began: Instant::now(),
            give_up_at: Instant::now() + bound,
            delay: bound / FIRST_DELAY_SHARE,
            attempts: 0,
            unconnected_max: u32::MAX,
            budget: Budget::default(),
            identities: None,
        }
    }

    /// With the budget and the identities that all requests of a connection share.
    pub(crate) fn sharing(mut self, budget: &Budget, identities: &Identities) -> Self {
        self.budget = budget.clone();
        self.identities = Some((identities.clone(), identities.generation()));
        self
    }

    /// For a request that may be the first one to its server.
    pub(crate) fn first_contact(mut self) -> Self {
        self.unconnected_max = FIRST_CONTACT_ATTEMPTS;
        self
    }

    /// How many attempts have failed.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The request got further, so the bound counts anew, as far as its `bytes` in all allow.
    pub(crate) fn progressed(&mut self, bytes: usize) {
        let seconds = u32::try_from(bytes).unwrap_or(u32::MAX) / LEAST_RATE;
        let in_all = self.began + self.bound + Duration::from_secs(seconds.into());
        self.give_up_at = in_all.min(Instant::now() + self.bound);
        self.delay = self.bound / FIRST_DELAY_SHARE;
    }

    /// Time in which nothing could be asked for counts against no bound.
    pub(crate) fn waited(&mut self, pause: Duration) {
        self.began += pause;
        self.give_up_at += pause;
    }

    /// The request succeeded.
    pub(crate) fn succeeded(&self) {
        self.budget.earn();
    }

    /// Counts a failed attempt; waits and says `true` when there is to be another.
    pub(crate) async fn again(&mut self, failure: &RequestFailure) -> bool {
        if self.renews(failure) {
            return true;
        }
        let Some(pause) = self.pause_after(failure, Instant::now()) else { return false };
        let (reason, status, code) = (failure.kind(), failure.status(), failure.code());
        let delay_ms = pause.as_millis();
        tracing::info!(attempt = self.attempts, ?reason, status, code, delay_ms, "trying again");
        tokio::time::sleep(pause).await;
        true
    }

    /// Whether expired credentials were thrown away, so that the next attempt loads them anew. It is done once a request.
    fn renews(&mut self, failure: &RequestFailure) -> bool {
        let is_expired = failure.kind() == FailureKind::CredentialsExpired;
        let Some((identities, generation)) = self.identities.take_if(|_| is_expired) else { return false };
        tracing::debug!("the credentials have expired: loading them anew");
        identities.renew(generation);
        self.attempts += 1;
        true
    }

    /// Counts an attempt that failed at `now`; how long to wait before the next, if there is to be one.
    fn pause_after(&mut self, failure: &RequestFailure, now: Instant) -> Option<Duration> {
        self.attempts += 1;
        let is_hopeless = failure.kind() == FailureKind::Unconnected && self.attempts >= self.unconnected_max;
        if !self.budget.spend() {
            // Most requests fail: each goes on as long as it was told to, and as seldom as that allows.
            self.delay = LONGEST_DELAY.min(self.bound / 4).max(self.delay);
        }
        let pause = jittered(self.delay).max(failure.retry_after().unwrap_or_default());
        if !failure.is_retryable() || is_hopeless || now + pause > self.give_up_at {
            return None;
        }
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        Some(pause)
    }
}

/// Between one half of a delay and the whole of it, so that many clients do not come back in step.
pub(crate) fn jittered(delay: Duration) -> Duration {
    // The keys of a new `RandomState` are random; that is all the randomness a delay needs.
    let random = RandomState::new().build_hasher().finish() % 1_024;
    let part = 512 + u32::try_from(random / 2).unwrap_or_default();
    delay * part / 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails again and again without waiting; returns for how long it would have gone on.
    fn exhaust(retry: &mut Retry, kind: FailureKind) -> Duration {
        let began = Instant::now();
        let mut now = began;
        while let Some(pause) = retry.pause_after(&RequestFailure::new(kind, ""), now) {
            now += pause;
        }
        now - began
    }

    #[test]
    fn attempts_end_within_the_bound_and_not_long_before() {
        let mut retry = Retry::new(Duration::from_secs(30));
        let took = exhaust(&mut retry, FailureKind::ServerFault);
        assert!(retry.attempts() > 5, "{}", retry.attempts());
        assert!(took <= Duration::from_secs(31) && took >= Duration::from_secs(20), "{took:?}");
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        let mut retry = Retry::new(Duration::from_secs(30));
        assert_eq!(exhaust(&mut retry, FailureKind::Denied), Duration::ZERO);
        assert_eq!(retry.attempts(), 1);
    }

    #[test]
    fn a_server_that_is_not_there_is_given_up_early_on_first_contact() {
        let mut retry = Retry::new(Duration::from_secs(30)).first_contact();
        assert!(exhaust(&mut retry, FailureKind::Unconnected) < Duration::from_secs(5));
        assert_eq!(retry.attempts(), FIRST_CONTACT_ATTEMPTS);
    }

    #[test]
    fn a_service_that_names_a_pause_gets_it_within_the_bound() {
        let mut retry = Retry::new(Duration::from_secs(30));
        let throttled = |seconds| RequestFailure::new(FailureKind::Throttled, "").retried_after(seconds);
        let pause = retry.pause_after(&throttled(7), Instant::now());
        assert_eq!(pause, Some(Duration::from_secs(7)));
        assert_eq!(retry.pause_after(&throttled(3_600), Instant::now()), None);
    }

    #[test]
    fn a_trickle_of_progress_does_not_renew_the_bound_for_ever() {
        let mut retry = Retry::new(Duration::from_secs(30));
        let began = retry.began;
        retry.progressed(10 * 1_024);
        assert!(retry.give_up_at <= began + Duration::from_secs(40));
        // The request began an hour ago and has brought 10 KiB.
        retry.began -= Duration::from_hours(1);
        retry.progressed(10 * 1_024);
        let broken = RequestFailure::new(FailureKind::Broken, "");
        assert_eq!(retry.pause_after(&broken, Instant::now()), None);
        // A slow line that brought what it should goes on.
        retry.progressed(20_000 * 3_600);
        assert!(retry.pause_after(&broken, Instant::now()).is_some());
    }

    #[test]
    fn an_empty_budget_makes_retries_seldom_and_not_short() {
        let budget = Budget::default();
        while budget.spend() {}
        let mut retry = Retry::new(Duration::from_secs(30));
        retry.budget = budget;
        let took = exhaust(&mut retry, FailureKind::ServerFault);
        assert!(retry.attempts() <= 13 && took >= Duration::from_secs(20), "{}: {took:?}", retry.attempts());
    }

    #[test]
    fn expired_credentials_are_renewed_once_a_request() {
        let identities = Identities::new(Duration::from_secs(1));
        let mut retry = Retry::new(Duration::from_secs(30)).sharing(&Budget::default(), &identities);
        let expired = RequestFailure::new(FailureKind::CredentialsExpired, "");
        assert!(retry.renews(&expired) && !retry.renews(&expired));
        assert_eq!(identities.generation(), 1);
        assert_eq!(retry.pause_after(&expired, Instant::now()), None);
    }

    #[test]
    fn jitter_stays_within_half_and_whole() {
        let delay = Duration::from_secs(1);
        for _ in 0..100 {
            let jittered = jittered(delay);
            assert!(jittered >= delay / 2 && jittered <= delay, "{jittered:?}");
        }
    }
}
