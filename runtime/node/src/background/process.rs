//! Being the process of a Pod: from what whoever started it has handed over to the Pod's end.

use std::io;
use std::os::fd::RawFd;
use std::pin::pin;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use wasmpod::error::chain;
use wasmpod::manifest::{Origin, PodManifest};
use wasmpod::pod::{Host, PodBuilder, PodError, PublishedPort};
use wasmpod::worker::Finished;

use super::follow::follow;
use super::images::{ImagesError, find_images};
use super::keep::{AtTheEnd, Keeper};
use super::launch::Launch;
use super::lock::ProcessLock;
use super::referred::Referred;
use crate::admission::Place;
use crate::attend::attend;
use crate::node::Node;

/// All that the process of a Pod must know.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope {
    pub(super) pod: Pod,
    /// Its last status, where it had a process before.
    pub(super) previous: Option<PodStatus>,
    pub(super) objects: Referred,
    pub(super) launch: Launch,
    /// The open file that is the Pod's lock.
    pub(super) lock: RawFd,
}

/// A Pod that cannot be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The lock was not handed over.
    #[error("the lock of the Pod")]
    Lock(#[source] io::Error),
    /// Signals cannot be received.
    #[error("signals")]
    Signals(#[source] io::Error),
    /// Where images are.
    #[error(transparent)]
    Images(#[from] ImagesError),
    /// The Pod itself.
    #[error(transparent)]
    Pod(#[from] PodError),
}

impl Envelope {
    pub(super) fn uid(&self) -> String {
        self.pod.metadata.uid.clone().unwrap_or_default()
    }
}

/// Is the process of a Pod until that ends. Notes go to standard error.
///
/// # Errors
/// [`ProcessError`]; the Pod's status says so.
///
/// # Cancel safety
/// Dropping it ends the guests; the next command finds the Pod without a process.
pub async fn run(envelope: Box<Envelope>, host: &Host) -> Result<Finished, ProcessError> {
    let lock = ProcessLock::inherited(envelope.lock).map_err(ProcessError::Lock)?;
    let keeper = Keeper::of(host.folders(), &envelope.pod, AtTheEnd::Stay);
    let outcome = live(envelope, host, &keeper).await;
    if let Err(error) = &outcome {
        keeper.failed(&chain(error)).await;
    }
    // Only now: who sees it gone sees the last status too.
    drop(lock);
    outcome
}

async fn live(
    envelope: Box<Envelope>,
    host: &Host,
    keeper: &Keeper,
) -> Result<Finished, ProcessError> {
    // Nothing that ends the session of whoever started this is to end the Pod. It fails where this
    // process leads a group, and then it has a session of its own or its user meant it so.
    let _ = rustix::process::setsid();
    let mut terminate = signal(SignalKind::terminate()).map_err(ProcessError::Signals)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(ProcessError::Signals)?;
    let Envelope { pod, previous, objects, launch, .. } = *envelope;
    let place = Arc::new(Place::new(Node::new(host.folders(), launch.node)));
    let images = find_images(&launch.folder, &launch.image_map)?;
    let source = launch.folder.join("manifest").display().to_string();
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let manifest = PodManifest { pod, origin: Origin::Pod, source, line: 1, written: None };
    let mut builder = PodBuilder::new(host, manifest)
        .uid(uid)
        .objects(objects.into())
        .reachable()
        .images(images)
        .publish(launch.published.iter().map(PublishedPort::from))
        .allow_net(launch.allow_net.iter().cloned())
        .scheduler(Arc::clone(&place) as _)
        .on_note(say);
    if let Some(previous) = previous {
        builder = builder.resume(previous);
    }
    if launch.cgroup {
        builder = builder.cgroup();
    }
    let pod = builder.build()?;
    let (handle, view) = (pod.handle(), pod.view());
    let mut watching = keeper.watch(&handle);
    let mut attending = JoinSet::new();
    let news = Arc::new(Notify::new());
    attending.spawn(attend(place, view.clone(), launch.eviction, Arc::clone(&news)));
    let finished = {
        let mut keeping = pin!(keeper.keep(&mut watching));
        let mut following = pin!(follow(host.folders(), &view, &news));
        let mut running = pin!(pod.run());
        loop {
            tokio::select! {
                biased;
                finished = running.as_mut() => break finished,
                () = told(&mut terminate) => handle.interrupt().await,
                () = told(&mut hangup) => {}
                never = keeping.as_mut() => match never {},
                never = following.as_mut() => match never {},
            }
        }
    };
    drop(handle);
    // Whoever watches the Pod is told of its end.
    attending.join_next().await;
    keeper.ended(&finished, watching).await;
    Ok(finished)
}

/// A stream of signals that is over says nothing more.
async fn told(signals: &mut Signal) {
    if signals.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// On standard error, which is a file of this Pod's own.
fn say(text: &str) {
    use std::io::Write as _;
    // A disk that is full: there is nobody else to tell.
    drop(writeln!(io::stderr(), "{text}"));
}
