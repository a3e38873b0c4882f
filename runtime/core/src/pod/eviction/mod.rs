//! Ends a Pod that takes more of the disk, or of a volume in memory, than it may.
//!
//! Guests are not held back while they write; what they wrote is looked at now and then, off the
//! thread that the Pod's life is on, and only if something has a limit.
//!
//! Rule: the kubelet's eviction manager, which looks every ten seconds at each emptyDir, then the Pod,
//! then each container.

mod bounds;
mod in_memory;
mod sizes;

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use tokio::time::{self, Instant};

use self::bounds::{Bounds, Scope};
use self::in_memory::Charges;
use self::sizes::StoreSizes;
use super::runtime::PodRuntime;
use crate::lifecycle::{PodFailure, PodFailureReason};
use crate::worker::PodHandle;

/// The kubelet's `housekeepingInterval` of the eviction manager.
const EVERY: Duration = Duration::from_secs(10);

/// Volumes in memory are looked at more often: no file system of our own is there to refuse a write.
const IN_MEMORY: Duration = Duration::from_secs(1);

/// Looks at volumes in memory for one at everything.
const LOOKS: u32 = 10;

/// A look takes at most one part in so many of the time: trees may be huge.
const REST: u32 = 50;

/// Watches a running Pod and fails it once; to be dropped with the Pod.
pub(super) async fn evict_over_limit(runtime: &PodRuntime, handle: &PodHandle) -> Infallible {
    let bounds = Bounds::of(runtime.pod());
    if !bounds.is_empty() {
        let message = over_limit(runtime, bounds).await;
        handle.fail(PodFailure { reason: PodFailureReason::Evicted, message }).await;
    }
    pending().await
}

/// Waits for the first that is over its limit.
async fn over_limit(runtime: &PodRuntime, bounds: Bounds) -> String {
    let has_memory = bounds.has_memory();
    let mut state = (bounds, Charges::default());
    for look in 0.. {
        let begun = Instant::now();
        let scope = if look % LOOKS == 0 || !has_memory { Scope::All } else { Scope::Memory };
        // The sandbox may not be ready yet.
        if let Some(store) = runtime.current_store() {
            let (bounds, mut charges) = state;
            let looking = runtime.blocking().spawn(move || {
                let sizes = StoreSizes { store: &store };
                let exceeded = bounds.exceeded(scope, &sizes);
                charges.update(&bounds, &store);
                (exceeded, (bounds, charges))
            });
            match looking.await {
                Ok((Some(message), _)) => return message,
                Ok((None, looked)) => state = looked,
                Err(error) => {
                    tracing::warn!("cannot look at what the Pod has written: {error}");
                    state = (Bounds::of(runtime.pod()), Charges::default());
                }
            }
        }
        let every = if has_memory { IN_MEMORY } else { EVERY };
        time::sleep(every.max(begun.elapsed() * REST)).await;
    }
    unreachable!("it looks for ever")
}
