//! The world of an end-to-end test: a state folder, a manifest, the real `wasmpod` binary, real
//! guests. Nothing here knows the insides of the product.

mod binaries;
mod http;
mod manifest;
mod process;
mod world;

pub(crate) use binaries::{checkout, guest, guest_of_0_1, wasmpod};
pub(crate) use http::{free_port, request};
pub(crate) use manifest::PodText;
pub(crate) use process::{Finished, Invocation, Running, eventually};
pub(crate) use world::World;
