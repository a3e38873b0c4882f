//! The Pods that live on this machine, and what each of them asks for.
//!
//! A [record](wasmpod::records) a Pod, held by its process: one that was killed counts no more from
//! that moment on, and leaves nothing that would have to be put right.

mod book;
mod record;

pub use book::Ledger;
pub use record::{ContainerRecord, PodRecord, Requests, State};
