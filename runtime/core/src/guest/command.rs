//! Guests with an entry of their own: WASI 0.1 modules, commands of 0.2 and 0.3.

use std::future::poll_fn;

use wasmtime::{InstancePre, Store};
use wasmtime_wasi::{p2, p3};

use super::exit::returned;
use super::run::Failure;
use super::state::GuestState;
use crate::lifecycle::Exit;

/// Calls `_start`.
pub(crate) async fn module(
    store: &mut Store<GuestState>,
    pre: &InstancePre<GuestState>,
) -> Result<Exit, Failure> {
    let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    let start =
        instance.get_typed_func::<(), ()>(&mut *store, "_start").map_err(Failure::Instantiate)?;
    start.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
    Ok(Exit::completed())
}

/// Calls `wasi:cli/run` of 0.2.
pub(crate) async fn p2(
    store: &mut Store<GuestState>,
    pre: &p2::bindings::CommandPre<GuestState>,
) -> Result<Exit, Failure> {
    let command = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    let result = command.wasi_cli_run().call_run(&mut *store).await.map_err(Failure::Run)?;
    Ok(returned(result))
}

/// Calls `wasi:cli/run` of 0.3 and waits for the tasks that it left behind: what they write would
/// be cut off otherwise.
pub(crate) async fn p3(
    store: &mut Store<GuestState>,
    pre: &p3::bindings::CommandPre<GuestState>,
) -> Result<Exit, Failure> {
    let command = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    let result = store
        .run_concurrent(async |accessor| {
            let result = command.wasi_cli_run().call_run(accessor).await?;
            poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
            wasmtime::Result::Ok(result)
        })
        .await
        .flatten()
        .map_err(Failure::Run)?;
    Ok(returned(result))
}
