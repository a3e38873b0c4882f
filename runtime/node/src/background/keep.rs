//! From a running Pod to its object: status and Events, as they come.
//!
//! Behind the Pod: nothing of it waits for a disk. What could not be written is tried again, and only
//! the latest status counts. The store is open while there is something to write and closed again
//! when the Pod is quiet: most Pods are idle most of the time, and pay for what they hold.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{EventSource, ObjectReference, Pod, PodStatus};
use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use wasmpod::error::chain;
use wasmpod::event::{Reason, Recorded};
use wasmpod::lifecycle::Identity;
use wasmpod::pod::Folders;
use wasmpod::resources::node_name;
use wasmpod::worker::{Finished, PodHandle};
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::status::ApiError;
use wasmpod_objects::store::{NewEvent, Origin, Store, StoreError, Update};

use super::forget::forget;
use super::lost::is_over;
use super::pods::identity;

/// By then most Pods have started: their first steps are written down together.
const SETTLED: Duration = Duration::from_millis(10);
/// A Pod about which there is nothing to tell for so long is quiet.
const QUIET: Duration = Duration::from_secs(1);
/// When it is tried again: a disk that is full may not stay so.
const RETRY: Duration = Duration::from_secs(5);

/// What becomes of the object when its Pod has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtTheEnd {
    /// It stays, to be read, unless its deletion was asked for.
    Stay,
    /// It goes: somebody has watched the Pod.
    Go,
}

/// Keeps the object of one Pod true.
#[derive(Debug)]
pub(super) struct Keeper {
    folders: Folders,
    identity: Identity,
    at_the_end: AtTheEnd,
}

/// What there is to write. Taken before the Pod runs, so that nothing is missed.
pub(super) struct Watching {
    status: watch::Receiver<PodStatus>,
    events: broadcast::Receiver<Arc<Recorded>>,
    /// What has come and is not being written.
    batch: Batch,
    /// Open as long as the Pod is not quiet.
    store: Option<Store>,
    /// What is being written: a thread that nobody can call back.
    writing: Option<JoinHandle<Written>>,
}

/// What has become of a write: the store, and what is still to be written.
type Written = (Option<Store>, Batch);

/// What is written together.
#[derive(Debug, Default)]
struct Batch {
    status: Option<PodStatus>,
    events: Vec<Arc<Recorded>>,
}

impl Keeper {
    /// Of `pod`, which has a name and a uid.
    pub(super) fn of(folders: &Folders, pod: &Pod, at_the_end: AtTheEnd) -> Self {
        Self { folders: folders.clone(), identity: identity(pod), at_the_end }
    }

    pub(super) fn watch(&self, handle: &PodHandle) -> Watching {
        let mut status = handle.status();
        status.mark_changed();
        Watching {
            status,
            events: handle.events().subscribe(),
            batch: Batch::default(),
            store: None,
            writing: None,
        }
    }

