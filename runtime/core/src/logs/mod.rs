//! Container logs in the CRI format: write, rotate, read, follow.
//!
//! One run of a container has one file, `<root>/pods/<namespace>_<pod>_<uid>/<container>/<restart>.log`,
//! which holds both of its streams in the order in which the guest wrote them. A line there is
//! `<RFC 3339 time with nanoseconds> stdout|stderr F|P <text>`; `P` marks a piece of a line that
//! is longer than 16 KiB (or that the guest never ended).
//!
//! - [`LogWriter`] takes a guest's bytes, forms lines, writes and rotates the file, and shows each
//!   line to a [`LogSink`] (the terminal).
//! - [`LogQueue`] is the sink for a printer that may be slower than the guests.
//! - [`read()`] and [`Follower`] give lines back, across rotated files.
//!
//! Rule: the kubelet's `containerLogMaxSize` (10Mi) and `containerLogMaxFiles` (5), the CRI log
//! format, and containerd's limit of 16 KiB a line.

mod format;
mod line;
mod path;
mod prune;
mod queue;
mod read;
mod rotate;
mod sink;
mod writer;

pub use line::{LogEntry, LogStream, ParseLineError, Piece};
pub use path::LogPath;
pub(crate) use prune::forget_ended_pods;
pub use prune::pod_folders;
pub use queue::{LogLines, LogQueue, OwnedLogLine, log_queue};
pub use read::{Follower, ReadOptions, Since, read};
pub use rotate::Rotation;
pub use sink::{LogLine, LogSink};
pub use writer::{LogClock, LogFailure, LogWriter, LogWriterOptions, MAX_LINE};

#[cfg(test)]
mod tests;
