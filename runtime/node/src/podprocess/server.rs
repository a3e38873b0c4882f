//! The socket of a Pod's process: who may connect, how many, for how long.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use wasmpod::pod::PodView;
use wasmpod::records::make_folder;

use super::api::Api;

/// Connections at once; more wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 32;
/// How long a caller may take for the head of a request, or do nothing between two requests.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may last in all: a caller that hangs must not keep its place for ever.
const CONNECTION_WITHIN: Duration = Duration::from_secs(60);
/// The most that is kept of a request before it is understood.
const BUFFER: usize = 16 << 10;

/// Why a Pod's process cannot be spoken to.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve {}", path.display())]
pub struct ServeError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Answers for one Pod. Dropping it closes and removes the socket, and ends what is under way.
pub struct ControlServer {
    path: PathBuf,
    _connections: JoinSet<()>,
}

impl ControlServer {
    /// Serves `pod` at `path`, which is unlike that of any other Pod, in a folder that is made for
    /// this user alone.
    ///
    /// # Errors
    /// [`ServeError`]
    pub fn serve(pod: PodView, path: &Path) -> Result<Self, ServeError> {
        let failed = |source| ServeError { path: path.to_owned(), source };
        let listener = listen(path).map_err(failed)?;
        let mut connections = JoinSet::new();
        connections.spawn(accept(Api::new(pod), listener));
        Ok(Self { path: path.to_owned(), _connections: connections })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        // A file that is gone already is as good as removed.
        let _ = fs::remove_file(&self.path);
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    make_folder(path.parent().unwrap_or(path))?;
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept(api: Api, listener: UnixListener) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                connections.spawn(speak(api.clone(), stream));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn speak(api: Api, stream: UnixStream) {
    let service = service_fn(move |request| {
        let api = api.clone();
        async move { Ok::<_, Infallible>(api.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    // A caller that goes away or talks nonsense has only itself to tell.
    let _ = tokio::time::timeout(CONNECTION_WITHIN, connection).await;
}
