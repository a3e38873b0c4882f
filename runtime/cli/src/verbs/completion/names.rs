//! What there is to be named: objects, containers, ports, fields.
//!
//! Rule: kubectl's completion: types by their plural, then names of the namespace that the line says.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use k8s_openapi::api::core::v1::{Container, Pod};
use wasmpod::manifest::support::{self, Depth};
use wasmpod::pod::Folders;
use wasmpod_node::images::Images;
use wasmpod_objects::resource::{PODS, Scope};
use wasmpod_objects::store::{Namespaces, Store};
use wasmpod_objects::{Key, Resource};
use wasmpod_view::resource_args::{BUILT_IN, find_type};

use super::typed::Typed;
use crate::verbs::reach::logs::pick;

/// Pods: `web`, or `pod/web`.
pub(crate) fn pods() -> ArgValueCompleter {
    completer(|typed, current| match current.split_once('/') {
        Some((kind @ ("pod" | "pods" | "po"), _)) => below(kind, names(typed, PODS)),
        Some(_) => Vec::new(),
        None => names(typed, PODS),
    })
}

/// Objects: `pods web`, `pod/web`, `pods,configmaps`.
pub(crate) fn objects() -> ArgValueCompleter {
    completer(|typed, current| match typed.words.first() {
        None => first_object(typed, current),
        Some(first) if first.contains('/') => one_object(typed, current),
        Some(types) => {
            let own = types.split(',').filter_map(resource);
            let names = own.flat_map(|resource| names(typed, resource));
            names.filter(|name| !typed.words.contains(name)).collect()
        }
    })
}

/// One object: `pod/web`.
pub(crate) fn object() -> ArgValueCompleter {
    completer(one_object)
}

/// The containers of the Pod that is named before.
pub(crate) fn containers() -> ArgValueCompleter {
    completer(|typed, _| {
        let Some(pod) = pod(typed) else { return Vec::new() };
        let (init, apps, ephemeral) = pick::names(&pod);
        [apps, init, ephemeral].concat().into_iter().map(str::to_owned).collect()
    })
}

/// The namespaces that something is in.
pub(crate) fn namespaces() -> ArgValueCompleter {
    completer(|typed, _| {
        let found = store(typed).and_then(|store| store.namespaces().ok()).unwrap_or_default();
        let all = found.into_iter().filter(|name| !name.is_empty());
        all.chain(["default".to_owned()]).collect::<BTreeSet<_>>().into_iter().collect()
    })
}

/// The ports of the Pod that is named before, by number and by name.
pub(crate) fn ports() -> ArgValueCompleter {
    completer(|typed, current| {
        let Some(spec) = pod(typed).and_then(|pod| pod.spec) else { return Vec::new() };
        let containers: Vec<Container> =
            spec.containers.into_iter().chain(spec.init_containers.unwrap_or_default()).collect();
        let ports = containers.iter().flat_map(|container| container.ports.iter().flatten());
        let local = current.split_once(':').map(|(local, _)| local);
        let named = |port: &str| match local {
            Some(local) => format!("{local}:{port}"),
            None => port.to_owned(),
        };
        ports
            .flat_map(|port| [Some(port.container_port.to_string()), port.name.clone()])
            .flatten()
            .map(|port| named(&port))
            .collect()
    })
}

/// A Pod with a colon, or a file of this machine.
pub(crate) fn places() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let typed = Typed::get();
        let text = current.to_str().unwrap_or_default();
        if text.contains(':') {
            return Vec::new();
        }
        let pods = names(typed, PODS).into_iter().map(|name| name + ":");
        let pods = pods.filter(|pod| pod.starts_with(text)).map(CompletionCandidate::new);
        pods.chain(PathCompleter::any().complete(current)).collect()
    })
}

/// Images that are here: `kuard:blue`.
pub(crate) fn images() -> ArgValueCompleter {
    completer(|typed, _| image_names(typed))
}

