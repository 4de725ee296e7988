//! The memory that the operators of a session share, and the end of a query that could only wait for more of it.
//!
//! DataFusion's exchange between partitions (`RepartitionExec`) puts batches aside on the disk where its memory is refused, and as of
//! 55.2 can then wait for ever: what several inputs put aside for one output is read file by file, so the reader may wait for a
//! file whose writer waits for that reader (docs/adr/0018). Exchanges are therefore never refused. They hold a few batches for each output,
//! and more only where one output is read long before another; where that is more than a quarter of all memory, the query ends.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};

/// What the consumers of exchanges are called.
const EXCHANGE: &str = "RepartitionExec";

/// A fair pool that ends a query rather than have it wait for ever.
#[derive(Debug)]
pub(super) struct QueryPool {
    /// Leaves every spilling operator its part, and names the largest consumers when it is exhausted.
    operators: TrackConsumersPool<FairSpillPool>,
    limit_bytes: usize,
    /// What is in use before those who can spill are to do so: the rest is for putting together what they hold.
    spillable_bytes: usize,
    is_overdrawn: AtomicBool,
    /// Those who poll queries of this session.
    waiting: Mutex<Vec<Waker>>,
}

impl QueryPool {
    /// A pool of this many bytes, of which so many are given to those who can do with less.
    pub(super) fn new(limit_bytes: usize, spillable_bytes: usize) -> Self {
        let named_consumers = NonZeroUsize::new(3).unwrap_or(NonZeroUsize::MIN);
        Self {
            operators: TrackConsumersPool::new(FairSpillPool::new(limit_bytes), named_consumers),
            limit_bytes,
            spillable_bytes,
            is_overdrawn: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }

    /// All of it.
    pub(super) fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }

    /// Begins anew, before a query.
    pub(super) fn clear(&self) {
        self.is_overdrawn.store(false, Ordering::Release);
        self.waiting().clear();
    }

    /// Whether the exchanges of a query hold too much for it to go on. `waker` is woken when it comes to that.
    pub(super) fn is_overdrawn(&self, waker: &Waker) -> bool {
        let mut waiting = self.waiting();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        drop(waiting);
        self.is_overdrawn.load(Ordering::Acquire)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An exchange may go beyond the limit by a quarter of it.
    fn grow_exchange(&self, reservation: &MemoryReservation, additional: usize) {
        self.operators.grow(reservation, additional);
        if self.operators.reserved() > self.limit_bytes + self.limit_bytes / 4 {
            self.is_overdrawn.store(true, Ordering::Release);
            self.waiting().drain(..).for_each(Waker::wake);
        }
    }
}

impl fmt::Display for QueryPool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operators.fmt(out)
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &'static str {
        "pinlake"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.operators.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.operators.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.operators.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.operators.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let consumer = reservation.consumer();
        if consumer.name().starts_with(EXCHANGE) {
            self.grow_exchange(reservation, additional);
            return Ok(());
        }
        if consumer.can_spill() && self.operators.reserved() + additional > self.spillable_bytes {
            let message = format!("no {additional} bytes are left for {}", consumer.name());
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        self.operators.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.operators.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.operators.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn exchanges_are_not_refused_and_end_a_query_beyond_their_allowance() {
        let own = Arc::new(QueryPool::new(1_000, 900));
        let pool: Arc<dyn MemoryPool> = Arc::clone(&own) as Arc<dyn MemoryPool>;
        let waker = Waker::noop();
        let exchange = MemoryConsumer::new("RepartitionExec[0]").with_can_spill(true).register(&pool);
        let sort = MemoryConsumer::new("ExternalSorter[0]").with_can_spill(true).register(&pool);
        sort.try_grow(501).unwrap_err();
        sort.try_grow(450).unwrap();
        exchange.try_grow(800).unwrap();
        sort.try_grow(1).unwrap_err();
        assert!(!own.is_overdrawn(waker));
        exchange.try_grow(100).unwrap();
        assert!(own.is_overdrawn(waker));
        drop((exchange, sort));
        assert_eq!(own.reserved(), 0);
        own.clear();
        assert!(!own.is_overdrawn(waker));
    }
}
