//! From a reference to an image that is whole and has its name in a layout.

mod blob;
mod image;
mod manifest;
mod signed;

use wasmpod_images::fetch::Progress;

pub(crate) use blob::blocking;
pub use image::{Pulled, pull};

/// Who is told how a pull or push goes on. It is called often and must not wait. A pull tells
/// [`Progress::Begins`] first of what says that the image is one for WebAssembly, and then of all the rest.
pub type Sink<'a> = dyn Fn(Progress) + Send + Sync + 'a;
