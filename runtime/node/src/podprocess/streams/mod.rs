//! What goes on after the answer to a request: the connection becomes a stream.
//!
//! | request | what the stream carries |
//! |---|---|
//! | exec, attach | [frames](super::frame) ([`session`]) |
//! | portforward | the bytes of the connection, which the guest has itself by then |
//! | files | frames with an archive ([`transfer`]) |
//! | status with `watch=1` | a JSON object a line ([`watch`]) |
//!
//! Such a stream lasts as long as both sides want. It has a place of its own, so that it takes none from
//! those that ask for a status.

mod session;
mod status;
mod transfer;
mod watch;

use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;
use wasmpod::pod::{Download, PodView, PortForward, Session, Upload};

pub(super) use status::{
    BYTES, ENTRIES, EXIT_CODE, EXIT_MESSAGE, NON_ZERO_EXIT_CODE, NOTE, of_copy_error,
};

/// The protocol of the header `Upgrade`.
pub(super) const PROTOCOL: &str = "wasmpod-stream";

/// What a stream is for.
pub(super) enum Stream {
    Session(Session),
    PortForward(PortForward),
    Watch(PodView),
    Download(Download),
    Upload(Upload),
}

/// A stream that begins when its connection has said so.
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) connection: OnUpgrade,
    /// Its place among all streams.
    pub(super) place: OwnedSemaphorePermit,
}

impl Opened {
    /// Carries it to its end.
    pub(super) async fn carry(self) {
        let Self { stream, connection, place } = self;
        // A client that went away before it had its answer.
        let Ok(upgraded) = connection.await else { return };
        let parts: Parts<TokioIo<UnixStream>> =
            upgraded.downcast().expect("the server takes unix streams and no others");
        let (connection, early) = (parts.io.into_inner(), parts.read_buf);
        match stream {
            Stream::Session(session) => session::carry(session, connection, early).await,
            Stream::PortForward(forward) => hand_over(forward, connection, &early),
            Stream::Watch(pod) => watch::carry(&pod, connection).await,
            Stream::Download(download) => transfer::download(download, connection).await,
            Stream::Upload(upload) => transfer::upload(upload, connection, early).await,
        }
        drop(place);
    }
}

fn hand_over(forward: PortForward, connection: UnixStream, early: &Bytes) {
    // Whoever sends before it has the answer cannot be handed over whole.
    if early.is_empty() {
        // Closed with an error, and that is all that could be told.
        let _ = forward.hand_over(connection);
    }
}
