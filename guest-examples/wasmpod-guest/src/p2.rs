//! For components of WASI 0.2.

/// The stop of the container.
pub mod stop {
    use std::time::Duration;

    pub use wasip2::io::poll::Pollable;

    use super::bindings::wasmpod::lifecycle::stop as host;
    use crate::StopRequest;

    impl From<host::StopRequest> for StopRequest {
        fn from(host::StopRequest { signal, grace }: host::StopRequest) -> Self {
            Self { signal, grace: Duration::from_nanos(grace) }
        }
    }

    /// The stop, if it has come.
    pub fn requested() -> Option<StopRequest> {
        host::requested().map(StopRequest::from)
    }

    /// Ready as soon as the stop has come: to be waited for beside other pollables.
    pub fn subscribe() -> Pollable {
        host::subscribe()
    }

    /// Waits for the stop, and for nothing else.
    pub fn wait() -> StopRequest {
        loop {
            subscribe().block();
            if let Some(request) = requested() {
                return request;
            }
        }
    }
}

mod bindings {
    wit_bindgen::generate!({
        path: ["../../runtime/core/wit/p2/deps/io.wit", "../../runtime/core/wit/lifecycle/p2"],
        world: "wasmpod:lifecycle/imports@0.2.0",
        with: { "wasi:io/poll@0.2.12": wasip2::io::poll },
    });
}
