//! The Pods of a machine as commands see them: objects that can be made, and processes behind them.

use std::io;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use wasmpod::error::chain;
use wasmpod::lifecycle::Identity;
use wasmpod::pod::{Folders, new_uid};
use wasmpod::resources::node_name;
use wasmpod_objects::resource::{PODS, SERVICES};
use wasmpod_objects::store::{Create, Origin, Revision, Store, StoreError};

use super::launch::{LAUNCHES, Launch};
use super::lock::ProcessLock;
use super::process::Envelope;
use super::referred::Referred;
use super::services::ServiceAllocator;
use super::start::Starter;

/// The Pods of one user on one machine.
pub struct BackgroundPods {
    pub(super) folders: Folders,
    pub(super) store: Store,
    pub(super) starter: Starter,
    /// When it was opened.
    pub(super) opened: Revision,
}

/// What could not be done about a Pod.
#[derive(Debug, thiserror::Error)]
pub enum BackgroundError {
    /// The objects of this machine.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock of a Pod's process.
    #[error("the lock of the Pod {pod}")]
    Lock {
        /// Its name and namespace.
        pod: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The process of Services.
    #[error("the process of Services")]
    Services(#[source] io::Error),
    /// A process for a Pod.
    #[error("cannot start a process for the Pod {pod}")]
    Start {
        /// Its name and namespace.
        pod: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl BackgroundError {
    pub(super) fn lock(identity: &Identity, source: io::Error) -> Self {
        Self::Lock { pod: full_name(identity), source }
    }
}

impl BackgroundPods {
    /// The Pods whose state is in `folders`; `starter` is what their processes are started with.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub fn open(folders: &Folders, starter: Starter) -> Result<Self, StoreError> {
        let allocator = Arc::new(ServiceAllocator::on(folders));
        let store = Store::open(&folders.objects())?.with_allocator(allocator);
        let opened = store.revision()?;
        Ok(Self { folders: folders.clone(), store, starter, opened })
    }

    /// All objects of this machine.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where its state is.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Makes a Pod and starts its process; gives the Pod as it is kept.
    ///
    /// # Errors
    /// [`BackgroundError`]; then there is no such Pod, save where its process could not be started:
    /// the next command tries that again.
    pub fn create(
        &self,
        namespace: &str,
        object: Value,
        launch: &Launch,
    ) -> Result<Value, BackgroundError> {
        let uid = new_uid();
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let identity = Identity { name, namespace: namespace.to_owned(), uid: uid.clone() };
        let lock = ProcessLock::try_take(&self.folders, &uid);
        let lock = lock.map_err(|source| BackgroundError::lock(&identity, source))?;
        let taken = || io::Error::other("somebody else has it");
        let lock = lock.ok_or_else(|| BackgroundError::lock(&identity, taken()))?;
        let create = Create { uid: Some(uid.clone()), ..Create::default() };
        let made = self.store.create(PODS, namespace, bound(object), &create);
        let pod = made.inspect_err(|_| {
            // Nobody needs it.
            drop(std::fs::remove_file(self.folders.process_lock(&uid)));
        })?;
        // Behind the Pod: one that has none, for it was cut off here, is forgotten.
        let node = Create { origin: Origin::Node, ..Create::default() };
        self.store.create(LAUNCHES, namespace, launch.object(&uid, namespace), &node)?;
        let typed: Pod = serde_json::from_value(pod.clone()).map_err(|error| {
            BackgroundError::Start { pod: full_name(&identity), source: error.into() }
        })?;
        self.start(typed, launch.clone(), lock)?;
        Ok(pod)
    }

    /// Starts the process of a Pod that is kept; its status, if it has one, is where it goes on.
    pub(super) fn start(
        &self,
        mut pod: Pod,
        launch: Launch,
        lock: ProcessLock,
    ) -> Result<(), BackgroundError> {
        // A Pod is told of Services as it starts.
        if self.store.has_any(SERVICES)?
            && let Err(error) = self.tell_services()
        {
            tracing::warn!("a Pod starts without its Services: {}", chain(&error));
        }
        let identity = identity(&pod);
        let previous = pod.status.take().filter(|status| status.container_statuses.is_some());
        let objects = Referred::by(&pod, &self.store)?;
        let mut envelope = Envelope {
            pod,
            previous,
            objects,
            launch,
            // Found when it is handed over.
            lock: -1,
        };
        let started = self.starter.start(&self.folders, &mut envelope, lock);
        started.map_err(|source| BackgroundError::Start { pod: full_name(&identity), source })
    }
}

/// The Pod with its place: there is one node, and nobody else to ask.
fn bound(mut pod: Value) -> Value {
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("nodeName".to_owned(), node_name().into());
    }
    pod
}

/// Who a kept Pod is.
pub(super) fn identity(pod: &Pod) -> Identity {
    let metadata = &pod.metadata;
    Identity {
        name: metadata.name.clone().unwrap_or_default(),
        namespace: metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        uid: metadata.uid.clone().unwrap_or_default(),
    }
}

fn full_name(identity: &Identity) -> String {
    format!("{}/{}", identity.namespace, identity.name)
}
