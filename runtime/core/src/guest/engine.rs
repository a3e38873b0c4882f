//! The wasmtime engines that run guests.
//!
//! They have no compiler and take code that was compiled for the same [`Profile`]. Commands get
//! their memory on demand, HTTP handlers from a pool.

use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;
use wasmtime::component::Component;
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::image::{GuestKind, Metering, Profile, Reservation, Shape};

/// Instances that an HTTP engine's pool can hold at once; requests beyond wait for a place.
const POOLED_INSTANCES: u32 = 1000;

/// So many of them are kept for commands in containers.
pub(super) const COMMAND_PLACES: u32 = 16;

/// Memories and tables in the pool for each instance; one that has more takes several places.
const MEMORIES_PER_PLACE: u32 = 2;
const TABLES_PER_PLACE: u32 = 4;

/// Elements of one table, address space only: interpreters compiled to one module have big ones.
const TABLE_ELEMENTS: usize = 200_000;

/// The wasmtime that runs guests here.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// How instances get their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// Mapped when it starts, unmapped when it ends: for containers that run long.
    OnDemand,
    /// From a pool of slots that are reused: for an instance a request.
    Pooled,
}

fn running(profile: Profile, allocation: Allocation) -> Result<Engine, EnginesError> {
    let mut config = profile.config();
    #[cfg(feature = "compiler")]
    config.enable_compiler(false);
    match allocation {
        Allocation::OnDemand => {}
        Allocation::Pooled => {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
            // A request's stack lives for microseconds and there are many: the default depth.
            config.max_wasm_stack(512 << 10);
            config.async_stack_size(2 << 20);
        }
    }
    Engine::new(&config).map_err(|source| EnginesError { profile, source })
}

/// The pool of an HTTP engine. Resetting memory between requests is most of what a small handler
/// costs; the three settings below take it from 43 to 11 µs of CPU a request.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.pagemap_scan(Enabled::Auto);
    pool.linear_memory_keep_resident(4 << 20);
    pool.table_keep_resident(64 << 10);
    pool.total_component_instances(POOLED_INSTANCES);
    // A component is any number of core modules, of which the pool only keeps count.
    pool.total_core_instances(u32::MAX);
    pool.total_memories(POOLED_INSTANCES * MEMORIES_PER_PLACE);
    pool.max_memories_per_module(MEMORIES_PER_PLACE);
    pool.total_tables(POOLED_INSTANCES * TABLES_PER_PLACE);
    pool.max_tables_per_module(TABLES_PER_PLACE);
    pool.table_elements(TABLE_ELEMENTS);
    pool.total_stacks(POOLED_INSTANCES);
    pool
}

/// How many places of a pool one instance of `component` takes.
pub(crate) fn places_of(component: &Component) -> u32 {
    match component.resources_required() {
        Some(needs) => {
            let memories = needs.num_memories.div_ceil(MEMORIES_PER_PLACE);
            let tables = needs.num_tables.div_ceil(TABLES_PER_PLACE);
            memories.max(tables).clamp(1, POOLED_INSTANCES - COMMAND_PLACES)
        }
        None => 1,
    }
}

/// An engine could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the WebAssembly engine ({})", profile.key())]
pub struct EnginesError {
    profile: Profile,
    #[source]
    source: wasmtime::Error,
}

/// The engines of a process, made when first needed.
///
/// Clones share them.
#[derive(Clone)]
pub struct Engines {
    shared: Arc<Shared>,
}

struct Shared {
    reservation: Reservation,
    metering: Metering,
    time: Time,
    on_new: Arc<dyn Fn(&Engine) + Send + Sync>,
    slots: [OnceLock<PlacedEngine>; 4],
    /// For guests with a budget.
    counting: OnceLock<Engines>,
}

/// The time that guests live by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Real,
    /// That of a Pod on virtual time.
    Virtual,
}

/// An engine, and the places for instances that a handler takes before it makes one: beyond the
/// pool's counts instantiating fails, and a request should wait instead.
#[derive(Clone)]
pub(crate) struct PlacedEngine {
    pub(crate) engine: Engine,
    pub(super) time: Time,
    allocation: Allocation,
    pub(crate) places: Arc<Semaphore>,
    /// The same for commands in containers.
    pub(super) places_for_commands: Arc<Semaphore>,
}

impl Engines {
    /// Engines for this process. `on_new` gets each engine once, when it is made: the place to
    /// register it for epoch ticks, without which a guest that spins never yields.
    pub fn new(on_new: impl Fn(&Engine) + Send + Sync + 'static) -> Self {
        Self::with_reservation(Reservation::detect(), on_new)
    }

    /// As [`Engines::new`], with the address space decided by the caller.
    pub fn with_reservation(
        reservation: Reservation,
        on_new: impl Fn(&Engine) + Send + Sync + 'static,
    ) -> Self {
        Self::of(reservation, Metering::Epochs, Time::Real, Arc::new(on_new))
    }

    /// Engines for guests on virtual time, which need no ticks.
    pub fn on_virtual_time(reservation: Reservation) -> Self {
        Self::of(reservation, Metering::Fuel, Time::Virtual, Arc::new(|_| {}))
    }

    /// Those beside these that count what their guests execute, made when first needed: for guests
    /// with a budget, so that no others pay for it.
    #[must_use]
    pub fn counting(&self) -> Self {
        let Shared { reservation, metering, time, on_new, counting, .. } = &*self.shared;
        match metering {
            Metering::Fuel => self.clone(),
            Metering::Epochs => {
                let make = || Self::of(*reservation, Metering::Fuel, *time, Arc::clone(on_new));
                counting.get_or_init(make).clone()
            }
        }
    }

