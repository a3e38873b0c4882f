//! Guests with an entry of their own: WASI 0.1 modules, commands of 0.2 and 0.3.

use std::future::poll_fn;
use std::pin::pin;

use wasmtime::{InstancePre, Store};
use wasmtime_wasi::{p2, p3};

use super::exit::returned;
use super::run::Failure;
use super::state::GuestState;
use super::stop_export::StopExport;
use crate::lifecycle::Exit;
use crate::sandbox::Stop;

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
/// be cut off otherwise. Meanwhile `export`, if there is one, is called when the stop comes.
pub(crate) async fn p3(
    store: &mut Store<GuestState>,
    pre: &p3::bindings::CommandPre<GuestState>,
    stop: &Stop,
    export: Option<&StopExport>,
) -> Result<Exit, Failure> {
    let instance =
        pre.instance_pre().instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    let command =
        p3::bindings::Command::new(&mut *store, &instance).map_err(Failure::Instantiate)?;
    let told = export.map(|export| export.of(store, &instance)).transpose()?;
    let result = store
        .run_concurrent(async |accessor| {
            let running = async {
                let result = command.wasi_cli_run().call_run(accessor).await?;
                poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
                wasmtime::Result::Ok(result)
            };
            let Some(told) = told else { return running.await };
            let mut running = pin!(running);
            tokio::select! {
                biased;
                result = &mut running => return result,
                told = told.call_beside(accessor, stop) => told?,
            }
            running.await
        })
        .await
        .flatten()
        .map_err(Failure::Run)?;
    Ok(returned(result))
}
