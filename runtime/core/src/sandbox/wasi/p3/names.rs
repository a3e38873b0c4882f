//! Names, as this Pod sees them.

use std::sync::Arc;

use wasmtime::component::Accessor;
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::{ErrorCode, Host, HostWithStore};
use wasmtime_wasi::p3::bindings::sockets::types::IpAddress;

use super::error::lookup_code;
use crate::sandbox::wasi::{NetworkCtxView, PodSockets};

impl<T: Send> HostWithStore<T> for PodSockets {
    async fn resolve_addresses(
        store: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<Vec<IpAddress>, ErrorCode>> {
        let network = store.with(|mut view| Arc::clone(view.get().endpoint.network()));
        let addresses = network.resolve(&name).await;
        Ok(addresses
            .map(|addresses| addresses.into_iter().map(IpAddress::from).collect())
            .map_err(lookup_code))
    }
}

impl Host for NetworkCtxView<'_> {}