    pub(super) fn folders(&self) -> &Folders {
        &self.folders
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Writes what comes.
    ///
    /// # Cancel safety
    /// Safe: `watching` has what is not written yet, and what is being written.
    pub(super) async fn keep(&self, watching: &mut Watching) -> Infallible {
        sleep(SETTLED).await;
        loop {
            if watching.store.is_some() && watching.batch.is_empty() {
                let news = timeout(QUIET, watching.next()).await;
                if news.is_err() {
                    watching.store = None;
                }
            }
            if watching.batch.is_empty() {
                watching.next().await;
            }
            watching.gather();
            self.write(watching);
            watching.written().await;
            if !watching.batch.is_empty() {
                sleep(RETRY).await;
            }
        }
    }

    /// Writes the last of a Pod that has ended; one that was to be deleted is forgotten.
    pub(super) async fn ended(&self, finished: &Finished, mut watching: Watching) {
        // Or an earlier status would come behind the last one.
        watching.written().await;
        watching.gather();
        let goes = self.at_the_end == AtTheEnd::Go;
        let status = (!goes).then(|| finished.status.clone());
        let batch = Batch { status, ..watching.batch };
        let (folders, identity) = (self.folders.clone(), self.identity.clone());
        self.blocking(move || {
            let store = Store::open(&folders.objects())?;
            let is_wanted = batch.write(&store, &identity)?;
            if goes || !is_wanted {
                forget(&folders, &store, &identity)?;
            }
            Ok(())
        })
        .await;
    }

    /// Writes that the Pod could not be run at all.
    pub(super) async fn failed(&self, why: &str) {
        let status = PodStatus {
            phase: Some("Failed".to_owned()),
            reason: Some("UnexpectedAdmissionError".to_owned()),
            message: Some(why.to_owned()),
            ..PodStatus::default()
        };
        let (folders, identity) = (self.folders.clone(), self.identity.clone());
        let batch = Batch { status: Some(status), events: Vec::new() };
        self.blocking(move || batch.write(&Store::open(&folders.objects())?, &identity).map(drop))
            .await;
    }

    /// Begins to write what has come.
    fn write(&self, watching: &mut Watching) {
        let (folder, identity) = (self.folders.objects(), self.identity.clone());
        let (store, mut batch) = (watching.store.take(), std::mem::take(&mut watching.batch));
        if self.at_the_end == AtTheEnd::Go {
            // An object that says that its Pod is over would stay if this process were killed now.
            batch.status = batch.status.filter(|status| !is_over(status));
        }
        watching.writing = Some(tokio::task::spawn_blocking(move || {
            let store = match store {
                Some(store) => Ok(store),
                None => Store::open(&folder),
            };
            let written = store.and_then(|store| {
                batch.write(&store, &identity)?;
                Ok(store)
            });
            match written {
                Ok(store) => (Some(store), Batch::default()),
                Err(error) => {
                    tracing::warn!("the Pod's object is not written: {}", chain(&error));
                    (None, batch)
                }
            }
        }));
    }

    async fn blocking(&self, write: impl FnOnce() -> Result<(), StoreError> + Send + 'static) {
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("the Pod's last status: {}", chain(&error)),
            Err(panicked) => tracing::warn!("the Pod's last status: {panicked}"),
        }
    }
}

impl Watching {
    /// Waits for what is being written; what could not be is in the batch again.
    async fn written(&mut self) {
        if let Some(writing) = &mut self.writing {
            // One that panicked has said so.
            (self.store, self.batch) = writing.await.unwrap_or_default();
            self.writing = None;
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            event = self.events.recv() => match event {
                Ok(event) => self.batch.events.push(event),
                // The counts of later ones tell of these.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            },
            changed = self.status.changed() => match changed {
                Ok(()) => self.batch.status = Some(self.status.borrow_and_update().clone()),
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// What has come by now.
    fn gather(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.batch.events.push(event);
        }
        if self.status.has_changed().unwrap_or(false) {
            self.batch.status = Some(self.status.borrow_and_update().clone());
        }
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.status.is_none() && self.events.is_empty()
    }

    /// Gives whether the Pod is still wanted: that nobody has asked for its deletion.
    fn write(&self, store: &Store, identity: &Identity) -> Result<bool, StoreError> {
        for recorded in &self.events {
            store.record(&told(identity, recorded))?;
        }
        let Some(status) = &self.status else { return Ok(true) };
        let object = write_status(store, identity, status)?;
        // Whoever removed it has no use for its status.
        Ok(object.is_some_and(|object| object["metadata"]["deletionTimestamp"].is_null()))
    }
}

/// Gives the object of a Pod this status, and returns it; nothing where it is gone, or another Pod has its
/// name.
///
/// # Errors
/// The store fails.
pub(super) fn write_status(
    store: &Store,
    identity: &Identity,
    status: &PodStatus,
) -> Result<Option<Value>, StoreError> {
    let key = Key::new(PODS, &identity.namespace, &identity.name);
    let update = Update { origin: Origin::Node, ..Update::default() };
    let written = store.modify(&key, update, |mut object| {
        if object["metadata"]["uid"] != identity.uid.as_str() {
            return Err(ApiError::not_found(PODS, &identity.name));
        }
        object["status"] = serde_json::to_value(status).map_err(ApiError::internal)?;
        Ok(object)
    });
    match written {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn told(identity: &Identity, recorded: &Recorded) -> NewEvent {
    let event = &recorded.event;
    let path = event.involved.to_string();
    NewEvent {
        involved: ObjectReference {
            field_path: Some(path).filter(|path| !path.is_empty()),
            ..identity.reference()
        },
        event_type: event.severity.to_string(),
        reason: event.reason.to_string(),
        message: event.message.clone(),
        source: match event.reason {
            // There is no node yet.
            Reason::Scheduled | Reason::FailedScheduling => {
                EventSource { component: Some("default-scheduler".to_owned()), host: None }
            }
            _ => EventSource { component: Some("kubelet".to_owned()), host: Some(node_name()) },
        },
    }
}
