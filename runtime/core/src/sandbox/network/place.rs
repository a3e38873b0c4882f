//! A place in a listener's queue, and what comes into it.

use std::net::SocketAddr;

use super::listener::{Incoming, Listening, Reservation};
use super::stream::ParkedStream;
use super::{NetworkError, Stream};

/// A place in the queue of a listener.
pub(crate) struct Place {
    pub(super) reservation: Reservation,
    pub(super) to: SocketAddr,
}

impl Place {
    /// Puts a connection there.
    ///
    /// # Errors
    /// The stream cannot be given away; it is closed then.
    pub(crate) fn fill(self, from: SocketAddr, stream: Stream) -> Result<(), NetworkError> {
        let stream = ParkedStream::park(stream)?;
        self.fill_with(from, |_| stream);
        Ok(())
    }

    pub(super) fn fill_with(
        self,
        from: SocketAddr,
        build: impl FnOnce(&Listening<'_>) -> ParkedStream,
    ) {
        let to = self.to;
        self.reservation.fill(|listening| Incoming {
            stream: build(listening),
            local: to,
            remote: from,
            options: *listening.options,
        });
    }
}

/// Resets a connection that nobody took.
pub(super) struct ResetOnDrop(pub(super) Option<ParkedStream>);

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        if let Some(stream) = self.0.take() {
            stream.reset();
        }
    }
}
