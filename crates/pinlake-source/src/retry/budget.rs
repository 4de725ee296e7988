//! How many retries all requests of a connection may make together.
//!
//! The numbers are those of the AWS SDKs: a full bucket of 500 pays for 100 retries, and a success pays back a fifth of one. The SDKs
//! fail at once when the bucket is empty; here a request then waits as long as it may between its attempts, because users were told
//! for how long a failing request is tried (docs/adr/0016).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const CAPACITY: u32 = 500;
const RETRY_COST: u32 = 5;
const SUCCESS_GAIN: u32 = 1;

/// The bucket. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<AtomicU32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(CAPACITY)))
    }
}

impl Budget {
    /// Pays for a retry; `false` where there is nothing left to pay with.
    pub(super) fn spend(&self) -> bool {
        let spent = |tokens: u32| tokens.checked_sub(RETRY_COST);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }

    /// A request succeeded.
    pub(super) fn earn(&self) {
        let earned = |tokens: u32| Some((tokens + SUCCESS_GAIN).min(CAPACITY));
        // It always gives a number, so it cannot fail.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_paid_for_and_successes_pay_back() {
        let budget = Budget::default();
        assert_eq!((0..200).filter(|_| budget.spend()).count(), 100);
        for _ in 0..RETRY_COST {
            assert!(!budget.spend());
            budget.earn();
        }
        assert!(budget.spend());
        for _ in 0..10_000 {
            budget.earn();
        }
        assert_eq!((0..200).filter(|_| budget.spend()).count(), 100, "it is never more than full");
    }
}
