//! A reference in, runnable machine code out.
//!
//! [`ImageSource`] turns `image:` into a file, [`CodeCache`] turns the file into machine code:
//! from the cache, or compiled once by a [`Compiler`]. [`GuestKind`] says what the code is.

mod cache;
mod compile;
pub(crate) mod digest;
mod error;
mod file;
mod identity;
mod kind;
mod profile;
#[cfg(feature = "compiler")]
mod recognise;
mod reference;

pub use cache::{CacheError, Code, CodeCache, CodeUsage, remove_unused_code};
#[cfg(feature = "compiler")]
pub use compile::compile_child;
pub use compile::{Compiler, Confinement};
pub use error::{ImageError, ImageErrorReason};
pub use file::ImageFile;
pub(crate) use identity::FileIdentity;
pub(crate) use kind::family;
pub use kind::{GuestKind, KindError, Shape};
pub use profile::{Metering, Profile, Reservation};
pub use reference::{ImageSource, PullPolicy};
