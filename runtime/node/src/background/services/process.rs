//! Being the process of Services: as long as there are some, they are announced.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

use futures::FutureExt as _;
use k8s_openapi::api::core::v1::{EventSource, ObjectReference, Service};
use rustix::io::{FdFlags, fcntl_setfd};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use wasmpod::error::chain;
use wasmpod::pod::{Allocation, Folders, KeptServices, ServiceError};
use wasmpod::resources::node_name;
use wasmpod_objects::resource::SERVICES;
use wasmpod_objects::store::{NewEvent, Store, StoreError};

use super::start::clear_up;
use super::{all, socket};
use crate::background::lock::ProcessLock;

/// When it looks though nobody has told it of a change: whoever makes one may be killed before that.
const LOOK_ANYWAY: Duration = Duration::from_secs(60);
/// When it tries again what could not be done: a port that somebody else has.
const RETRY: Duration = Duration::from_secs(5);
/// So many who tell it are answered together.
const MOST_TOLD: usize = 64;

/// What the process is handed: open files, by their numbers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Handed {
    pub(super) lock: RawFd,
    pub(super) socket: RawFd,
}

/// Services that cannot be announced at all.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// The lock or the socket was not handed over.
    #[error("what the process of Services is handed")]
    Handed(#[source] io::Error),
    /// Signals cannot be received.
    #[error("signals")]
    Signals(#[source] io::Error),
}

/// Is the process of Services until there are none, or somebody asks for its end.
///
/// # Errors
/// [`ServicesError`]
///
/// # Cancel safety
/// Dropping it withdraws the Services; the next command starts another.
pub async fn run(handed: Handed, folders: &Folders) -> Result<(), ServicesError> {
    let mut lock = ProcessLock::inherited(handed.lock).map_err(ServicesError::Handed)?;
    let listener = listener(handed.socket).map_err(ServicesError::Handed)?;
    // Nothing that ends the session of whoever started this is to end the Services.
    let _ = rustix::process::setsid();
    let mut terminate = signal(SignalKind::terminate()).map_err(ServicesError::Signals)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(ServicesError::Signals)?;
    let mut services = KeptServices::none(folders);
    let mut told: Vec<UnixStream> = Vec::new();
    let mut troubles = Troubles::default();
    loop {
        let looked = read(folders).await;
        let is_well = match looked {
            Ok(wanted) => {
                let undone = services.follow(&wanted).await;
                troubles.tell(folders, &wanted, undone).await;
                answer(&mut told).await;
                if wanted.is_empty() {
                    match end(folders, lock).await {
                        Some(kept) => lock = kept,
                        None => return Ok(()),
                    }
                }
                troubles.0.is_empty()
            }
            Err(error) => {
                tracing::warn!("Services are not read: {error}");
                // Who waits for an answer need not wait for long.
                told.clear();
                false
            }
        };
        let patience = if is_well { LOOK_ANYWAY } else { RETRY };
        tokio::select! {
            () = sleep(patience) => {}
            told_by = listener.accept() => told.extend(told_by.ok().map(|(stream, _)| stream)),
            _ = terminate.recv() => return Ok(()),
            _ = hangup.recv() => {}
        }
        while told.len() < MOST_TOLD
            && let Some(Ok((stream, _))) = listener.accept().now_or_never()
        {
            told.push(stream);
        }
    }
}

fn listener(number: RawFd) -> io::Result<UnixListener> {
    #[expect(unsafe_code, reason = "a number is how an open file comes from another process")]
    // SAFETY: whoever started this process left this number open for it and says so only here; it is
    // taken once, at the start.
    let socket = OwnedFd::from(unsafe { File::from_raw_fd(number) });
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    let listener = std::os::unix::net::UnixListener::from(socket);
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// # Errors
/// What is told of it.
async fn read(folders: &Folders) -> Result<Vec<Service>, String> {
    let folder = folders.objects();
    // The store is not held open: Services seldom change.
    let reading = tokio::task::spawn_blocking(move || all(&Store::open(&folder)?));
    match reading.await {
        Ok(read) => read.map_err(|error: StoreError| chain(&error)),
        Err(panicked) => Err(panicked.to_string()),
    }
}

/// Those who have told it hear that it has followed.
async fn answer(told: &mut Vec<UnixStream>) {
    for mut stream in told.drain(..) {
        // One byte is taken by the kernel; whoever has gone away needs none.
        let _ = stream.write_all(&[socket::FOLLOWED]).await;
    }
}

/// Lets go of the lock if there is no Service, and clears up; gives it back if there is one by now.
///
/// Nobody can make a Service meanwhile: whoever does so later finds that there is no process.
async fn end(folders: &Folders, lock: ProcessLock) -> Option<ProcessLock> {
    let folders = folders.clone();
    let ending = tokio::task::spawn_blocking(move || {
        let is_over = || {
            let allocation = Allocation::nothing(&folders).ok()?;
            let has_any = Store::open(&folders.objects()).ok()?.has_any(SERVICES).ok()?;
            (!has_any).then_some(allocation)
        };
        let Some(_allocation) = is_over() else { return Some(lock) };
        clear_up(&folders);
        drop(lock);
        None
    });
    ending.await.ok().flatten()
}

/// What cannot be done, by the uids of Services: each is told of once.
#[derive(Debug, Default)]
struct Troubles(BTreeSet<(String, String)>);

impl Troubles {
    async fn tell(
        &mut self,
        folders: &Folders,
        services: &[Service],
        now: Vec<(String, ServiceError)>,
    ) {
        let now: BTreeSet<(String, String)> =
            now.into_iter().map(|(uid, error)| (uid, chain(&error))).collect();
        let mut events = Vec::new();
        for (uid, message) in now.difference(&self.0) {
            tracing::warn!("{message}");
            let is_it = |service: &&Service| service.metadata.uid.as_ref() == Some(uid);
            events.extend(services.iter().find(is_it).map(|service| event(service, message)));
        }
        self.0 = now;
        if events.is_empty() {
            return;
        }
        let folder = folders.objects();
        let telling = tokio::task::spawn_blocking(move || {
            let store = Store::open(&folder)?;
            events.iter().try_for_each(|event| store.record(event).map(drop))
        });
        match telling.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("an Event is not written: {}", chain(&error)),
            Err(panicked) => tracing::warn!("an Event is not written: {panicked}"),
        }
    }
}

fn event(service: &Service, message: &str) -> NewEvent {
    let metadata = &service.metadata;
    NewEvent {
        involved: ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Service".to_owned()),
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            ..ObjectReference::default()
        },
        event_type: "Warning".to_owned(),
        reason: "SyncProxyRules".to_owned(),
        message: message.to_owned(),
        source: EventSource { component: Some("kube-proxy".to_owned()), host: Some(node_name()) },
    }
}
