//! Files of a container as an archive: out of it, into it.
//!
//! Paths are those of the container: each lies in the innermost mount around it, and nothing leads out
//! of that, as for its guest. A link is a link: it is written as it came, wherever it points, and what lies
//! behind one is reached only within its mount. An archive may come from anybody, so the entries of one
//! are read here with bounds; what is neither file, folder nor link is refused by name.
//!
//! | file | subject |
//! |---|---|
//! | `tree` | the mounts of a container as one tree |
//! | `pack` | a tree into an archive |
//! | `read` | the entries of an archive (pure but for its input) |
//! | `unpack` | an archive into a tree |
//! | `error` | what can go wrong, with the path where it did |
//!
//! All of it blocks.

mod error;
mod pack;
mod read;
#[cfg(test)]
mod tests;
mod tree;
mod unpack;

pub use error::CopyError;
pub use pack::pack;
pub use tree::{FileKind, FileStat, Tree};
pub use unpack::unpack;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files, folders and links.
    pub entries: u64,
    /// Bytes in files.
    pub bytes: u64,
    /// What was passed over, and why: only the first few are told.
    pub notes: Vec<String>,
}

/// So many notes are kept.
const NOTES: usize = 20;

/// Whose files these are, no archive says: those of the container.
const PERMISSIONS: u32 = 0o777;

impl Copied {
    fn note(&mut self, note: String) {
        if self.notes.len() < NOTES {
            self.notes.push(note);
        }
    }
}
