//! Services that are kept as objects: each has what it was given in its object, and one process
//! announces them all, a kube-proxy in small.
//!
//! ```text
//! apply ──▶ object, with its address and node ports ──▶ process ──▶ records, node ports
//!             │ told, by a socket                         │ killed
//!             └──────────── next command ◀────────────────┘
//! ```
//!
//! The process is there as long as there are Services. Whoever changes one tells it, and goes on when it
//! has followed: what a command has made can be reached when it ends, and what it has deleted cannot.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `allocator` | what a Service is given as it is written | |
//! | `socket` | how the process is told | |
//! | `start` | that there is a process, and that it is told | |
//! | `process` | being it | |
//! | `slices` | the endpoints of a Service, as an API server has them | yes |

mod allocator;
mod process;
mod slices;
mod socket;
mod start;

use k8s_openapi::api::core::v1::Service;
use wasmpod_objects::resource::SERVICES;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, Store, StoreError};

pub(super) use allocator::ServiceAllocator;
pub use process::{Handed, ServicesError, run};
pub use slices::endpoint_slices;
pub(crate) use socket::tell;

/// What stands in the place of a Pod's uid where the process has files: in names of its own no Pod is
/// called so.
pub(crate) const NAME: &str = "services";

/// All Services that are kept.
///
/// # Errors
/// [`StoreError`]
pub fn all(store: &Store) -> Result<Vec<Service>, StoreError> {
    Ok(store.list_as(SERVICES, Namespaces::All, &Selection::default())?.items)
}
