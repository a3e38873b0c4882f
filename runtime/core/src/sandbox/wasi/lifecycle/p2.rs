//! `wasmpod:lifecycle/stop` 0.2.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::bindings::p2::wasmpod::lifecycle::stop::{Host, StopRequest};
use super::view::LifecycleCtxView;
use crate::sandbox::{self, Stop};

impl From<sandbox::StopRequest> for StopRequest {
    fn from(request: sandbox::StopRequest) -> Self {
        Self { grace: request.grace_nanoseconds(), signal: request.signal.as_ref().to_owned() }
    }
}

#[async_trait::async_trait]
impl Pollable for Stop {
    async fn ready(&mut self) {
        self.asked().await;
    }
}

impl Host for LifecycleCtxView<'_> {
    fn requested(&mut self) -> Result<Option<StopRequest>> {
        Ok(self.stop.request().map(StopRequest::from))
    }

    fn subscribe(&mut self) -> Result<Resource<DynPollable>> {
        let stop = self.table.push(self.stop.clone())?;
        subscribe(self.table, stop)
    }
}
