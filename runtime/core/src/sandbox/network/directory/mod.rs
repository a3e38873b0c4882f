//! Who is on this machine: the Pods that may receive connections, and the Services that stand for
//! them.
//!
//! A folder with a file for each, written by the process whose it is and locked as long as that
//! lives. Nobody serves it and nobody watches it; whoever needs to know looks whether the folder has
//! changed, which is a system call, and reads it again if so. So a Pod that is no longer ready gets no
//! connection that is begun after it has said so, in whichever process. One that was killed says
//! nothing: who calls it in vain looks at once who else is dead, and others do within a second.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `record` | what is written down of a Pod and of a Service | yes |
//! | `endpoints` | which Pods a connection to a Service may go to | yes |
//! | `balance` | which of them is next | yes |
//! | `files` | publishing, and who holds what was published | |
//! | `shelf` | reading what has changed, and who is dead | |

mod balance;
mod endpoints;
mod files;
mod record;
mod shelf;
#[cfg(test)]
mod tests;

pub(crate) use balance::Balancer;
pub(crate) use endpoints::{EndpointAddress, chosen, endpoints};
pub(crate) use files::Held;
pub use files::{Directory, Records};
pub use record::{
    PodPort, PodRecord, Readiness, ServiceKind, ServicePort, ServiceRecord, ServiceTransport,
    TargetPort,
};
