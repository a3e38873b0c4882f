//! The Pods of a machine as commands see them: objects that can be made, and processes behind them.

use std::io;

use k8s_openapi::api::core::v1::Pod;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wasmpod::lifecycle::Identity;
use wasmpod::pod::{Folders, new_uid};
use wasmpod::resources::node_name;
use wasmpod_objects::Resource;
use wasmpod_objects::resource::{CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS};
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Create, Namespaces, Origin, Preconditions, Store, StoreError};

use super::launch::{self, LAUNCHES, Launch};
use super::lock::ProcessLock;
use super::process::Envelope;
use super::start::Starter;

/// The Pods of one user on one machine.
pub struct BackgroundPods {
    pub(super) folders: Folders,
    pub(super) store: Store,
    pub(super) starter: Starter,
}

/// A Pod that was made and whose process has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// The Pod as it is kept.
    pub pod: Value,
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
        let store = Store::open(&folders.objects())?;
        Ok(Self { folders: folders.clone(), store, starter })
    }

    /// All objects of this machine.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where its state is.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// Makes a Pod and starts its process.
    ///
    /// # Errors
    /// [`BackgroundError`]; then there is no such Pod, save where its process could not be started:
    /// the next command tries that again.
    pub fn create(
        &self,
        namespace: &str,
        object: Value,
        launch: &Launch,
    ) -> Result<Begun, BackgroundError> {
        let uid = new_uid();
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let identity = Identity { name, namespace: namespace.to_owned(), uid: uid.clone() };
        let lock = ProcessLock::try_take(&self.folders, &uid);
        let lock = lock.map_err(|source| BackgroundError::lock(&identity, source))?;
        let taken = || io::Error::other("somebody else has it");
        let lock = lock.ok_or_else(|| BackgroundError::lock(&identity, taken()))?;
        let node = Create { origin: Origin::Node, ..Create::default() };
        let spec = serde_json::to_value(launch).unwrap_or_default();
        let object_of_launch = json!({
            "apiVersion": LAUNCHES.api_version(), "kind": LAUNCHES.kind,
            "metadata": { "name": uid, "namespace": namespace }, "spec": spec,
        });
        self.store.create(LAUNCHES, namespace, object_of_launch, &node)?;
        let create = Create { uid: Some(uid.clone()), ..Create::default() };
        let object = bound(object);
        let made = self.store.create(PODS, namespace, object, &create);
        let pod = match made {
            Ok(pod) => pod,
            Err(error) => {
                // Nobody sees it; one that stays is swept.
                let key = launch::key(namespace, &uid);
                drop(self.store.remove(&key, &Preconditions::default()));
                drop(std::fs::remove_file(self.folders.process_lock(&uid)));
                return Err(error.into());
            }
        };
        let typed: Pod = serde_json::from_value(pod.clone()).map_err(|error| {
            BackgroundError::Start { pod: full_name(&identity), source: error.into() }
        })?;
        self.start(typed, launch.clone(), lock)?;
        Ok(Begun { pod })
    }

    /// Starts the process of a Pod that is kept; its status, if it has one, is where it goes on.
    pub(super) fn start(
        &self,
        mut pod: Pod,
        launch: Launch,
        lock: ProcessLock,
    ) -> Result<(), BackgroundError> {
        let identity = identity(&pod);
        let namespace = identity.namespace.as_str();
        let previous = pod.status.take().filter(|status| status.container_statuses.is_some());
        let mut envelope = Envelope {
            pod,
            previous,
            config_maps: self.all(CONFIG_MAPS, namespace)?,
            secrets: self.all(SECRETS, namespace)?,
            persistent_volume_claims: self.all(PERSISTENT_VOLUME_CLAIMS, namespace)?,
            launch,
            // Found when it is handed over.
            lock: -1,
        };
        let started = self.starter.start(&self.folders, &mut envelope, lock);
        started.map_err(|source| BackgroundError::Start { pod: full_name(&identity), source })
    }

    /// The objects of a kind that Pods of a namespace may refer to; what cannot be read is not there.
    fn all<Kind: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &str,
    ) -> Result<Vec<Kind>, StoreError> {
        let list = self.store.list(resource, Namespaces::One(namespace), &Selection::default())?;
        Ok(list.items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
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
