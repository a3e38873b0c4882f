//! Services of this machine: announced by whoever runs their manifest, or kept as objects and announced
//! by a process for all of them, for as long as that lives.
//!
//! There is nobody to ask for a name, an address or a port: whoever gives one away looks, alone, at
//! what others hold and at what kept ones have.
//!
//! Rule: the allocators of the Kubernetes API server; the words of errors are its own.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `record` | a Service as others see it | yes |
//! | `allocate` | addresses and ports for Services, none of them twice | |
//! | `announce` | the Services of a command | |
//! | `allocate_kept` | the same for one that is kept as an object, written into it | |
//! | `steps` | from what is announced to what is wanted | yes |
//! | `kept` | the kept Services, announced | |

mod allocate;
mod allocate_kept;
mod announce;
mod error;
mod kept;
mod record;
mod steps;

pub use allocate_kept::{Allocation, allocate_kept};
pub use announce::{AnnouncedPort, Services};
pub use error::ServiceError;
pub use kept::KeptServices;
