//! Kubernetes objects as kubectl shows them. Pure: values and a `now` in, text or a table out.
//!
//! | kubectl | here |
//! |---|---|
//! | `get`, and the Tables of the API server | [`table`] |
//! | `get -o json`, `yaml`, `name`, `jsonpath=`, `custom-columns=` | [`output`] |
//! | `get --sort-by` | [`sort_by`] |
//! | `describe` | [`describe`] |
//! | `events` | [`events`] |
//! | `top pods` | [`top`] |
//! | `wait --for` | [`wait`] |
//! | `pods`, `pod/web`, `po,cm` | [`resource_args`] |
//!
//! Nothing here reads a clock, a file or a socket, and nothing knows a terminal.

mod age;
mod claim;
pub mod custom_columns;
pub mod describe;
mod escape;
pub mod events;
mod go;
mod interval;
pub mod jsonpath;
mod labels;
mod order;
pub mod output;
mod quantity;
pub mod resource_args;
mod roles;
pub mod sort_by;
mod summary;
pub mod table;
mod tabs;
pub mod top;
pub mod wait;

pub use age::HumanDuration;
pub use summary::{Restarts, Summary, summary};
