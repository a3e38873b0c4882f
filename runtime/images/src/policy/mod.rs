//! Which images may run, by a file that says whose signature each of them needs.
//!
//! ```yaml
//! default: accept                     # or reject: what no pattern fits
//! images:                             # the first that fits decides
//! - pattern: ghcr.io/acme/*
//!   key: acme.pub                     # PEM, ECDSA P-256, from the file's folder; or `keys: [...]`
//! - pattern: docker.io/library/**
//!   policy: accept                    # or reject
//! ```
//!
//! A pattern is for the registry and the repository, not for the tag. `*` is any text without a `/`,
//! `**` any text.
//!
//! Signatures are those of `cosign sign --key`: the tag `sha256-<hex>.sig` in the image's repository
//! leads to a manifest whose layers are what was signed, each with its signature beside it. What was
//! signed names an image's digest and its repository: both must be the ones that are asked for, so that
//! no signature of another image, or for another name, will do. One signature of one of the keys is
//! enough.
//!
//! Pure but for reading the file and its keys: fetching signatures is for the registry's client. Not
//! known here are signatures without a key (Fulcio, Rekor) and those that hang on an image as referrers.
//!
//! Rule: sigstore's "Cosign Signature Specification"; the glob patterns of its policy controller.

mod error;
mod file;
mod key;
mod pattern;
mod signature;
#[cfg(test)]
mod tests;

pub use error::{PolicyError, Unsigned};
pub use file::{Policy, Rule, Signers};
pub use key::Key;
pub use signature::{MOST_PAYLOAD_BYTES, MOST_SIGNATURES, Signature, signature_tag, signatures};
