//! A client at a container's streams: a command of its own in it ([`exec`]), or its run ([`attach`]).
//!
//! | file | subject |
//! |---|---|
//! | `exec` | a command |
//! | `attach` | the run itself |
//! | `audience` | everybody who listens to a run |
//! | `streams` | the streams that a run begins with |
//! | `queue` | output on its way to a client |
//! | `ends` | what a client writes, reads and waits for |
//! | `terminal` | what a terminal changes for a guest |
//! | `error` | why there is no such session |
//!
//! A client that reads slowly holds back its own command, and nobody else: an attached one is cut off
//! when too much waits for it, and told so.

mod attach;
mod audience;
mod ends;
mod error;
mod exec;
mod queue;
mod streams;
mod terminal;

pub use ends::{Session, SessionEnd, SessionInput, SessionOutput};
pub use error::SessionError;
pub use exec::ExecRequest;

pub(super) use attach::Attachment;
pub(super) use audience::Audience;
pub(super) use streams::{Carriers, RunStreams};
pub(super) use terminal::{set_terminal_variables, until_interrupted, until_signalled};
