//! HTTP handlers: components that answer requests and have no loop of their own.
//!
//! The container listens on its port for them and calls them once a request, each time in a fresh
//! instance unless the Pod asks for reuse. One task serves one connection, on the container's
//! account; the guest is polled **in that task**, first for the response's head and then by the
//! response's body, so that a request costs neither a task nor a wake-up of its own, and a client
//! that goes away takes its guest along. (Measured against a task a request: 18 µs of CPU in place
//! of 26, and streams twice as fast.)
//!
//! ```text
//! listen ─▶ accept ─▶ connection ─▶ request ─▶ call in an instance ─▶ head ─▶ body ─▶ end
//!    │                    └── many, a task each            └── trap, timeout: 500, 504
//!    └─ stop: refuse, finish what was begun, end with 0
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `settings` | port, reuse and timeout from the manifest (pure) |
//! | `serve` | the run: listening, accepting, stopping |
//! | `connection`, `protocol` | one connection: HTTP/1.1, or HTTP/2 by prior knowledge |
//! | `request` | one request: until the head of its response |
//! | `call` | the guest's part of it, for 0.2 and 0.3 |
//! | `body` | the response's body, which drives the guest on |
//! | `instance` | instances, fresh and reused |
//! | `handler` | what the requests of a container share |
//! | `deadline`, `timer`, `crowd` | timers that cost little while they do not fire; tasks and their owner |

mod body;
mod call;
mod connection;
mod crowd;
mod deadline;
mod handler;
mod instance;
mod protocol;
mod request;
mod serve;
mod settings;
#[cfg(test)]
mod tests;
mod timer;

pub(crate) use serve::serve;
pub use settings::HttpSettings;
