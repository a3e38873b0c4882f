//! What processes of this machine tell each other in files: a folder with a file for each record,
//! written by the process whose it is and locked as long as that lives.
//!
//! Nobody serves such a folder. Whoever needs to know looks whether it has changed, which is a system
//! call, and reads it again if so. A process that was killed says nothing, but its locks are gone with
//! it: its records count no more, and whoever reads next removes them.
//!
//! | file | subject |
//! |---|---|
//! | `held` | publishing, and who holds what was published |
//! | `shelf` | reading what has changed, and who is dead |
//! | `alone` | keeping others out for a while |
//! | `changes` | waiting until there is something new |
//! | `told` | what the kernel tells of: changes, ends of processes |

mod alone;
mod changes;
mod held;
mod shelf;
#[cfg(test)]
mod tests;
mod told;

pub use alone::{Alone, alone, is_still_at, try_alone};
pub use changes::Changes;
pub use held::{Held, make_folder};
pub use shelf::{Records, Shelf};
pub use told::Process;
