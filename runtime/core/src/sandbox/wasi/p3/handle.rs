//! Handles: wasmtime-wasi's type outside, our sockets inside.
//!
//! The bindings name the host types of wasmtime-wasi, which cannot be made outside of it. A
//! [`Resource`] is an index into the table with a type that exists at compile time only, and the
//! table checks what is really there at each access: so the index of one of our sockets travels
//! under their name, and this module is the only place that knows.

use wasmtime::component::{Resource, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime_wasi::p3::bindings::sockets::types;
use wasmtime_wasi::p3::sockets::{SocketError, SocketResult};

use crate::sandbox::network::{NetworkError, TcpSocket, UdpSocket};

/// A socket of ours and the type that the bindings know it by.
pub(super) trait Handle: Send + Sized + 'static {
    /// The host type of the bindings.
    type Outside: 'static;

    /// Puts the socket into the table.
    ///
    /// # Errors
    /// [`NetworkError::SocketLimit`] when the table of the Store is full; for a guest it is one
    /// limit with that of its container.
    fn push(self, table: &mut ResourceTable) -> Result<Resource<Self::Outside>, NetworkError> {
        match table.push(self) {
            Ok(resource) => Ok(Resource::new_own(resource.rep())),
            Err(_) => Err(NetworkError::SocketLimit),
        }
    }

    fn get<'a>(
        table: &'a mut ResourceTable,
        resource: &Resource<Self::Outside>,
    ) -> SocketResult<&'a mut Self> {
        table
            .get_mut(&Resource::<Self>::new_borrow(resource.rep()))
            .context("not a socket of this Pod")
            .map_err(SocketError::trap)
    }

    fn delete(
        table: &mut ResourceTable,
        resource: &Resource<Self::Outside>,
    ) -> wasmtime::Result<()> {
        table
            .delete(Resource::<Self>::new_own(resource.rep()))
            .context("not a socket of this Pod")?;
        Ok(())
    }
}

impl Handle for TcpSocket {
    type Outside = types::TcpSocket;
}

impl Handle for UdpSocket {
    type Outside = types::UdpSocket;
}
