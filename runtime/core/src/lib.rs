//! A Pod of WebAssembly containers: a Kubernetes Pod manifest in, an exit code out.
//!
//! An import points down this list or sideways inside a folder, never up.

pub mod pod;
pub mod worker;

pub mod guest;
pub mod lifecycle;
mod probe;

pub mod image;
pub mod logs;
pub mod resources;
pub mod sandbox;

pub mod executor;

pub mod error;
pub mod event;
mod private_folder;
pub mod records;
pub use wasmpod_manifest as manifest;
