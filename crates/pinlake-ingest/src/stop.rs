//! A wish to stop in good order: what is at hand is brought to an end and noted, and nothing new is begun.

use std::sync::Arc;

use tokio::sync::watch;

/// A wish that anyone may utter and anyone may look at. Clones share it. It is never taken back.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Utters it.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was uttered.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Comes back once it is uttered.
    pub async fn requested(&self) {
        // The sender lives as long as this value, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|is_requested| *is_requested).await;
    }
}