    fn of(
        reservation: Reservation,
        metering: Metering,
        time: Time,
        on_new: Arc<dyn Fn(&Engine) + Send + Sync>,
    ) -> Self {
        let slots = [const { OnceLock::new() }; 4];
        let counting = OnceLock::new();
        Self { shared: Arc::new(Shared { reservation, metering, time, on_new, slots, counting }) }
    }

    /// How much address space each memory reserves here; compiled code must have been made for it.
    pub fn reservation(&self) -> Reservation {
        self.shared.reservation
    }

    /// How the instances of HTTP handlers get their memory here; those of other guests get it on
    /// demand.
    ///
    /// # Errors
    /// As [`Engines::engine`].
    pub fn allocation_of_handlers(&self) -> Result<Allocation, EnginesError> {
        let shape = Shape { kind: GuestKind::HttpP2, concurrency: false };
        Ok(self.placed(shape)?.allocation)
    }

    /// The engine for a guest of this shape: pooled for HTTP handlers, on demand for the rest.
    ///
    /// # Errors
    /// [`EnginesError`] where wasmtime refuses the host. A pool that does not fit into the address
    /// space is no error: the handler then runs on demand, slower.
    pub fn engine(&self, shape: Shape) -> Result<&Engine, EnginesError> {
        Ok(&self.placed(shape)?.engine)
    }

    /// As [`Engines::engine`], with its places.
    ///
    /// # Errors
    /// As [`Engines::engine`].
    pub(crate) fn placed(&self, shape: Shape) -> Result<&PlacedEngine, EnginesError> {
        let allocation = match shape.kind {
            GuestKind::HttpP2 | GuestKind::HttpP3 => match self.shared.reservation {
                Reservation::Whole => Allocation::Pooled,
                // The pool reserves address space for all its slots at once.
                Reservation::Small => Allocation::OnDemand,
            },
            GuestKind::CommandModule
            | GuestKind::CommandP2
            | GuestKind::CommandP3
            | GuestKind::ReactorModule
            | GuestKind::ReactorComponent => Allocation::OnDemand,
        };
        self.slot(self.profile(shape), allocation)
    }

    /// An engine for a handler that no pool is made for: too large a table, too many memories.
    ///
    /// # Errors
    /// As [`Engines::engine`].
    pub(crate) fn on_demand(&self, shape: Shape) -> Result<&PlacedEngine, EnginesError> {
        self.slot(self.profile(shape), Allocation::OnDemand)
    }

    fn profile(&self, shape: Shape) -> Profile {
        let Shared { reservation, metering, .. } = *self.shared;
        Profile { concurrency: shape.concurrency, reservation, metering }
    }

    fn slot(
        &self,
        profile: Profile,
        allocation: Allocation,
    ) -> Result<&PlacedEngine, EnginesError> {
        let index =
            usize::from(profile.concurrency) + 2 * usize::from(allocation == Allocation::Pooled);
        let slot = &self.shared.slots[index];
        if let Some(engine) = slot.get() {
            return Ok(engine);
        }
        let engine = match running(profile, allocation) {
            Ok(engine) => engine,
            Err(error) if allocation == Allocation::Pooled => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no room for a pool of instances: HTTP handlers start slower \
                     (raise the limit on address space, `ulimit -v`)"
                );
                return self.slot(profile, Allocation::OnDemand);
            }
            Err(error) => return Err(error),
        };
        let mut made = false;
        let engine = slot.get_or_init(|| {
            made = true;
            PlacedEngine {
                engine,
                time: self.shared.time,
                allocation,
                places: Arc::new(Semaphore::new((POOLED_INSTANCES - COMMAND_PLACES) as usize)),
                places_for_commands: Arc::new(Semaphore::new(COMMAND_PLACES as usize)),
            }
        });
        if made {
            (self.shared.on_new)(&engine.engine);
        }
        Ok(engine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_compiled_for_one_kind_of_allocation_runs_on_the_other() {
        let profile = Profile {
            concurrency: false,
            reservation: Reservation::Whole,
            metering: Metering::Epochs,
        };
        let wasm = wat::parse_str("(module (memory 1) (func (export \"_start\")))").unwrap();
        let code = profile.compiling(true).unwrap().precompile_module(&wasm).unwrap();
        for allocation in [Allocation::OnDemand, Allocation::Pooled] {
            let engine = running(profile, allocation).unwrap();
            #[expect(unsafe_code, reason = "deserialize trusts its input")]
            // SAFETY: compiled three lines above.
            let module = unsafe { wasmtime::Module::deserialize(&engine, &code) };
            assert!(module.is_ok(), "{allocation:?}: {module:?}");
        }
    }

    #[test]
    fn the_version_is_that_of_the_lock_file() {
        let lock = include_str!("../../../../Cargo.lock");
        let package = format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"\n");
        assert!(lock.contains(&package), "write its version into WASMTIME_VERSION");
    }

    #[test]
    fn each_engine_is_made_and_announced_once() {
        let announced = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = announced.clone();
        let engines = Engines::new(move |_| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        let command = Shape { kind: GuestKind::CommandP2, concurrency: false };
        let module = Shape { kind: GuestKind::CommandModule, concurrency: false };
        let asynchronous = Shape { kind: GuestKind::CommandP3, concurrency: true };
        assert!(Engine::same(engines.engine(command).unwrap(), engines.engine(module).unwrap()));
        assert!(!Engine::same(
            engines.engine(command).unwrap(),
            engines.engine(asynchronous).unwrap()
        ));
        assert_eq!(announced.load(std::sync::atomic::Ordering::Relaxed), 2);
    }
}
