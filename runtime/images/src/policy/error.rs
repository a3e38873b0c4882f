//! Why a policy cannot be used, and why a signature does not count.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;

/// The file cannot be used: nothing is accepted by a policy that nobody understands.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The file, or a key that it names.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no YAML, or has keys that nobody knows.
    #[error("{0}")]
    Syntax(String),
    /// It would never fit, or not what its author thinks.
    #[error("images[{index}].pattern: {pattern:?} {problem}")]
    Pattern {
        /// Its place.
        index: usize,
        /// As it is written.
        pattern: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// Nothing, or more than one thing, is said of what fits the pattern.
    #[error("images[{index}]: needs one of key, keys and policy")]
    Rule {
        /// Its place.
        index: usize,
    },
    /// It is none of cosign's keys.
    #[error(
        "{} is no public key in PEM of ECDSA P-256, as `cosign generate-key-pair` makes it",
        path.display()
    )]
    Key {
        /// The file.
        path: PathBuf,
    },
}

/// A signature does not say that the image may run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// None of the keys made it.
    #[error("its signature is of none of the keys")]
    OtherKey,
    /// What was signed is nothing that cosign signs.
    #[error("what was signed is no image: {0}")]
    NoImage(String),
    /// It is for another image.
    #[error("the signature is for {0}")]
    OtherImage(Digest),
    /// It is for the same image of another repository.
    #[error("the signature is for the repository {0}")]
    OtherRepository(String),
}
