//! From manifests to the objects that they describe, in the order in which they are made: first what
//! Pods refer to.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use wasmpod::manifest::{self, Manifest, PodManifest, Source, WrittenService};
use wasmpod_objects::resource::{CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES};
use wasmpod_objects::{Key, Resource};

use crate::args::Namespace;
use crate::failure::Failure;
use crate::print::problem;

/// An object that somebody has written down.
#[derive(Debug)]
pub(crate) struct Desired {
    pub(crate) resource: Resource,
    pub(super) namespace: String,
    pub(super) name: String,
    /// As it was written.
    pub(crate) object: Value,
    /// Where it stands: `pod.yaml`.
    pub(super) source: String,
}

/// Reads the files of a verb.
///
/// # Errors
/// Every problem of every file; a namespace that is not that of the command; nothing to do.
pub(super) fn read(filenames: &[PathBuf], namespace: &Namespace) -> Result<Vec<Desired>, Failure> {
    if filenames.is_empty() {
        return Err(Failure::kubectl("must specify one of -f"));
    }
    let sources = manifest::source::read(filenames, &mut std::io::stdin().lock())?;
    of_sources(&sources, namespace)
}

/// The same of texts.
///
/// # Errors
/// As [`read`].
pub(crate) fn of_sources(
    sources: &[Source],
    namespace: &Namespace,
) -> Result<Vec<Desired>, Failure> {
    let loaded = manifest::load_as_written(sources)?;
    loaded.notes.iter().for_each(|note| problem::note(&note.to_string()));
    let mut desired = Vec::new();
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let Manifest {
        pods,
        config_maps,
        secrets,
        persistent_volume_claims,
        services_as_written: services,
        ..
    } = loaded;
    for map in &config_maps {
        desired.push(plain(CONFIG_MAPS, map, &names)?);
    }
    for secret in &secrets {
        desired.push(plain(SECRETS, secret, &names)?);
    }
    for claim in &persistent_volume_claims {
        desired.push(plain(PERSISTENT_VOLUME_CLAIMS, claim, &names)?);
    }
    for WrittenService { object, source } in services {
        let (namespace, name) = (String::new(), String::new());
        desired.push(Desired { resource: SERVICES, namespace, name, object, source });
    }
    for pod in pods {
        desired.push(of_pod(pod)?);
    }
    if desired.is_empty() {
        return Err(Failure::kubectl("no objects passed to this command"));
    }
    for one in &mut desired {
        one.settle(namespace)?;
    }
    Ok(desired)
}

fn plain(
    resource: Resource,
    object: &impl Serialize,
    sources: &[&str],
) -> Result<Desired, Failure> {
    let object =
        serde_json::to_value(object).map_err(|error| Failure::because(resource.kind, &error))?;
    Ok(Desired {
        resource,
        namespace: String::new(),
        name: String::new(),
        object,
        source: sources.first().map(|name| (*name).to_owned()).unwrap_or_default(),
    })
}

fn of_pod(pod: PodManifest) -> Result<Desired, Failure> {
    let object = match pod.written {
        Some(written) => *written,
        None => serde_json::to_value(&pod.pod).map_err(|error| Failure::because("Pod", &error))?,
    };
    let source = pod.source;
    Ok(Desired { resource: PODS, namespace: String::new(), name: String::new(), object, source })
}

impl Desired {
    /// Finds name and namespace. Rule: kubectl's `RequireNamespace`.
    fn settle(&mut self, wanted: &Namespace) -> Result<(), Failure> {
        let text = |field: &str| self.object["metadata"][field].as_str().map(str::to_owned);
        self.name = text("name").unwrap_or_default();
        let own = text("namespace").filter(|own| !own.is_empty());
        self.namespace = match (own, &wanted.namespace) {
            (Some(own), Some(wanted)) if own != *wanted => {
                return Err(Failure::kubectl(format!(
                    "the namespace from the provided object {own:?} does not match the namespace \
                     {wanted:?}. You must pass '--namespace={own}' to perform this operation."
                )));
            }
            (Some(own), _) => own,
            (None, _) => wanted.name().to_owned(),
        };
        self.object["metadata"]["namespace"] = self.namespace.as_str().into();
        self.object["apiVersion"] = self.resource.api_version().into();
        self.object["kind"] = self.resource.kind.into();
        Ok(())
    }

    pub(super) fn key(&self) -> Key {
        Key::new(self.resource, &self.namespace, &self.name)
    }

    /// `pod/web`, by the name that the object was given.
    pub(crate) fn title_of(&self, object: &Value) -> String {
        title(self.resource, object["metadata"]["name"].as_str().unwrap_or(&self.name))
    }
}

/// `pod/web`, as kubectl prints it.
pub(super) fn title(resource: Resource, name: &str) -> String {
    format!("{}/{name}", resource.kind.to_lowercase())
}
