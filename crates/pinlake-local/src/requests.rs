//! Counts what clients asked for, so that a test can say "each piece was fetched once".

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counters of requests by operation. Clones share one set of counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    counts: Arc<Mutex<BTreeMap<&'static str, u64>>>,
}

impl Requests {
    /// Counts a request, whatever its answer will be.
    pub(crate) fn count(&self, operation: &'static str) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default() += 1;
    }

    /// The counters as they stand.
    pub(crate) fn snapshot(&self) -> RequestCounts {
        RequestCounts { counts: self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }
}

/// How often each operation was requested, failed and retried requests included. Operations have AWS's names
/// (`GetObject`, `CreateExportJob`); what is none of the server's operations is counted as `Other`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestCounts {
    counts: BTreeMap<&'static str, u64>,
}

impl RequestCounts {
    /// Requests of one operation.
    #[must_use]
    pub fn of(&self, operation: &str) -> u64 {
        self.counts.get(operation).copied().unwrap_or(0)
    }

    /// Requests of all operations.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Each operation that was requested, in order of name, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.counts.iter().map(|(operation, count)| (*operation, *count))
    }
}
