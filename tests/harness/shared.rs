//! Something dear that several tests look at: made by the first, dropped with the last, so that nothing stays behind.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A place for a shared thing.
pub(crate) struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The thing, made now if no test has it at the moment.
    pub(crate) fn get(&self, build: impl FnOnce() -> T) -> Arc<T> {
        // A test that failed while it made the thing has left nothing, and the next one may try.
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.upgrade().unwrap_or_else(|| {
            let made = Arc::new(build());
            *place = Arc::downgrade(&made);
            made
        })
    }
}
