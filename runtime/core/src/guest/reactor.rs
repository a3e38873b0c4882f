//! Guests without an entry: instantiated, initialised, and then there until they are asked to end.

use tokio_util::sync::CancellationToken;
use wasmtime::{InstancePre, Store, component};

use super::run::Failure;
use super::state::GuestState;
use crate::lifecycle::Exit;

/// Instantiates a module and calls `_initialize`, if it has one.
pub(crate) async fn module(
    store: &mut Store<GuestState>,
    pre: &InstancePre<GuestState>,
    stop: &CancellationToken,
) -> Result<Exit, Failure> {
    let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
    }
    stop.cancelled().await;
    Ok(Exit::stopped())
}

/// Instantiates a component.
pub(crate) async fn component(
    store: &mut Store<GuestState>,
    pre: &component::InstancePre<GuestState>,
    stop: &CancellationToken,
) -> Result<Exit, Failure> {
    let _instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    stop.cancelled().await;
    Ok(Exit::stopped())
}
