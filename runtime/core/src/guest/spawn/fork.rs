//! A process that goes on where another is.
//!
//! The machine's own stack cannot be copied, but all else can: the child is a new instance whose linear
//! memory is a copy of the parent's. It does not return from the call; it enters at an export, with a
//! number that the parent gave: the address of what it is to do.

use std::io;
use std::sync::Arc;

use wasmtime::{Caller, Extern, Memory};
use wasmtime_wasi::p1::types::Errno;

use super::end::End;
use super::handles::Handles;
use super::process::Process;
use super::session::Session;
use super::table::Pid;
use crate::guest::program::Entry;
use crate::guest::run::Failure;
use crate::guest::state::GuestState;
use crate::guest::stdio::Output;
use crate::guest::wasi::WasiSetup;
use crate::lifecycle::Exit;

/// Where a child enters: `(i32) -> i32`, its code.
const ENTRY: &str = "wasmpod_child";

/// What a tool may have open: each is a descriptor of the Pod's process, and there are many tools.
const HANDLES: usize = 64;

/// Begins a child of the caller, with these of its handles.
///
/// # Errors
/// `again` when there are too many processes, `nomem` when the container has no memory for it.
pub(super) async fn fork(
    caller: &mut Caller<'_, GuestState>,
    job: i32,
    keep: &[i32],
    background: bool,
) -> Result<Pid, Errno> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(Errno::Fault);
    };
    let process = caller.data().process()?;
    let (session, parent) = (Arc::clone(&process.session), process.pid);
    let handles = process.handles.only(keep);
    let make = |pid| make(&session, pid, handles, caller, memory, job);
    session.begin(parent, background, make).await
}

/// The child, as a future for its code.
async fn make(
    session: &Arc<Session>,
    pid: Pid,
    handles: Handles,
    parent: &mut Caller<'_, GuestState>,
    memory: Memory,
    job: i32,
) -> Result<impl Future<Output = u8> + Send + 'static, Errno> {
    let stderr = handles.get(2).cloned();
    let setup = setup(parent.data(), pid, &handles)?;
    let mut state = GuestState::new(Arc::new(setup));
    state.set_process(Process { session: Arc::clone(session), pid, handles });
    let program = &session.toolbox.shared;
    let Entry::CommandModule(entry) = &program.entry else { return Err(Errno::Noexec) };
    let mut store = state.into_store(&program.engine).map_err(|_| Errno::Nomem)?;
    // What is refused here is memory.
    let instance = entry.instantiate_async(&mut store).await.map_err(|_| Errno::Nomem)?;
    let own = instance.get_memory(&mut store, "memory").ok_or(Errno::Fault)?;
    let missing = memory.size(&mut *parent).saturating_sub(own.size(&store));
    own.grow_async(&mut store, missing).await.map_err(|_| Errno::Nomem)?;
    let bytes = memory.data(&*parent);
    own.data_mut(&mut store)[..bytes.len()].copy_from_slice(bytes);
    let entry =
        instance.get_typed_func::<i32, i32>(&mut store, ENTRY).map_err(|_| Errno::Noexec)?;
    let session = Arc::clone(session);
    Ok(async move {
        let exit = match entry.call_async(&mut store, job).await {
            Ok(code) => Exit::with_code(code),
            Err(error) => Failure::Run(error).into_exit(&store),
        };
        // What it read and wrote closes first: others wait for that.
        drop(store);
        if let Ok(stderr) = stderr {
            session.explain(&exit, &stderr).await;
        }
        exit.code
    })
}

/// Its context is the parent's: only a panic uses the standard streams of WASI.
fn setup(parent: &GuestState, pid: Pid, handles: &Handles) -> Result<WasiSetup, Errno> {
    let stderr: Arc<dyn Output> = match handles.get(2) {
        Ok(End::Output { output, .. }) => Arc::clone(output),
        Ok(_) | Err(_) => Arc::new(Nowhere),
    };
    let run = format!("{}/{pid}", parent.process()?.session.spec.run);
    Ok(parent.setup().beside(run, [Arc::new(Nowhere), stderr], HANDLES))
}

struct Nowhere;

impl Output for Nowhere {
    fn write(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}
