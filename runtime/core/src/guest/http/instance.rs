//! Instances of a handler: made for a request, and kept for the next where the Pod allows it.
//!
//! A reused instance shows the next request what the last one left in its memory. It is kept only after a
//! request that ended well, and while what it keeps from one request to the next stays small: a guest that
//! logs has its streams, one with a garbage collector what is not collected yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Resources that it may have left behind: streams, folders, requests that nobody has collected.
const LEFT_BEHIND: usize = 64;

/// So many times its memory when it was new.
const GROWTH: usize = 2;

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
    // What follows is given back after the store, which is declared before it.
    _place: OwnedSemaphorePermit,
    /// Of the request that it has: one that is idle holds up nobody.
    turn: Option<OwnedSemaphorePermit>,
    _counted: Counted,
}

pub(crate) enum Exports {
    P2(p2::bindings::Proxy),
    P3(p3::bindings::Service),
}

impl Instance {
    /// An idle instance, or a fresh one once the pool has a place for it, and the container's memory room
    /// beside others.
    ///
    /// # Errors
    /// The end of an instantiation that failed; the guest's own start function may have run.
    pub(crate) async fn take(handler: &Handler) -> Result<Self, Exit> {
        let turn = match handler.turns.clone() {
            Some(turns) => Some(turns.acquire_owned().await.expect("it is never closed")),
            None => None,
        };
        loop {
            if let Some(mut idle) = handler.idle.take() {
                idle.turn = turn;
                // The ticks since its last request are not its own.
                idle.store.set_epoch_deadline(1);
                return Ok(idle);
            }
            match Self::fresh(handler).await {
                Ok(fresh) => return Ok(Self { turn, ..fresh }),
                Err(Refused::OutOfMemory(exit)) => handler.instances.wait_for_room(exit).await?,
                Err(Refused::Failed(exit)) => return Err(exit),
            }
        }
    }

    async fn fresh(handler: &Handler) -> Result<Self, Refused> {
        let places = handler.program.places.clone();
        let wanted = handler.program.places_per_instance;
        let place = match places.clone().try_acquire_many_owned(wanted) {
            Ok(place) => place,
            Err(_full) => {
                places.acquire_many_owned(wanted).await.expect("the semaphore is never closed")
            }
        };
        let held = handler.setup.memory.hold(INSTANCE).map_err(|refused| {
            let problem = format!("no memory for one more instance: {refused}");
            Refused::OutOfMemory(Exit::start_error(problem))
        })?;
        let state = GuestState::new(handler.setup.clone());
        let mut store = state
            .into_store(&handler.program.engine)
            .map_err(|error| Refused::Failed(error.into()))?;
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
                let counted = handler.instances.count();
                Ok(Self {
                    store,
                    exports,
                    memory,
                    served: 0,
                    _held: held,
                    _place: place,
                    turn: None,
                    _counted: counted,
                })
            }
            Err(error) => {
                let is_denied = store.data().limiter.denied().is_some();
                let exit = Failure::Instantiate(error).into_exit(&store);
                Err(if is_denied { Refused::OutOfMemory(exit) } else { Refused::Failed(exit) })
            }
        }
    }

    /// Keeps the instance for another request if it may be; call it after one that ended well.
    pub(crate) fn give_back(mut self, handler: &Handler) {
        self.served += 1;
        let state = self.store.data_mut();
        state.forget_bodies();
        if self.served < handler.settings.reuse.get()
            && state.table.iter_mut().count() <= LEFT_BEHIND
            && state.limiter.taken() <= self.memory.saturating_mul(GROWTH)
            && !handler.stopping.is_cancelled()
        {
            // Only then its turn is another's, who finds it.
            let turn = self.turn.take();
            handler.idle.keep(self);
            handler.instances.tell();
            drop(turn);
        }
    }
}

/// Why there is no fresh instance.
enum Refused {
    /// The container's memory limit is reached. Another instance may give some back.
    OutOfMemory(Exit),
    Failed(Exit),
}

/// How many instances there are, and who waits for the end of one.
#[derive(Default)]
pub(crate) struct Instances {
    count: Arc<AtomicUsize>,
    room: Arc<Notify>,
}

/// One of them, until it is dropped.
struct Counted {
    count: Arc<AtomicUsize>,
    room: Arc<Notify>,
}

impl Instances {
    fn count(&self) -> Counted {
        self.count.fetch_add(1, Ordering::AcqRel);
        // Where this one found room the next may, too.
        self.tell();
        Counted { count: Arc::clone(&self.count), room: Arc::clone(&self.room) }
    }

    fn tell(&self) {
        self.room.notify_one();
    }

    /// Waits until an instance has ended or is idle.
    ///
    /// # Errors
    /// `refused`, where there is none: a fresh one would never find room.
    async fn wait_for_room(&self, refused: Exit) -> Result<(), Exit> {
        if self.count.load(Ordering::Acquire) == 0 {
            return Err(refused);
        }
        self.room.notified().await;
        Ok(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::AcqRel);
        self.room.notify_one();
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
