//! Verbs about the objects of this machine, as kubectl has them.
//!
//! | file | subject |
//! |---|---|
//! | `apply`, `create`, `get`, `describe`, `delete`, `wait`, `events`, `top`, `mark`, `replace`, `edit`, `diff` | a verb each |
//! | `desired` | the objects that manifests describe |
//! | `chosen` | the objects that arguments name |
//! | `launch` | what options say of a Pod's process |
//! | `until`, `ready` | waiting for something, and for Pods |
//! | `machine` | the store and the Pods behind it |

pub(crate) mod apply;
mod chosen;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod desired;
pub(crate) mod diff;
pub(crate) mod duration;
pub(crate) mod edit;
pub(crate) mod events;
pub(crate) mod get;
mod launch;
pub(crate) mod machine;
pub(crate) mod mark;
pub(crate) mod patch;
mod ready;
pub(crate) mod replace;
mod resize;
pub(crate) mod top;
mod until;
pub(crate) mod wait;
