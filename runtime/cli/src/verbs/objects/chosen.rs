//! From the arguments of a verb to the objects that it is about.

use serde_json::Value;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::resource::Scope;
use wasmpod_objects::selector::{
    FieldSelector, LabelSelector, Selection as Selectors, SelectorError,
};
use wasmpod_objects::store::{Namespaces, Revision};
use wasmpod_objects::{Key, Resource};
use wasmpod_view::resource_args::{ArgsOptions, Asked, BUILT_IN, NoName, ResourceType, parse};

use super::desired;
use crate::args::Selection;
use crate::failure::Failure;

/// Where what was named is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Error,
    Fine,
}

/// Whether objects were named, or found by what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByName {
    Yes,
    No,
}

/// What a verb is about.
pub(super) struct Wanted {
    pub(super) asked: Vec<Part>,
    pub(super) by_name: ByName,
    pub(super) all_namespaces: bool,
    pub(super) namespace: String,
}

/// A kind, or one object of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Those that the selectors take.
    Kind(Resource, Selectors),
    One(Key),
}

/// An object that was found.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) key: Key,
    pub(super) object: Value,
}

/// All that were found.
pub(super) struct Found {
    pub(super) objects: Vec<Chosen>,
    /// What is named and not there: kubectl goes on, and fails at the end.
    pub(super) missing: Vec<Failure>,
    /// From here on a watch misses nothing.
    pub(super) revision: Revision,
}

/// Reads the arguments; `all` is the flag of that name, `no_name` what a kind alone means.
///
/// # Errors
/// In kubectl's words.
pub(super) fn wanted(selection: &Selection, no_name: NoName, all: bool) -> Result<Wanted, Failure> {
    let has_selector = selection.selector.is_some() || selection.field_selector.is_some();
    let namespace = selection.namespace.name().to_owned();
    let filenames = &selection.manifests.filenames;
    if !filenames.is_empty() {
        if !selection.targets.is_empty() || has_selector {
            return Err(Failure::kubectl(
                "when paths, URLs, or stdin is provided as input, you may not specify a resource \
                 by arguments as well",
            ));
        }
        let desired = desired::read(filenames, &selection.namespace)?;
        let parts = desired
            .into_iter()
            .map(|one| Part::One(Key::new(one.resource, &one.namespace, &one.name)));
        let asked = parts.collect();
        let all_namespaces = false;
        return Ok(Wanted { asked, by_name: ByName::Yes, all_namespaces, namespace });
    }
    let options = ArgsOptions {
        selector: all || has_selector,
        all_namespaces: selection.all_namespaces,
        no_name,
    };
    let asked = parse(&selection.targets, BUILT_IN, options)
        .map_err(|error| Failure::kubectl(error.to_string()))?;
    let (asked, by_name) = match asked {
        Asked::Types(types) => {
            let kind = |type_| {
                let resource = resource(type_)?;
                Ok(Part::Kind(resource, selectors(selection, resource)?))
            };
            (types.into_iter().map(kind).collect::<Result<_, Failure>>()?, ByName::No)
        }
        Asked::Named(named) => {
            let one = |named: wasmpod_view::resource_args::Named<'_>| {
                let resource = resource(named.type_)?;
                Ok(Part::One(match resource.scope {
                    Scope::Namespaced => Key::new(resource, &namespace, &named.name),
                    Scope::Cluster => Key::cluster(resource, &named.name),
                }))
            };
            (named.into_iter().map(one).collect::<Result<_, Failure>>()?, ByName::Yes)
        }
    };
    let all_namespaces = selection.all_namespaces;
    Ok(Wanted { asked, by_name, all_namespaces, namespace })
}

fn resource(type_: &ResourceType) -> Result<Resource, Failure> {
    Resource::of_plural(type_.plural).ok_or_else(|| {
        Failure::kubectl(format!("the server doesn't have a resource type {:?}", type_.plural))
    })
}

/// The selectors of a command line, for objects of a kind.
///
/// # Errors
/// In the words of the API.
fn selectors(selection: &Selection, resource: Resource) -> Result<Selectors, Failure> {
    let wrong = |error: SelectorError| Failure::kubectl(error.to_string());
    let labels = selection.selector.as_deref().map(str::parse::<LabelSelector>).transpose();
    let fields = selection.field_selector.as_deref();
    let fields = fields.map(|text| FieldSelector::parse(resource, text)).transpose();
    Ok(Selectors {
        labels: labels.map_err(wrong)?.unwrap_or_default(),
        fields: fields.map_err(wrong)?.unwrap_or_default(),
    })
}

impl Wanted {
    /// Looks for what is wanted.
    ///
    /// # Errors
    /// The store fails. What is named and not there is in [`Found::missing`], unless that is fine.
    pub(super) fn find(&self, pods: &BackgroundPods, missing: Missing) -> Result<Found, Failure> {
        let store = pods.store();
        let mut found =
            Found { objects: Vec::new(), missing: Vec::new(), revision: store.revision()? };
        for part in &self.asked {
            match part {
                Part::Kind(resource, selectors) => {
                    let list = store.list(*resource, self.namespaces(), selectors)?;
                    let chosen = list
                        .items
                        .into_iter()
                        .map(|object| Chosen { key: key_of(*resource, &object), object });
                    found.objects.extend(chosen);
                }
                Part::One(key) => match store.get(key) {
                    Ok(object) => found.objects.push(Chosen { key: key.clone(), object }),
                    Err(error) if error.is_not_found() => {
                        if missing == Missing::Error {
                            found.missing.push(error.into());
                        }
                    }
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(found)
    }

    pub(super) fn namespaces(&self) -> Namespaces<'_> {
        if self.all_namespaces { Namespaces::All } else { Namespaces::One(&self.namespace) }
    }
}

impl Found {
    /// Fails with the last of what is missing, once all others have been told.
    ///
    /// # Errors
    /// Something is missing.
    pub(super) fn settle(self) -> Result<(), Failure> {
        Failure::last_of(self.missing).map(drop)
    }
}

/// The key of an object of a kind.
pub(super) fn key_of(resource: Resource, object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    match resource.scope {
        Scope::Namespaced => Key::new(resource, text("namespace"), text("name")),
        Scope::Cluster => Key::cluster(resource, text("name")),
    }
}
