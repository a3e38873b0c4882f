//! Pods that live on when the command that started them has ended: kept as objects, each with a process
//! of its own, and no daemon above them.
//!
//! ```text
//! apply ──▶ object + launch + lock ──▶ process ──▶ status, events ──▶ object
//!                                        │ killed
//! next command ──▶ mend: by its last status the Pod is started again, has failed, or is forgotten
//! ```
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `launch` | what a process must know beside its Pod | yes |
//! | `lost` | what becomes of a Pod whose process is gone | yes |
//! | `lock` | whether a Pod has a process | |
//! | `start` | starting one | |
//! | `process` | being one | |
//! | `keep` | from a running Pod to its object | |
//! | `follow` | from its object, and those that it refers to, to a running Pod | |
//! | `referred` | what a Pod refers to | |
//! | `tell` | telling Pods that there is something to follow | |
//! | `foreground` | a Pod that somebody watches, as an object | |
//! | `forget` | removing what a Pod leaves | |
//! | `mend` | putting right what killed processes left | |
//! | `orphans` | what is left of a Pod that was never made, or is forgotten | |
//! | `services` | Services that are kept as objects, and the process that announces them | |
//! | `pods` | what commands call | |

mod follow;
mod foreground;
mod forget;
mod images;
mod keep;
mod launch;
mod lock;
mod lost;
mod mend;
mod orphans;
mod pods;
mod process;
mod referred;
pub mod services;
mod start;
mod tell;

pub use foreground::ForegroundPod;
pub use images::{ImagesError, find_images};
pub use launch::{Launch, Protocol, Published};
pub use lock::ProcessLock;
pub use pods::{BackgroundError, BackgroundPods};
pub use process::{Envelope, ProcessError, run};
pub use start::Starter;
