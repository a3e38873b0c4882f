//! Guests without an entry: instantiated, initialised, and then there until they are asked to end.
//!
//! One that exports a function for its stop is called and has ended well when that returns; any
//! other has just stopped.

use wasmtime::{InstancePre, Store, component};

use super::run::Failure;
use super::state::GuestState;
use super::stop_export::{self, StopExport};
use crate::lifecycle::Exit;
use crate::sandbox::Stop;

/// Instantiates a module and calls `_initialize`, if it has one.
pub(crate) async fn module(
    store: &mut Store<GuestState>,
    pre: &InstancePre<GuestState>,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
    }
    if !stop_export::in_module(pre.module()) {
        stop.asked().await;
        return Ok(Exit::stopped());
    }
    let function = instance
        .get_typed_func::<u64, ()>(&mut *store, stop_export::OF_MODULE)
        .map_err(Failure::Instantiate)?;
    let grace = stop.asked().await.grace_nanoseconds();
    function.call_async(&mut *store, grace).await.map_err(Failure::Run)?;
    Ok(Exit::completed())
}

/// Instantiates a component.
pub(crate) async fn component(
    store: &mut Store<GuestState>,
    pre: &component::InstancePre<GuestState>,
    stop: &Stop,
    export: Option<&StopExport>,
) -> Result<Exit, Failure> {
    let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    let Some(export) = export else {
        stop.asked().await;
        return Ok(Exit::stopped());
    };
    let function = export.of(store, &instance)?;
    function.call(store, stop).await.map_err(Failure::Run)?;
    Ok(Exit::completed())
}
