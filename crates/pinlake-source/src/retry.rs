//! When a failed request is tried again: exponential back-off with jitter, within a bound of time.
//!
//! The bound counts from the last progress. A request that brings nothing ends after `retry_for`; a body of
//! gigabytes over a line that breaks every minute goes on as long as each attempt gets further.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::failure::{FailureKind, RequestFailure};

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
    give_up_at: Instant,
    delay: Duration,
    attempts: u32,
    unconnected_max: u32,
}

impl Retry {
    pub(crate) fn new(bound: Duration) -> Self {
        Self {
            bound,
            give_up_at: Instant::now() + bound,
            delay: bound / FIRST_DELAY_SHARE,
            attempts: 0,
            unconnected_max: u32::MAX,
        }
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

    /// The request got further, so the bound counts anew.
    pub(crate) fn progressed(&mut self) {
        self.give_up_at = Instant::now() + self.bound;
        self.delay = self.bound / FIRST_DELAY_SHARE;
    }

    /// Counts a failed attempt; waits and says `true` when there is to be another.
    pub(crate) async fn again(&mut self, failure: &RequestFailure) -> bool {
        let Some(pause) = self.pause_after(failure, Instant::now()) else { return false };
        let (reason, status, code) = (failure.kind(), failure.status(), failure.code());
        let delay_ms = pause.as_millis();
        tracing::info!(attempt = self.attempts, ?reason, status, code, delay_ms, "trying again");
        tokio::time::sleep(pause).await;
        true
    }

    /// Counts an attempt that failed at `now`; how long to wait before the next, if there is to be one.
    fn pause_after(&mut self, failure: &RequestFailure, now: Instant) -> Option<Duration> {
        self.attempts += 1;
        let is_hopeless = failure.kind() == FailureKind::Unconnected && self.attempts >= self.unconnected_max;
        let pause = jittered(self.delay);
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
    fn jitter_stays_within_half_and_whole() {
        let delay = Duration::from_secs(1);
        for _ in 0..100 {
            let jittered = jittered(delay);
            assert!(jittered >= delay / 2 && jittered <= delay, "{jittered:?}");
        }
    }
}
