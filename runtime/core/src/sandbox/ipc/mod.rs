//! What the containers of a Pod say to each other beside the network: message queues and shared segments.
//!
//! As on Linux a Pod has one of each name space, which all of its containers share and no other Pod sees.
//! What is in it outlives the container that made it, and ends with the Pod.
//!
//! | | by name | by key (System V) | as files |
//! |---|---|---|---|
//! | queues | [`MessageQueue`]: priorities | [`KeyedQueue`]: types | `/dev/mqueue` |
//! | segments | [`Segment`] | the same | `/dev/shm` |
//!
//! `queue`, `typed_queue`, `pages`, `tree` and `names` decide and touch nothing; [`PodIpc`] is all of a Pod,
//! [`RunIpc`] what one run of a container has of it. All that the host holds is paid for by the container
//! that made it hold it, and every count has a bound ([`IpcLimits`]). Who waits is a task that is woken:
//! dropping it ends the wait, and so does the stop of its container.

mod charges;
mod error;
mod files;
mod keyed_queue;
mod limits;
mod message_queue;
mod names;
mod pages;
mod pod_ipc;
mod queue;
mod quota;
mod segment;
mod spare;
mod tree;
mod typed_queue;
mod wait;
mod waiters;

pub use error::IpcError;
pub use files::{IpcFile, IpcFolder, IpcStat, Opened, Opening, QueueFile, RunIpc, SegmentFile};
pub use keyed_queue::{ChargedTypedMessage, KeyedQueue, KeyedQueueStatus};
pub use limits::IpcLimits;
pub use message_queue::{ChargedMessage, MessageQueue, QueueStatus};
pub use pod_ipc::{Creation, PodIpc};
pub use queue::{HIGHEST_PRIORITY, Message, QueueSize};
pub use segment::Segment;
pub use typed_queue::{TypedMessage, Wanted};
pub use wait::{Interrupt, Patience};