/// Images that are here, or a file of this machine.
pub(crate) fn images_or_files() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let text = current.to_str().unwrap_or_default();
        let names = image_names(Typed::get()).into_iter();
        let names = names.filter(|name| name.starts_with(text)).map(CompletionCandidate::new);
        names.chain(PathCompleter::any().complete(current)).collect()
    })
}

fn image_names(typed: &Typed) -> Vec<String> {
    let folders = Folders::find(typed.root.as_deref()).ok();
    let names = folders.and_then(|folders| Images::new(&folders).names().ok());
    names.unwrap_or_default()
}

/// Fields of manifests: `pod.spec.containers`.
pub(crate) fn fields() -> ArgValueCompleter {
    completer(|_, current| {
        let Some((above, _)) = current.rsplit_once('.') else {
            return support::kinds().map(|kind| kind.to_lowercase() + ".").collect();
        };
        let fields =
            support::explain(above, Depth::One).map(|found| found.fields).unwrap_or_default();
        let names = fields.into_iter().map(|field| field.name).filter(|name| name != "*");
        let paths = names.map(|name| format!("{above}.{name}"));
        paths
            .map(|path| match support::explain(&path, Depth::One) {
                Ok(found) if !found.fields.is_empty() => path + ".",
                _ => path,
            })
            .collect()
    })
}

/// Those of `all` that go on as the current word begins.
fn completer(
    all: impl Fn(&Typed, &str) -> Vec<String> + Send + Sync + 'static,
) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let all = all(Typed::get(), current).into_iter();
        all.filter(|name| name.starts_with(current)).map(CompletionCandidate::new).collect()
    })
}

fn first_object(typed: &Typed, current: &str) -> Vec<String> {
    if current.contains('/') {
        return one_object(typed, current);
    }
    let before = current.rfind(',').map_or("", |comma| &current[..=comma]);
    types(typed).map(|plural| format!("{before}{plural}")).collect()
}

fn one_object(typed: &Typed, current: &str) -> Vec<String> {
    match current.split_once('/') {
        None => types(typed).map(|plural| format!("{plural}/")).collect(),
        Some((kind, _)) => match resource(kind) {
            Some(resource) => below(kind, names(typed, resource)),
            None => Vec::new(),
        },
    }
}

/// The types that the verb is for.
fn types(typed: &Typed) -> impl Iterator<Item = &'static str> {
    let only_pods = matches!(typed.verb.as_str(), "top");
    let all = BUILT_IN.iter().map(|known| known.plural);
    all.filter(move |plural| !only_pods || *plural == PODS.plural)
}

fn resource(word: &str) -> Option<Resource> {
    Resource::of_plural(find_type(word, BUILT_IN).ok()?.plural)
}

fn below(kind: &str, names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| format!("{kind}/{name}")).collect()
}

fn names(typed: &Typed, resource: Resource) -> Vec<String> {
    let namespaces = match (resource.scope, typed.all_namespaces) {
        (Scope::Namespaced, false) => Namespaces::One(typed.namespace()),
        (Scope::Namespaced, true) | (Scope::Cluster, _) => Namespaces::All,
    };
    let names = store(typed).and_then(|store| store.names(resource, namespaces).ok());
    names.unwrap_or_default()
}

/// The Pod that the words before name: `web`, `pod/web`, `pod web`, `web:/path`.
fn pod(typed: &Typed) -> Option<Pod> {
    let store = store(typed)?;
    typed.words.iter().find_map(|word| {
        let name = word.split_once(':').map_or(word.as_str(), |(pod, _path)| pod);
        let (namespace, name) = match name.split_once('/') {
            Some(("pod" | "pods" | "po", name)) => (typed.namespace(), name),
            Some((namespace, name)) => (namespace, name),
            None => (typed.namespace(), name),
        };
        store.get_as::<Pod>(&Key::new(PODS, namespace, name)).ok()
    })
}

fn store(typed: &Typed) -> Option<Store> {
    let folders = Folders::find(typed.root.as_deref()).ok()?;
    Store::look(&folders.objects()).ok().flatten()
}
