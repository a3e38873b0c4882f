//! `wasi:sockets/network` and `instance-network`: the handle that 0.2 asks for, and its errors.

use std::io;

use wasmtime::component::Resource;

use super::bindings::wasi::sockets::network::{ErrorCode, Host, HostNetwork};
use super::bindings::wasi::sockets::{instance_network, network};
use super::{SocketError, SocketResult};
use crate::sandbox::network::NetworkError;
use crate::sandbox::wasi::NetworkCtxView;

/// The right to use the network, which every guest of a Pod has.
pub struct NetworkHandle {
    _private: (),
}

impl Host for NetworkCtxView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        match error {
            SocketError::Code(code) => Ok(code),
            SocketError::Trap(error) => Err(error),
        }
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.table.get(&error)?;
        if let Some(error) = error.downcast_ref::<NetworkError>() {
            return Ok(Some((*error).into()));
        }
        Ok(error.downcast_ref::<io::Error>().map(|error| NetworkError::from(error).into()))
    }
}

impl HostNetwork for NetworkCtxView<'_> {
    fn drop(&mut self, handle: Resource<network::Network>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl instance_network::Host for NetworkCtxView<'_> {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<NetworkHandle>> {
        Ok(self.table.push(NetworkHandle { _private: () })?)
    }
}

impl NetworkCtxView<'_> {
    /// A call that takes a network must be given one of this Store.
    pub(super) fn check(&self, handle: &Resource<NetworkHandle>) -> SocketResult<()> {
        self.table.get(handle)?;
        Ok(())
    }
}
