//! What the fronts need of a Store's data: its resources and its place on the Pod's network.

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};

use crate::sandbox::network::Endpoint;

/// Implemented by the data of a Store whose guest may use the Pod's network.
pub trait NetworkView: Send {
    /// The resources and the endpoint.
    fn network(&mut self) -> NetworkCtxView<'_>;
}

/// Borrowed from a Store for one call of a guest.
pub struct NetworkCtxView<'a> {
    /// Where sockets and streams live.
    pub table: &'a mut ResourceTable,
    /// The container run's place on the network.
    pub endpoint: &'a Arc<Endpoint>,
}

/// Names [`NetworkCtxView`] to wasmtime's bindings.
pub struct PodSockets;

impl HasData for PodSockets {
    type Data<'a> = NetworkCtxView<'a>;
}
