//! Images of WebAssembly: what they are called, how the world stores them, and where they lie here.
//!
//! No network and no engine: the registry's client and the Pod build upon it.

pub mod archive;
pub mod artifact;
pub mod digest;
pub mod fetch;
pub mod layout;
pub mod pack;
pub mod policy;
pub mod reference;
pub mod rootfs;
mod shown;
