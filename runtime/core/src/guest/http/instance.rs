//! Instances of a handler: made for a request, and kept for the next where the Pod allows it.
//!
//! A reused instance shows the next request what the last one left in its memory. It is kept only
//! after a request that ended well, left no resource behind and did not make the memory grow.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime_wasi_http::{p2, p3};

use super::handler::Handler;
use crate::guest::program::Entry;
use crate::guest::run::Failure;
use crate::guest::state::GuestState;
use crate::lifecycle::Exit;
use crate::resources::memory::Held;

/// How long an instance waits for its next request: it holds memory and a place in the pool.
const IDLE_FOR: Duration = Duration::from_secs(10);

/// What the host holds for an instance: its stack and Store, and what it has written of its response
/// before the client has it.
const INSTANCE: usize = 256 << 10;

pub(crate) struct Instance {
    pub(crate) store: Store<GuestState>,
    pub(crate) exports: Exports,
    /// Bytes of memory when it was new.
    memory: usize,
    served: u32,
    _held: Held,
    /// Given back after the store, which is declared before it.
    _place: OwnedSemaphorePermit,
    /// Of the request that it has: one that is idle holds up nobody.
    turn: Option<OwnedSemaphorePermit>,
}

pub(crate) enum Exports {
    P2(p2::bindings::Proxy),
    P3(p3::bindings::Service),
}

impl Instance {
    /// An idle instance, or a fresh one once the pool has a place for it.
    ///
    /// # Errors
    /// The end of an instantiation that failed; the guest's own start function may have run.
    pub(crate) async fn take(handler: &Handler) -> Result<Self, Exit> {
        let turn = match handler.turns.clone() {
            Some(turns) => Some(turns.acquire_owned().await.expect("it is never closed")),
            None => None,
        };
        if let Some(mut idle) = handler.idle.take() {
            idle.turn = turn;
            // The ticks since its last request are not its own.
            idle.store.set_epoch_deadline(1);
            return Ok(idle);
        }
        let places = handler.program.places.clone();
        let wanted = handler.program.places_per_instance;
        let place = match places.clone().try_acquire_many_owned(wanted) {
            Ok(place) => place,
            Err(_full) => {
                places.acquire_many_owned(wanted).await.expect("the semaphore is never closed")
            }
        };
        let held = handler.setup.memory.hold(INSTANCE).map_err(|refused| {
            Exit::start_error(format!("no memory for one more instance: {refused}"))
        })?;
        let state = GuestState::new(handler.setup.clone());
        let mut store = state.into_store(&handler.program.engine)?;
        let exports = match &handler.program.entry {
            Entry::HttpP2(pre) => pre.instantiate_async(&mut store).await.map(Exports::P2),
            Entry::HttpP3(pre) => pre.instantiate_async(&mut store).await.map(Exports::P3),
            Entry::CommandModule(_)
            | Entry::CommandP2(_)
            | Entry::CommandP3(_)
            | Entry::ReactorModule(_)
            | Entry::ReactorComponent(_) => unreachable!("only HTTP handlers are served"),
        };
        match exports {
            Ok(exports) => {
                let memory = store.data().limiter.taken();
                Ok(Self { store, exports, memory, served: 0, _held: held, _place: place, turn })
            }
            Err(error) => Err(Failure::Instantiate(error).into_exit(&store)),
        }
    }

    /// Keeps the instance for another request if it may be; call it after one that ended well.
    pub(crate) fn give_back(mut self, handler: &Handler) {
        self.served += 1;
        self.store.data_mut().forget_bodies();
        let state = self.store.data();
        if self.served < handler.settings.reuse.get()
            && state.table.is_empty()
            && state.limiter.taken() == self.memory
            && !handler.stopping.is_cancelled()
        {
            // Only then its turn is another's, who finds it.
            let turn = self.turn.take();
            handler.idle.keep(self);
            drop(turn);
        }
    }
}

/// Instances that wait for a request; the one that was used last is used next.
#[derive(Default)]
pub(crate) struct IdleInstances {
    waiting: Mutex<Vec<(Instance, Instant)>>,
    kept: Notify,
}

impl IdleInstances {
    fn take(&self) -> Option<Instance> {
        self.lock().pop().map(|(instance, _)| instance)
    }

    fn keep(&self, instance: Instance) {
        let was_empty = {
            let mut waiting = self.lock();
            waiting.push((instance, Instant::now()));
            waiting.len() == 1
        };
        if was_empty {
            self.kept.notify_one();
        }
    }

    /// Drops instances that have waited for long. Never returns.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn expire(&self) {
        loop {
            self.kept.notified().await;
            while !self.lock().is_empty() {
                tokio::time::sleep(IDLE_FOR / 2).await;
                let Some(oldest) = Instant::now().checked_sub(IDLE_FOR) else { continue };
                let expired: Vec<_> = {
                    let mut waiting = self.lock();
                    // In order of their last use.
                    let fresh = waiting.partition_point(|(_, since)| *since <= oldest);
                    waiting.drain(..fresh).collect()
                };
                // Not under the lock: dropping a store is work.
                drop(expired);
            }
        }
    }

    /// Drops them all.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut *self.lock());
        drop(all);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Instance, Instant)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
