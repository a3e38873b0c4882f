//! Who is on this machine: the Pods that may receive connections, and the Services that stand for
//! them.
//!
//! A folder with a file for each, written by the process whose it is and locked as long as that
//! lives: a process that was killed has withdrawn its own. Nobody serves it and nobody watches it;
//! whoever needs to know looks whether the folder has changed, which is a system call, and reads it
//! again if so. So a Pod that is no longer ready gets no connection that is begun after it has said
//! so, in whichever process.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `record` | what is written down of a Pod and of a Service | yes |
//! | `endpoints` | which Pods a connection to a Service may go to | yes |
//! | `balance` | which of them is next | yes |
//! | `files` | the files, their locks, their changes | |

mod balance;
mod endpoints;
mod files;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use balance::Balancer;
pub(crate) use endpoints::{EndpointAddress, endpoints};
pub(crate) use files::Held;
pub use files::{Directory, Known};
pub use record::{
    PodPort, PodRecord, Readiness, ServiceKind, ServicePort, ServiceRecord, ServiceTransport,
    TargetPort,
};
