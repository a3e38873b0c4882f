//! From a reference to an image that is whole and has its name in a layout.

mod blob;
mod choice;
mod image;
mod manifest;
mod progress;

pub(crate) use blob::blocking;
pub use choice::{Choose, default_choice};
pub use image::{Pulled, pull};
pub use progress::{Progress, Sink};
