//! Telling Pods that something was changed which is for them to follow.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde::Deserialize;
use serde_json::Value;
use wasmpod_objects::Resource;
use wasmpod_objects::resource::{CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES};
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, StoreError};

use super::lock::ProcessLock;
use super::pods::{BackgroundError, BackgroundPods};
use super::referred::words;
use crate::podprocess::PodClient;

/// As much of a Pod as tells what it refers to.
#[derive(Deserialize)]
struct Seen {
    metadata: Names,
    #[serde(default)]
    spec: Value,
}

#[derive(Deserialize)]
struct Names {
    uid: String,
}

impl BackgroundPods {
    /// Tells the processes of Pods what was changed since this was opened: their objects, and those that
    /// they refer to; and that of Services. A process that cannot be told finds it within a minute.
    ///
    /// # Errors
    /// [`BackgroundError`]
    pub async fn tell(&self) -> Result<(), BackgroundError> {
        if !self.changed(SERVICES)?.is_empty() {
            self.tell_services()?;
        }
        let uids = self.concerned()?;
        // One that does not listen yet looks when it does.
        let listens = |uid: &&String| self.folders.control_socket(uid).exists();
        let running = uids.iter().filter(listens);
        let running = running.filter(|uid| ProcessLock::is_held(&self.folders, uid));
        let telling = running.map(|uid| {
            let client = PodClient::new(self.folders.control_socket(uid));
            async move {
                // One that has ended meanwhile, or begins, needs not be told.
                drop(client.sync().await);
            }
        });
        join_all(telling).await;
        Ok(())
    }

    /// The uids of the Pods that have to do with what was changed.
    fn concerned(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut uids = BTreeSet::new();
        for pod in self.changed(PODS)? {
            uids.extend(pod["metadata"]["uid"].as_str().map(str::to_owned));
        }
        let mut names = BTreeMap::<String, BTreeSet<String>>::new();
        for resource in [CONFIG_MAPS, SECRETS, PERSISTENT_VOLUME_CLAIMS] {
            for object in self.changed(resource)? {
                let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
                let (namespace, name) = (text("namespace").to_owned(), text("name").to_owned());
                names.entry(namespace).or_default().insert(name);
            }
        }
        for (namespace, names) in names {
            let (one, all) = (Namespaces::One(&namespace), Selection::default());
            for pod in self.store.list_as::<Seen>(PODS, one, &all)?.items {
                let refers = words(&pod.spec).iter().any(|word| names.contains(*word));
                if refers {
                    uids.insert(pod.metadata.uid);
                }
            }
        }
        Ok(uids)
    }

    fn changed(&self, resource: Resource) -> Result<Vec<Value>, StoreError> {
        let (all, mut since) = (Selection::default(), self.opened);
        let mut objects = Vec::new();
        loop {
            let part = self.store.changes_since(since, resource, Namespaces::All, &all)?;
            objects.extend(part.changes.into_iter().map(|change| change.object));
            if part.revision == since {
                return Ok(objects);
            }
            since = part.revision;
        }
    }
}
