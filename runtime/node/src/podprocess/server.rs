//! The socket of a Pod's process: who may connect, how many, for how long.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wasmpod::pod::PodView;
use wasmpod::records::make_folder;

use super::api::{Api, Becomes};

/// Connections at once that ask for something; more wait in the kernel's queue. Those that have become
/// streams have places of their own.
const MOST_CONNECTIONS: usize = 32;
/// How long a caller may take for the head of a request, or do nothing between two requests.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may last that is no stream: a caller that hangs must not keep its place for ever.
const CONNECTION_WITHIN: Duration = Duration::from_secs(60);
/// The most that is kept of a request before it is understood: a command to be run is a part of its head.
const BUFFER: usize = 256 << 10;
/// How long the streams of a Pod that has ended may take to tell of it.
const FAREWELL: Duration = Duration::from_secs(1);

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
    accepting: JoinSet<()>,
    /// Cancelled when nobody is answered any more.
    closing: CancellationToken,
    /// Connections and what they have become.
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl ControlServer {
    /// Serves `pod` at `path`, which is unlike that of any other Pod, in a folder that is made for
    /// this user alone. `news` is notified when somebody says that the Pod's objects were changed.
    ///
    /// # Errors
    /// [`ServeError`]
    pub fn serve(pod: PodView, news: Arc<Notify>, path: &Path) -> Result<Self, ServeError> {
        let failed = |source| ServeError { path: path.to_owned(), source };
        let listener = listen(path).map_err(failed)?;
        let connections = Arc::<Mutex<JoinSet<()>>>::default();
        let mut accepting = JoinSet::new();
        let closing = CancellationToken::new();
        let (told, shared) = (closing.clone(), Arc::clone(&connections));
        accepting.spawn(accept(Api::new(pod, news), listener, told, shared));
        Ok(Self { path: path.to_owned(), accepting, closing, connections })
    }

    /// Closes it for a Pod that has ended, and gives those who watch it a moment to be told.
    pub async fn finish(mut self) {
        self.accepting.shutdown().await;
        self.closing.cancel();
        let mut connections = std::mem::take(&mut *lock(&self.connections));
        let told = async { while connections.join_next().await.is_some() {} };
        // One that does not listen is cut off.
        let _ = tokio::time::timeout(FAREWELL, told).await;
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

async fn accept(
    api: Api,
    listener: UnixListener,
    closing: CancellationToken,
    connections: Arc<Mutex<JoinSet<()>>>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let mut connections = lock(&connections);
                while connections.try_join_next().is_some() {}
                connections.spawn(speak(api.clone(), stream, place, closing.clone()));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn speak(
    api: Api,
    stream: UnixStream,
    place: OwnedSemaphorePermit,
    closing: CancellationToken,
) {
    let becomes = Arc::<Becomes>::default();
    let service = {
        let becomes = Arc::clone(&becomes);
        service_fn(move |request| {
            let (api, becomes) = (api.clone(), Arc::clone(&becomes));
            async move { Ok::<_, Infallible>(api.answer(request, &becomes).await) }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A caller that goes away or talks nonsense has only itself to tell.
    let answering = tokio::time::timeout(CONNECTION_WITHIN, connection);
    let ended = closing.run_until_cancelled(answering).await;
    drop(place);
    if let (Some(Ok(Ok(()))), Some(opened)) = (ended, becomes.take()) {
        opened.carry().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
