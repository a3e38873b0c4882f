//! What a terminal or an event shows of a pull.

use wasmpod_images::digest::Digest;

/// Who is told how a pull or push goes on. It is called often and must not wait.
pub type Sink<'a> = dyn Fn(Progress) + Send + Sync + 'a;

/// What happened. A pull tells [`Progress::Begins`] first of what says that
/// the image is one for WebAssembly, and then of all the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Content of this digest and size in bytes is wanted.
    Begins {
        /// Which.
        digest: Digest,
        /// Bytes.
        size: u64,
    },
    /// So much of it is here (there, for a push). It can be less than before, when it has to come
    /// anew.
    At {
        /// Which.
        digest: Digest,
        /// Bytes.
        bytes: u64,
    },
    /// Somebody else fetches it.
    Waits {
        /// Which.
        digest: Digest,
    },
    /// It is here and right.
    Done {
        /// Which.
        digest: Digest,
        /// Whether it was there before.
        present: bool,
    },
}
