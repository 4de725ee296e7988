//! Throttling on request: so many requests a second for each operation, as Pinpoint's quotas are.
//!
//! A bucket of tokens an operation, which holds a second's worth: a burst of that many passes, then the rate holds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Lets requests through at a rate, or all of them.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: Option<f64>,
    buckets: Mutex<HashMap<&'static str, Bucket>>,
}

/// What an operation may still do.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Throttle {
    /// A throttle of this rate for each operation; `None` lets everything through.
    pub(crate) fn new(requests_per_second: Option<u32>) -> Self {
        Throttle { per_second: requests_per_second.map(f64::from), buckets: Mutex::default() }
    }

    /// Whether a request of this operation may pass at this time.
    pub(super) fn admits(&self, operation: &'static str, now: Instant) -> bool {
        let Some(per_second) = self.per_second else { return true };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(operation).or_insert(Bucket { tokens: per_second, filled: now });
        let waited = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + waited * per_second).min(per_second);
        bucket.filled = now;
        let admits = bucket.tokens >= 1.0;
        if admits {
            bucket.tokens -= 1.0;
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_operation_has_its_own_rate() {
        let throttle = Throttle::new(Some(2));
        let begun = Instant::now();
        let admitted = |operation, millis| throttle.admits(operation, begun + Duration::from_millis(millis));
        assert_eq!([0, 0, 0].map(|millis| admitted("GetApp", millis)), [true, true, false]);
        assert!(admitted("GetApps", 0));
        assert_eq!(
            [400, 500, 600, 1_000].map(|millis| admitted("GetApp", millis)),
            [false, true, false, true]
        );
        // A long rest is worth one second.
        assert_eq!([9_000, 9_000, 9_000].map(|millis| admitted("GetApp", millis)), [true, true, false]);
        assert!((0..1_000).all(|_| Throttle::new(None).admits("GetApp", begun)));
    }
}
