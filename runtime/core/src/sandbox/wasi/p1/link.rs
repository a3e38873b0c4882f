//! All of WASI 0.1 for a module, with sockets.

use wasmtime::{AsContextMut as _, Caller, Extern, Linker, Module, Result, bail};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1 as _;
use wiggle::GuestMemory;

use super::view::{ModuleCtxView, ModuleView};
use super::{poll, sleep, sockets, stock, translate};

pub(super) const WASI: &str = "wasi_snapshot_preview1";

/// The name before the first snapshot, as old toolchains still emit it.
pub(crate) const UNSTABLE: &str = "wasi_unstable";

/// Whether a module accepts connections, and so gets listeners and needs this linker.
pub fn wants_listeners(module: &Module) -> bool {
    module.imports().any(|import| import.module() == WASI && import.name() == "sock_accept")
}

/// Links what `module` imports of WASI 0.1: the stock functions, and where it wants listeners ours
/// in place of those that take a descriptor. Leaves the linker with shadowing allowed.
///
/// # Errors
/// The engine has no room for one more type.
pub fn add_to_linker<T: ModuleView + 'static>(
    linker: &mut Linker<T>,
    module: &Module,
) -> Result<()> {
    // A module may import a function twice.
    linker.allow_shadowing(true);
    for import in module.imports().filter(|import| import.module() == WASI) {
        stock::link(linker, import.name())?;
    }
    if wants_listeners(module) {
        translate::link(linker)?;
        sockets::link(linker)?;
        poll::link(linker)?;
    }
    any_exit_code(linker, WASI)
}

/// Makes the sleeps of `module`, whose WASI is linked, wait for tokio's clock although its file
/// calls are done in place. The linker allows shadowing.
///
/// # Errors
/// As [`add_to_linker`].
pub fn sleep_on_tokios_clock<T: ModuleView + 'static>(
    linker: &mut Linker<T>,
    module: &Module,
) -> Result<()> {
    let polls = |name| {
        module.imports().any(|import| import.module() == name && import.name() == "poll_oneoff")
    };
    // With listeners it is ours already.
    if polls(WASI) && !wants_listeners(module) {
        sleep::link(linker)?;
    }
    if polls(UNSTABLE) {
        sleep::link_unstable(linker)?;
    }
    Ok(())
}

/// The stock `proc_exit` traps on codes from 126 on. A process may end with any; a shell in a guest
/// passes on 127, and restart rules count on it. The linker allows shadowing.
///
/// # Errors
/// As [`add_to_linker`].
pub fn any_exit_code<T: 'static>(linker: &mut Linker<T>, module: &str) -> Result<()> {
    linker.func_wrap(module, "proc_exit", |code: i32| -> Result<()> {
        Err(wasmtime::Error::from(I32Exit(code)))
    })?;
    Ok(())
}

/// The memory that a module exports, as every function of WASI 0.1 needs it.
pub(super) fn exported_memory<T>(caller: &mut Caller<'_, T>) -> Result<Extern> {
    match caller.get_export("memory") {
        Some(memory @ (Extern::Memory(_) | Extern::SharedMemory(_))) => Ok(memory),
        _ => bail!("missing required memory export"),
    }
}

/// The guest's memory and the state, for one call.
pub(super) fn enter<'a, T: ModuleView>(
    caller: &'a mut Caller<'_, T>,
    memory: &'a Extern,
) -> Result<(GuestMemory<'a>, ModuleCtxView<'a>)> {
    let fuel = caller.as_context_mut().hostcall_fuel();
    let (memory, view) = match memory {
        Extern::Memory(memory) => {
            let (bytes, data) = memory.data_and_store_mut(&mut *caller);
            (GuestMemory::Unshared(bytes), data.module())
        }
        Extern::SharedMemory(memory) => {
            (GuestMemory::Shared(memory.data()), caller.data_mut().module())
        }
        _ => bail!("missing required memory export"),
    };
    view.wasi.set_hostcall_fuel(fuel);
    Ok((memory, view))
}
