//! Who is on this machine: the Pods that may receive connections, and the Services that stand for
//! them.
//!
//! [Records](crate::records) of the processes whose they are: a Pod that is no longer ready gets no
//! connection that is begun after it has said so, in whichever process. One that was killed says
//! nothing: who calls it in vain looks at once who else is dead, and others do within a second.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `record` | what is written down of a Pod and of a Service | yes |
//! | `endpoints` | which Pods a connection to a Service may go to | yes |
//! | `balance` | which of them is next | yes |
//! | `files` | the folders, publishing and reading | |

mod balance;
mod endpoints;
mod files;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use balance::Balancer;
pub(crate) use endpoints::{EndpointAddress, chosen, endpoints};
pub use files::Directory;
pub use record::{
    PodPort, PodRecord, Readiness, ServiceKind, ServicePort, ServiceRecord, ServiceTransport,
    TargetPort,
};
