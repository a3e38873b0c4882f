//! `wasmpod:lifecycle`: how a guest learns of its stop, by the means that each WASI has: a pollable
//! for 0.2, an async function for 0.3, a plain question for modules of 0.1, which cannot wait for
//! anything but time and descriptors.
//!
//! The exports by which a guest may be told are called by [`guest`](crate::guest).

pub mod bindings;
mod link;
mod p1;
mod p2;
mod p3;
mod view;

pub use link::{link_interface_p2, link_interface_p3};
pub use p1::link_module;
pub use view::{LifecycleCtxView, LifecycleView, PodLifecycle};
