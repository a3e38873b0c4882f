//! What the objects of the machine still need.

use std::collections::HashSet;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::Pod;
use serde::de::IgnoredAny;
use wasmpod::lifecycle::Identity;
use wasmpod::logs::LogPath;
use wasmpod::pod::Folders;
use wasmpod::sandbox::filesystem;
use wasmpod_objects::resource::{KNOWN, PERSISTENT_VOLUME_CLAIMS, PODS};
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, Store, StoreError};

use crate::background::ProcessLock;

/// A claim: its namespace and its name.
pub(super) type Claim = (String, String);

/// A Pod that is an object.
#[derive(Debug)]
pub(super) struct KnownPod {
    pub(super) identity: Identity,
    pub(super) phase: String,
    /// The claims that it names.
    claims: Vec<Claim>,
    pub(super) has_process: bool,
}

/// The objects as they were at one moment.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) pods: Vec<KnownPod>,
    /// Of claims that are objects.
    claims: HashSet<Claim>,
    /// How many objects there are.
    pub(super) objects: u64,
    /// Of Pods whose process is gone and whose folder is not.
    dead: Vec<String>,
}

impl Known {
    /// # Errors
    /// The store cannot be read.
    pub(super) fn read(folders: &Folders, store: &Store) -> Result<Self, StoreError> {
        let all = Selection::default();
        let pods = store.list_as::<Pod>(PODS, Namespaces::All, &all)?.items;
        let mut objects = 0;
        for resource in KNOWN {
            objects += store.list_as::<IgnoredAny>(resource, Namespaces::All, &all)?.items.len();
        }
        let claims = store.list_as::<Named>(PERSISTENT_VOLUME_CLAIMS, Namespaces::All, &all)?.items;
        Ok(Self {
            dead: filesystem::dead(&folders.pods()).unwrap_or_default(),
            pods: pods.into_iter().map(|pod| KnownPod::of(folders, pod)).collect(),
            claims: claims
                .into_iter()
                .map(|claim| (claim.metadata.namespace, claim.metadata.name))
                .collect(),
            objects: objects as u64,
        })
    }

    /// Whether the Pod `uid` is an object, or has a process: what it has is its own.
    pub(super) fn is_needed(&self, folders: &Folders, uid: &str) -> bool {
        self.pods.iter().any(|pod| pod.identity.uid == uid)
            || (folders.has_owner(uid) && !self.dead.iter().any(|dead| dead == uid))
            || ProcessLock::is_held(folders, uid)
    }

    /// Whether a claim is an object, or a Pod names it.
    pub(super) fn needs_claim(&self, claim: &Claim) -> bool {
        self.claims.contains(claim) || self.pods.iter().any(|pod| pod.claims.contains(claim))
    }

    /// Whether a Pod that has a process names it.
    pub(super) fn uses_claim(&self, claim: &Claim) -> bool {
        self.pods.iter().any(|pod| pod.has_process && pod.claims.contains(claim))
    }
}

#[derive(serde::Deserialize)]
struct Named {
    metadata: Names,
}

#[derive(serde::Deserialize)]
struct Names {
    name: String,
    namespace: String,
}

impl KnownPod {
    fn of(folders: &Folders, pod: Pod) -> Self {
        let metadata = pod.metadata;
        let identity = Identity {
            name: metadata.name.unwrap_or_default(),
            namespace: metadata.namespace.unwrap_or_default(),
            uid: metadata.uid.unwrap_or_default(),
        };
        let volumes = pod.spec.into_iter().flat_map(|spec| spec.volumes.unwrap_or_default());
        let claims = volumes.filter_map(|volume| volume.persistent_volume_claim);
        Self {
            claims: claims.map(|claim| (identity.namespace.clone(), claim.claim_name)).collect(),
            phase: pod.status.and_then(|status| status.phase).unwrap_or_default(),
            has_process: ProcessLock::is_held(folders, &identity.uid),
            identity,
        }
    }

    /// Whether it has ended and nothing of it runs.
    pub(super) fn has_ended(&self) -> bool {
        !self.has_process && matches!(self.phase.as_str(), "Succeeded" | "Failed")
    }

    /// Where its logs are.
    pub(super) fn logs(&self, folders: &Folders) -> PathBuf {
        let Identity { name, namespace, uid } = &self.identity;
        LogPath::of_pod(&folders.logs(), namespace, name, uid).folder().to_owned()
    }
}

/// The claims that have a folder, each with that.
pub(super) fn claims(folders: &Folders) -> Vec<(Claim, PathBuf)> {
    let mut found = Vec::new();
    for namespace in folders_in(&folders.volumes()) {
        for claim in folders_in(&namespace) {
            let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
            if let (Some(namespace), Some(name)) = (name(&namespace), name(&claim)) {
                found.push(((namespace, name), claim));
            }
        }
    }
    found.sort();
    found
}

/// A link is no folder of ours.
fn folders_in(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}
