//! What happens when the machine runs short of memory: whoever is furthest above what it requested
//! gives back what it holds, before the kernel takes it from somebody at random.
//!
//! One of the Pods' processes watches for all; when it dies the next one does. By default it is a
//! container that ends, as OOMKilled, and starts again by its restart policy; the kubelet's way, where
//! the whole Pod fails, is there for who asks for it. Nobody that uses no more than it requested is ever
//! touched.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `threshold` | how little is too little | yes |
//! | `rank` | who goes first | yes |
//! | `message` | the words | yes |
//! | `watch` | whether somebody goes now, and when to look again | yes |
//! | `signal` | how much there is | |
//! | `usage` | how much each Pod uses | |
//! | `watcher` | who watches, and the watching | |

mod message;
mod rank;
mod signal;
mod threshold;
mod usage;
mod watch;
mod watcher;

pub use rank::{Policy, Victim, rank};
pub use threshold::{Threshold, ThresholdError};
pub use usage::{ContainerUsage, PodUsage};
pub use watch::{Memory, Observation, Order, Watch};
pub use watcher::Settings;
pub(crate) use watcher::watch;
