//! Kubernetes Events: what happened to a Pod, in the words that Kubernetes uses.
//!
//! What is worth an Event is decided in [`lifecycle`](crate::lifecycle); how equal ones are counted
//! and how long they are kept, here.

mod pod_event;
mod recorder;

pub use pod_event::{Involved, PodEvent, Reason, Severity};
pub use recorder::{Recorded, Recorder};
