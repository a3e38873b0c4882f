//! `wasi:sockets/ip-name-lookup`.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::vec;

use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::bindings::wasi::sockets::ip_name_lookup::{Host, HostResolveAddressStream};
use super::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use super::{NetworkHandle, SocketResult};
use crate::sandbox::network::NetworkError;
use crate::sandbox::wasi::NetworkCtxView;

/// The addresses of a name, or the question on its way.
pub enum ResolvedAddresses {
    /// Names of the Pod are known at once and never come here.
    Asking(Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, NetworkError>> + Send>>),
    /// What is left to be told.
    Known(Result<vec::IntoIter<IpAddr>, NetworkError>),
}

impl ResolvedAddresses {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<&mut Result<vec::IntoIter<IpAddr>, NetworkError>> {
        if let Self::Asking(question) = self {
            let answer = ready!(question.as_mut().poll(cx));
            *self = Self::Known(answer.map(Vec::into_iter));
        }
        match self {
            Self::Known(answer) => Poll::Ready(answer),
            Self::Asking(_) => Poll::Pending,
        }
    }
}

#[async_trait::async_trait]
impl Pollable for ResolvedAddresses {
    async fn ready(&mut self) {
        poll_fn(|cx| self.poll(cx).map(|_answer| ())).await;
    }
}

impl Host for NetworkCtxView<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<NetworkHandle>,
        name: String,
    ) -> SocketResult<Resource<ResolvedAddresses>> {
        self.check(&network)?;
        let pod = Arc::clone(self.endpoint.network());
        let mut addresses =
            ResolvedAddresses::Asking(Box::pin(async move { pod.resolve(&name).await }));
        // What is wrong with the name itself is told here.
        let mut now = Context::from_waker(Waker::noop());
        if let Poll::Ready(Err(error)) = addresses.poll(&mut now) {
            return Err((*error).into());
        }
        Ok(self.table.push(addresses)?)
    }
}

impl HostResolveAddressStream for NetworkCtxView<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolvedAddresses>,
    ) -> SocketResult<Option<IpAddress>> {
        let mut now = Context::from_waker(Waker::noop());
        match self.table.get_mut(&stream)?.poll(&mut now) {
            Poll::Pending => Err(ErrorCode::WouldBlock.into()),
            Poll::Ready(Ok(addresses)) => Ok(addresses.next().map(IpAddress::from)),
            Poll::Ready(Err(error)) => Err((*error).into()),
        }
    }

    fn subscribe(
        &mut self,
        stream: Resource<ResolvedAddresses>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<ResolvedAddresses>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
