//! Verbs about the objects of this machine, as kubectl has them.
//!
//! | file | subject |
//! |---|---|
//! | `apply`, `create`, `get`, `describe`, `delete`, `wait` | a verb each |
//! | `desired` | the objects that manifests describe |
//! | `chosen` | the objects that arguments name |
//! | `launch` | what options say of a Pod's process |
//! | `ready` | when a Pod is |
//! | `machine` | the store and the Pods behind it |

pub(crate) mod apply;
mod chosen;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod desired;
pub(crate) mod duration;
pub(crate) mod get;
mod launch;
pub(crate) mod machine;
mod ready;
pub(crate) mod wait;
