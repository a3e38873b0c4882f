//! Who sees the lines of guests as they come: the seam between the log files and a terminal.

use std::task::{Context, Poll};

use super::line::{LogStream, Piece};

/// A line of a guest, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLine<'text> {
    /// The container that wrote it.
    pub container: &'text str,
    /// To which output.
    pub stream: LogStream,
    /// Whether the line ends here.
    pub piece: Piece,
    /// The text, without its line end. Any bytes: what a guest writes need not be UTF-8.
    pub bytes: &'text [u8],
}

/// Takes what guests write, beside the log file.
///
/// Both methods are called on the thread that runs the guest, while the log of that container is
/// locked: they must hand over and return. A sink whose reader may be slow says so in
/// [`poll_ready`](LogSink::poll_ready), and the guest's next write waits ([`LogQueue`] does this).
///
/// [`LogQueue`]: super::LogQueue
pub trait LogSink: Send + Sync {
    /// A line is complete, or a piece of 16 KiB, or the unended rest at the end of a run.
    fn line(&self, line: &LogLine<'_>);

    /// The bytes of one write of the guest, as they came and before they form a line. For output
    /// that is to pass unchanged.
    fn raw(&self, container: &str, stream: LogStream, bytes: &[u8]) {
        let _ = (container, stream, bytes);
    }

    /// Ready while the sink has room. Wakes every task that was told to wait.
    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let _ = context;
        Poll::Ready(())
    }
}
