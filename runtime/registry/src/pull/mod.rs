//! From a reference to an image that is whole and has its name in a layout.

mod blob;
mod image;
mod manifest;
mod progress;
mod signed;

pub(crate) use blob::blocking;
pub use image::{Pulled, pull};
pub use progress::{Progress, Sink};
