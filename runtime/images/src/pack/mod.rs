//! An image made from local files.
//!
//! The same files give the same digest, on any machine and at any time: names are sorted, owners are
//! nobody in particular, and times are those of `SOURCE_DATE_EPOCH` or 1970.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use oci_spec::image::{Descriptor, MediaType};
//! use wasmpod_images::digest::Digest;
//! use wasmpod_images::pack::{Blobs, Form, Pack, PackError};
//!
//! struct Memory(HashMap<Digest, Vec<u8>>);
//!
//! impl Blobs for Memory {
//!     fn put(&mut self, media_type: MediaType, bytes: &[u8]) -> std::io::Result<Descriptor> {
//!         let digest = Digest::sha256(bytes);
//!         self.0.insert(digest.clone(), bytes.to_vec());
//!         Ok(Descriptor::new(media_type, bytes.len() as u64, digest.to_oci()))
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let module = folder.path().join("hello.wasm");
//! # std::fs::write(&module, b"\0asm\x01\0\0\0")?;
//! let mut blobs = Memory(HashMap::new());
//! let manifest = Pack::new(&module).form(Form::Artifact).write(&mut blobs)?;
//! assert_eq!(blobs.0.len(), 3, "the module, its config and the manifest");
//! assert_eq!(manifest.media_type(), &MediaType::ImageManifest);
//! # Ok(())
//! # }
//! ```
//!
//! Rule: CNCF's "Wasm OCI Artifact layout" and the OCI image specification; "SOURCE_DATE_EPOCH" of
//! reproducible-builds.org.

mod artifact;
mod container;
mod error;
mod files;
mod input;
#[cfg(test)]
mod tests;

pub use error::PackError;
pub use input::{Form, Pack};

use std::io;

use oci_spec::image::{Descriptor, MediaType};

use crate::layout::Pin;

/// Where the blobs of an image go.
pub trait Blobs {
    /// Stores these bytes, and answers by what they are called.
    ///
    /// # Errors
    /// They cannot be stored.
    fn put(&mut self, media_type: MediaType, bytes: &[u8]) -> io::Result<Descriptor>;
}

/// Into a layout, where the pin keeps them until the image has its name.
impl Blobs for &Pin {
    fn put(&mut self, media_type: MediaType, bytes: &[u8]) -> io::Result<Descriptor> {
        let digest = Pin::put(self, bytes).map_err(io::Error::other)?;
        Ok(Descriptor::new(media_type, bytes.len() as u64, digest.to_oci()))
    }
}
