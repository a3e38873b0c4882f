//! The Pod worker: feeds events to [`lifecycle`](crate::lifecycle) and carries its actions out. It
//! decides nothing.

mod clock;
mod handle;
mod pod_worker;
mod runtime;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use handle::PodHandle;
pub use pod_worker::{Finished, Worker};
pub use runtime::{ContainerRuntime, Run, RunControl};
