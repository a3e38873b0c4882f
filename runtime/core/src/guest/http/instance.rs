//! Instances of a handler: made for a request, and kept for the next where the Pod allows it.
//!
//! A reused instance shows the next request what the last one left in its memory. It is kept only after a
//! request that ended well, and while what it keeps from one request to the next stays small: a guest that
//! logs has its streams, one with a garbage collector what is not collected yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
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
        let mut instance = match handler.idle.take() {
            Some(idle) => idle,
            None => match Self::fresh(handler, handler.instances.begin(false)).await {
                Ok(fresh) => fresh,
                Err(Refused::OutOfMemory(_)) => Self::in_line(handler).await?,
                Err(Refused::Failed(exit)) => return Err(exit),
            },
        };
        instance.turn = turn;
        // The ticks since its last request are not its own.
        instance.store.set_epoch_deadline(1);
        Ok(instance)
    }

    /// The same, once another has given memory back: one after the other, in the order in which they came.
    async fn in_line(handler: &Handler) -> Result<Self, Exit> {
        let instances = &handler.instances;
        let _first = instances.line.acquire().await.expect("it is never closed");
        loop {
            if let Some(idle) = handler.idle.take() {
                return Ok(idle);
            }
            match Self::fresh(handler, instances.begin(true)).await {
                Ok(fresh) => return Ok(fresh),
                Err(Refused::OutOfMemory(exit)) => instances.wait_for_room(exit).await?,
                Err(Refused::Failed(exit)) => return Err(exit),
            }
        }
    }

    async fn fresh(handler: &Handler, mut counted: Counted) -> Result<Self, Refused> {
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
                counted.is_quiet = false;
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
        state.end_lines();
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

/// The instances that there are or that are being made, and who waits for the end of one.
pub(crate) struct Instances {
    count: Arc<AtomicUsize>,
    /// Told before and after each of them ends, or when one is idle.
    room: Arc<Notify>,
    /// Who found no memory: only the first of them tries again.
    line: Semaphore,
}

impl Default for Instances {
    fn default() -> Self {
        Self { count: Arc::default(), room: Arc::default(), line: Semaphore::new(1) }
    }
}

/// One of them, until it is dropped.
struct Counted {
    count: Arc<AtomicUsize>,
    room: Arc<Notify>,
    /// Its end is not told: it is who waits for that.
    is_quiet: bool,
}

impl Instances {
    fn begin(&self, is_quiet: bool) -> Counted {
        self.count.fetch_add(1, Ordering::AcqRel);
        Counted { count: Arc::clone(&self.count), room: Arc::clone(&self.room), is_quiet }
    }

    fn tell(&self) {
        self.room.notify_one();
    }

    /// Waits until an instance has ended, was not made after all, or is idle. For the first in the line.
    ///
    /// # Errors
    /// `refused`, where there is none: a fresh one would never find room.
    async fn wait_for_room(&self, refused: Exit) -> Result<(), Exit> {
        // In this order: what ended in between was told before it was no longer counted.
        let is_none = self.count.load(Ordering::Acquire) == 0;
        let told = self.room.notified();
        if is_none {
            return told.now_or_never().ok_or(refused);
        }
        told.await;
        Ok(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.is_quiet {
            // Before, for who counts next and finds none: there was one while he tried.
            self.room.notify_one();
        }
        self.count.fetch_sub(1, Ordering::AcqRel);
        if !self.is_quiet {
            // And after, for who has tried in between and waits for it.
            self.room.notify_one();
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
