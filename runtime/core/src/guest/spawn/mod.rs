//! Processes for the toolbox: what its shell needs of a kernel.
//!
//! WebAssembly has neither fork nor exec. The toolbox, and nothing else, gets functions in their place
//! (module `wasmpod_process`, [`link()`]): each process is an instance of its own in a task on the
//! container's account, so its CPU time and its linear memory count as the container's.
//!
//! ```text
//! exec ─▶ toolbox (the root) ─fork─▶ toolbox: a new instance with a copy of the memory
//!              │                        └─ enters at `wasmpod_child`, with what it was handed
//!              └─────────────spawn─▶ an export, a file or the program of the container itself
//! ```
//!
//! All processes of one exec are a [`Session`]. It holds no more than 64 of them, ends with its root,
//! whatever still runs then, and takes Ctrl-C ([`Interrupts`]). Between them are [`pipe`]s: bounded, on
//! the container's memory, and with the end of a process that writes to nobody.
//!
//! | file | subject |
//! |---|---|
//! | `session`, `table` | who runs, who waits for whom, the bounds |
//! | `end`, `handles`, `pipe` | what a process reads and writes |
//! | `fork`, `program`, `root` | how a process begins |
//! | `link`, `memory`, `network` | the functions as the toolbox calls them |
//! | `interrupt` | Ctrl-C |

mod end;
mod fork;
mod handles;
mod interrupt;
mod link;
mod memory;
mod network;
mod pipe;
mod process;
mod program;
mod root;
mod session;
mod table;

pub use interrupt::Interrupts;
pub(crate) use link::{TOOLS, link};
pub(crate) use process::Process;
pub(super) use root::run;
