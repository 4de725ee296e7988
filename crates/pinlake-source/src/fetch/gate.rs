//! How many attempts are under way at once: fewer when the service says that it is too many.
//!
//! Additive increase, multiplicative decrease, as TCP has it. A GET that is throttled or stalls halves what may run; as many
//! successes as may run allow one more, up to `max_requests`. A burst of refusals halves once: only an attempt that began after
//! the last halving counts.
//!
//! An attempt holds its pass while it runs and not while it waits to be made again, and an attempt always ends, so waiting for
//! a pass is no deadlock. Of those that wait the earliest span of the plan goes first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The gate of one fetch. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What is never exceeded.
    max: usize,
    /// What may run now; at least one.
    allowed: usize,
    in_flight: usize,
    /// Successes since `allowed` changed.
    successes: usize,
    /// How often it was halved.
    halvings: u64,
    /// By the place in the plan. A span makes one attempt at a time.
    waiting: BTreeMap<u64, oneshot::Sender<Pass>>,
}

/// The right to make one attempt. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Gate,
    /// The halvings when the attempt began.
    halvings: u64,
}

impl Gate {
    /// A gate through which `max` go at once for as long as all is well.
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        let waiting = BTreeMap::new();
        let state = State { max, allowed: max, in_flight: 0, successes: 0, halvings: 0, waiting };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits for a pass. `turn` is the span's place in the plan. Cancel safe.
    pub(super) async fn enter(&self, turn: u64) -> Pass {
        loop {
            let waiting = {
                let mut state = self.state();
                if state.in_flight < state.allowed {
                    return state.pass(self);
                }
                let (pass, waiting) = oneshot::channel();
                state.waiting.insert(turn, pass);
                waiting
            };
            // The sender is dropped unused only if the same turn waits twice, and then this one waits anew.
            if let Ok(pass) = waiting.await {
                return pass;
            }
        }
    }

    /// Gives passes to those who wait, as many as may run.
    fn admit(&self) {
        let mut admitted = Vec::new();
        {
            let mut state = self.state();
            while state.in_flight < state.allowed
                && let Some((_, waiting)) = state.waiting.pop_first()
            {
                if !waiting.is_closed() {
                    let pass = state.pass(self);
                    admitted.push((waiting, pass));
                }
            }
        }
        for (waiting, pass) in admitted {
            // One who went away meanwhile drops the pass, which gives it to the next.
            let _ = waiting.send(pass);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pass(&mut self, gate: &Gate) -> Pass {
        self.in_flight += 1;
        Pass { gate: gate.clone(), halvings: self.halvings }
    }
}

impl Pass {
    /// The attempt brought what it was to bring.
    pub(super) fn succeeded(self) {
        let mut state = self.gate.state();
        state.successes += 1;
        if state.successes >= state.allowed {
            state.successes = 0;
            state.allowed = (state.allowed + 1).min(state.max);
        }
    }

    /// The service has too much to do, or the line is too slow for so many.
    pub(super) fn slowed(self) {
        let mut state = self.gate.state();
        if self.halvings == state.halvings {
            state.halvings += 1;
            state.successes = 0;
            state.allowed = (state.allowed / 2).max(1);
            tracing::debug!(requests = state.allowed, "fewer requests at once");
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.state().in_flight -= 1;
        self.gate.admit();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    /// As many passes as there are to be had at once.
    fn all(gate: &Gate) -> Vec<Pass> {
        (0..100).map_while(|turn| gate.enter(turn).now_or_never()).collect()
    }

    #[test]
    fn a_burst_of_refusals_halves_once_and_successes_grow_it_back() {
        let gate = Gate::new(16);
        let passes = all(&gate);
        assert_eq!(passes.len(), 16);
        passes.into_iter().for_each(Pass::slowed);
        let passes = all(&gate);
        assert_eq!(passes.len(), 8);
        passes.into_iter().for_each(Pass::slowed);
        assert_eq!(all(&gate).len(), 4);
        for expected in [5, 6, 7] {
            for _ in 0..expected - 1 {
                gate.enter(0).now_or_never().unwrap().succeeded();
            }
            assert_eq!(all(&gate).len(), expected);
        }
        for _ in 0..1_000 {
            gate.enter(0).now_or_never().unwrap().succeeded();
        }
        assert_eq!(all(&gate).len(), 16, "never more than the most");
        for _ in 0..10 {
            gate.enter(0).now_or_never().unwrap().slowed();
        }
        assert_eq!(all(&gate).len(), 1, "one always goes through");
    }

    #[tokio::test]
    async fn the_earliest_span_goes_first_and_who_leaves_loses_nothing() {
        let gate = Gate::new(1);
        let first = gate.enter(0).await;
        let (mut late, mut early, mut gone) =
            (Box::pin(gate.enter(9)), Box::pin(gate.enter(3)), Box::pin(gate.enter(1)));
        assert!((&mut late).now_or_never().is_none());
        assert!((&mut early).now_or_never().is_none());
        assert!((&mut gone).now_or_never().is_none());
        drop(gone);
        drop(first);
        assert!((&mut late).now_or_never().is_none(), "the earlier one is first");
        drop((&mut early).now_or_never().unwrap());
        // A pass that was given and never taken comes back, too.
        drop(late);
        assert_eq!(all(&gate).len(), 1);
    }
}
