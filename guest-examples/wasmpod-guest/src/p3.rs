//! For components of WASI 0.3.

/// The stop of the container.
pub mod stop {
    use std::time::Duration;

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

    /// Waits for the stop.
    pub async fn wait() -> StopRequest {
        host::wait().await.into()
    }
}

mod bindings {
    wit_bindgen::generate!({
        path: "../../runtime/core/wit/lifecycle/p3",
        world: "wasmpod:lifecycle/imports@0.3.0",
    });
}
