//! The way of a guest's output into its container's log, and to the clients that listen.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::session::Audience;
use crate::guest::Output;
use crate::logs::{LogStream, LogWriter};

/// One of the two outputs of a container's run.
pub(super) struct ContainerOutput {
    pub(super) log: LogWriter,
    pub(super) stream: LogStream,
    pub(super) audience: Arc<Audience>,
}

impl Output for ContainerOutput {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.log.write(self.stream, bytes);
        self.audience.hear(self.stream, bytes);
        Ok(())
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        self.log.poll_ready(context)
    }
}
