//! What compiled code depends on: the settings shared by the engine that compiles and the one that
//! runs. The cache of machine code is keyed by them.
//!
//! Proposals: what the `wasmtime` CLI has on by default (exceptions, gc, tail calls, memory64,
//! several memories, relaxed SIMD). Atomics are on, but a module that asks for a *shared* memory is
//! refused when it starts: wasmtime's limiter does not see shared memories, so the container's
//! memory limit would not hold.

use rustix::process::{Resource, getrlimit};
use wasmtime::Config;

/// As deep as a native thread's stack: interpreters written in C (CPython) recurse a lot, and
/// untouched pages cost nothing.
const MAX_WASM_STACK: usize = 8 << 20;

/// What host functions may use below the guest's frames.
const HOST_STACK: usize = 1 << 20;

/// Below this much address space a 4 GiB reservation for each memory is not affordable.
const AMPLE_ADDRESS_SPACE: u64 = 256 << 30;

/// How much address space each linear memory reserves.
///
/// With the whole 4 GiB reserved, compiled code needs no bounds checks; with less it has them.
/// Hence it is part of the key of compiled code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// 4 GiB for each memory: wasmtime's default.
    Whole,
    /// What the memory needs and a little to grow: for a process with a limit on its address space.
    Small,
}

impl Reservation {
    /// What this process can afford, by its limit on address space (`ulimit -v`).
    pub fn detect() -> Self {
        match getrlimit(Resource::As).current {
            Some(bytes) if bytes < AMPLE_ADDRESS_SPACE => Self::Small,
            Some(_) | None => Self::Whole,
        }
    }
}

/// What makes a guest that computes give way.
///
/// Compiled code has the checks in it: it is a part of the key of compiled code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metering {
    /// The ticks of a clock. Cheap; when one comes is chance.
    #[default]
    Epochs,
    /// A count of what was executed, the same in each run: for Pods on virtual time and containers
    /// with a budget. A loop takes up to a third longer by it.
    Fuel,
}

/// Which engine a guest runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Whether guests may interleave tasks: needed by WASI 0.3, and costs 0.9 µs a round trip.
    pub concurrency: bool,
    /// How much address space a memory reserves.
    pub reservation: Reservation,
    /// What makes its guests give way.
    pub metering: Metering,
}

impl Profile {
    /// The part of a cache key that says for which engine code was compiled.
    pub(crate) fn key(self) -> String {
        let Self { concurrency, reservation, metering } = self;
        let metering = match metering {
            Metering::Epochs => "Epochs",
            Metering::Fuel => "FuelAndEpochs",
        };
        format!("{concurrency}:{reservation:?}:{metering}")
    }

    /// The settings themselves.
    pub fn config(self) -> Config {
        let mut config = Config::new();
        // Also where fuel is counted: a guest that calls the host for ever uses hardly any.
        config.epoch_interruption(true);
        config.consume_fuel(match self.metering {
            Metering::Epochs => false,
            Metering::Fuel => true,
        });
        // For debuggers of the host alone; wasmtime's own backtraces follow frame pointers.
        config.native_unwind_info(false);
        config.concurrency_support(self.concurrency);
        config.max_wasm_stack(MAX_WASM_STACK);
        config.async_stack_size(MAX_WASM_STACK + HOST_STACK);
        match self.reservation {
            Reservation::Whole => {}
            Reservation::Small => {
                config.memory_reservation(0);
                config.memory_reservation_for_growth(1 << 20);
                config.memory_guard_size(64 << 10);
                config.memory_may_move(true);
            }
        }
        config
    }

    /// An engine that compiles and runs nothing.
    #[cfg(feature = "compiler")]
    pub(crate) fn compiling(self, parallel: bool) -> wasmtime::Result<wasmtime::Engine> {
        let mut config = self.config();
        config.parallel_compilation(parallel);
        wasmtime::Engine::new(&config)
    }
}
