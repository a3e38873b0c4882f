//! A reference in, runnable machine code out.
//!
//! [`ImageSource`] says what `image:` means, a file or a name. An [`ImageStore`] has the images that are
//! named, and a [`Fetcher`] brings those that it has not. [`CodeCache`] turns a file into machine code:
//! from the cache, or compiled once by a [`Compiler`]. [`GuestKind`] says what the code is.

mod cache;
mod child_program;
mod compile;
mod contents;
pub(crate) mod digest;
mod error;
mod fetcher;
mod file;
mod identity;
mod kind;
mod profile;
#[cfg(feature = "compiler")]
mod recognise;
mod source;
mod stored;

pub use cache::{CacheError, Code, CodeCache, CodeUsage, remove_unused_code};
pub use child_program::ChildProgram;
#[cfg(feature = "compiler")]
pub use compile::compile_child;
pub use compile::{Compiler, Confinement, DescribeError, Description, Item};
pub use contents::{Contents, ProgramFile};
pub use error::{ImageError, ImageErrorReason};
pub use fetcher::Fetcher;
pub use file::ImageFile;
pub(crate) use identity::FileIdentity;
pub(crate) use kind::family;
pub use kind::{GuestKind, KindError, Shape};
pub use profile::{Metering, Profile, Reservation};
pub use source::{ImageSource, Meant};
pub use stored::ImageStore;
pub(crate) use stored::{LocalImage, Pins, WantedImage};
pub use wasmpod_images::fetch;
pub use wasmpod_images::reference::{PullPolicy, Reference};
pub(crate) use wasmpod_images::rootfs::Root;
