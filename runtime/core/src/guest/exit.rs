//! How the end of a guest becomes the end of a run.

use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::FuelTank;
use super::engine::EnginesError;
use super::limiter::MemoryLimiter;
use crate::lifecycle::Exit;
use crate::resources::memory::OutOfMemory;
use crate::sandbox::wasi::p1::ListenError;

/// How many frames of a trap go into the message; the innermost tell the most.
const FRAMES: usize = 3;

/// Why a run did not get as far as running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No engine.
    #[error(transparent)]
    Engine(#[from] EnginesError),
    /// The compiled code was refused; compiled again, it may be accepted.
    #[error("the compiled code {path} cannot be loaded: {source:#}")]
    Load {
        /// The file in the cache.
        path: String,
        /// The engine's reason.
        source: wasmtime::Error,
    },
    /// An import that nobody provides, or with another type.
    #[error("cannot link: {0:#}")]
    Link(wasmtime::Error),
    /// Nothing to run in it.
    #[error("it exports nothing: neither `_start` nor a function that others could call")]
    NoExports,
    /// A mount.
    #[error("cannot open the directory for {path}: {source:#}")]
    Directory {
        /// Where the guest would have seen it.
        path: String,
        /// Why.
        source: wasmtime::Error,
    },
    /// A declared port, for a module that accepts connections.
    #[error("{0}: {source}", source = .0.source)]
    Listen(#[from] ListenError),
    /// Too large a memory, no address space.
    #[error("cannot instantiate: {0:#}")]
    Instantiate(wasmtime::Error),
}

impl From<StartError> for Exit {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoExports => Self::missing_export(error.to_string()),
            StartError::Engine(_)
            | StartError::Load { .. }
            | StartError::Link(_)
            | StartError::Directory { .. }
            | StartError::Listen(_)
            | StartError::Instantiate(_) => Self::start_error(error.to_string()),
        }
    }
}

/// The end of a guest that returned.
pub(crate) fn returned(result: Result<(), ()>) -> Exit {
    match result {
        Ok(()) => Exit::completed(),
        Err(()) => Exit::failed(),
    }
}

/// The limits of a Store.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'store> {
    pub(crate) memory: &'store MemoryLimiter,
    pub(crate) fuel: Option<&'store FuelTank>,
}

/// The end of a guest that was broken off while it ran: `proc_exit`, a trap, a memory limit that
/// kills, or a budget that is used up.
pub(crate) fn broken_off(error: &wasmtime::Error, limits: Limits<'_>) -> Exit {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return Exit::with_code(*code);
    }
    if let Some(out_of_memory) = error.downcast_ref::<OutOfMemory>() {
        return Exit::out_of_memory(out_of_memory.to_string());
    }
    if let (Some(Trap::OutOfFuel), Some(fuel)) = (error.downcast_ref(), limits.fuel) {
        let budget = fuel.budget();
        return Exit::fuel_exhausted(format!("the budget of {budget} units of fuel is used up"));
    }
    let mut message = describe(error);
    // The engine has no type for it, and its words alone help nobody.
    if message.contains("handle limit exceeded") {
        message += "\nit has as many open files, sockets and streams as one container may";
    }
    // Most guests answer a refused allocation with `unreachable`, which alone explains nothing.
    if let Some(denied) = limits.memory.denied() {
        message += &format!("\nbefore: {denied}");
    }
    Exit::trapped(message)
}

/// The end of a guest whose instantiation failed: its own start function may have run by then.
pub(crate) fn not_instantiated(error: wasmtime::Error, limits: Limits<'_>) -> Exit {
    let its_own_doing = error.is::<I32Exit>() || error.is::<OutOfMemory>();
    if its_own_doing || error.is::<WasmBacktrace>() {
        return broken_off(&error, limits);
    }
    let mut text = StartError::Instantiate(error).to_string();
    if let Some(denied) = limits.memory.denied() {
        text += &format!("; {denied}");
    } else if text.contains("shared memory") {
        text = "it has a shared memory, which is not supported: the container's memory limit \
                would not hold for it; build it without threads"
            .to_owned();
    } else if text.contains("failed to reserve") || text.contains("mmap") {
        text += "; each WebAssembly memory reserves address space: raise its limit (`ulimit -v`) \
                 or that of mappings (`vm.max_map_count`)";
    }
    Exit::start_error(text)
}

/// The reason and the innermost frames.
fn describe(error: &wasmtime::Error) -> String {
    let mut text = error.root_cause().to_string();
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames);
    for frame in frames.into_iter().flatten().take(FRAMES) {
        let function = match frame.func_name() {
            Some(name) => name.to_owned(),
            None => format!("function {}", frame.func_index()),
        };
        text += "\n  at ";
        if let Some(module) = frame.module().name() {
            text += module;
            text.push('!');
        }
        text += &function;
    }
    text
}
