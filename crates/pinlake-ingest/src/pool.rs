//! The bridge from tokio to rayon.
//!
//! Async tasks wait for the network; the pool's threads compute. A job given to [`Pool::run`] comes back as a future:
//! dropped before its job begins, the job never runs; a panic in the job is an error of the future.
//!
//! [`Pool::has_room`] is what spreads a single large piece over all cores without a queue that could fill up: a job that
//! makes blocks gives one away only while some worker is, or is about to be, without work, and decodes it itself otherwise.
//! No job ever waits for another, so there is nothing to deadlock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, oneshot};

use crate::error::IngestError;

/// A worker that just ran out of work finds this many jobs waiting for it.
const JOBS_AHEAD: usize = 2;

/// A pool of worker threads.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    threads: Arc<rayon::ThreadPool>,
    load: Arc<Load>,
}

/// How much there is to do.
#[derive(Debug)]
struct Load {
    /// Jobs that wait or run.
    jobs: AtomicUsize,
    idle: Notify,
}

/// One job in the count, until dropped.
struct Counted(Arc<Load>);

impl Counted {
    fn new(load: &Arc<Load>) -> Self {
        load.jobs.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(load))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.jobs.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// A job that was given to the pool. Dropped before it begins, it never runs.
#[derive(Debug)]
pub(crate) struct Job<T>(oneshot::Receiver<std::thread::Result<T>>);

impl<T> Job<T> {
    /// Waits for its result.
    pub(crate) async fn result(self) -> Result<T, IngestError> {
        match self.0.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(IngestError::Panicked),
            Err(_) => Err(IngestError::Stopped),
        }
    }
}

impl Pool {
    pub(crate) fn new(threads: usize) -> Result<Self, IngestError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("pinlake-worker-{number}"))
            .build()
            .map_err(|source| IngestError::Threads { threads, source })?;
        let load = Arc::new(Load { jobs: AtomicUsize::new(0), idle: Notify::new() });
        Ok(Self { threads: Arc::new(pool), load })
    }

    /// Whether one more job would be taken up at once or nearly so.
    pub(crate) fn has_room(&self) -> bool {
        self.load.jobs.load(Ordering::Acquire) < self.threads.current_num_threads() + JOBS_AHEAD
    }

    /// Gives a job to the pool whose outcome nobody waits for here.
    pub(crate) fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        let counted = Counted::new(&self.load);
        self.threads.spawn(move || {
            job();
            drop(counted);
        });
    }

    /// Runs a job and waits for its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, IngestError> {
        self.start(job).result().await
    }

    /// Gives a job to the pool now; its result can be waited for later.
    pub(crate) fn start<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Job<T> {
        let (sender, receiver) = oneshot::channel();
        self.spawn(move || {
            if !sender.is_closed() {
                // The receiver may be gone by now; its result is wanted by nobody then.
                let _ = sender.send(catch_unwind(AssertUnwindSafe(job)));
            }
        });
        Job(receiver)
    }

    /// Waits until no job waits or runs.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.load.idle.notified();
            if self.load.jobs.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_comes_back_and_a_panic_is_an_error() {
        let pool = Pool::new(2).unwrap();
        assert_eq!(pool.run(|| 6 * 7).await.unwrap(), 42);
        let error = pool.run(|| panic!("boom")).await.map(|(): ()| ()).unwrap_err();
        assert_eq!(error.to_string(), "a worker thread panicked");
        pool.idle().await;
        assert!(pool.has_room());
    }
}
