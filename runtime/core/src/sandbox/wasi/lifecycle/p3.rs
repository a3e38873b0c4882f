//! `wasmpod:lifecycle/stop` 0.3.

use wasmtime::Result;
use wasmtime::component::Accessor;

use super::bindings::p3::wasmpod::lifecycle::stop::{Host, HostWithStore, StopRequest};
use super::view::{LifecycleCtxView, PodLifecycle};
use crate::sandbox;

impl From<sandbox::StopRequest> for StopRequest {
    fn from(request: sandbox::StopRequest) -> Self {
        Self { grace: request.grace_nanoseconds(), signal: request.signal.as_ref().to_owned() }
    }
}

impl<T: Send> HostWithStore<T> for PodLifecycle {
    async fn wait(store: &Accessor<T, Self>) -> Result<StopRequest> {
        let stop = store.with(|mut view| view.get().stop.clone());
        Ok(stop.asked().await.into())
    }
}

impl Host for LifecycleCtxView<'_> {
    fn requested(&mut self) -> Result<Option<StopRequest>> {
        Ok(self.stop.request().map(StopRequest::from))
    }
}
