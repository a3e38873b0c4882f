//! The objects that a Pod refers to.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmpod::manifest::Manifest;
use wasmpod_objects::resource::{CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SECRETS};
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, Store, StoreError};
use wasmpod_objects::{Key, Resource};

/// What a Pod may find of what it refers to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Referred {
    config_maps: Vec<ConfigMap>,
    secrets: Vec<Secret>,
    persistent_volume_claims: Vec<PersistentVolumeClaim>,
}

impl Referred {
    /// What `pod` refers to, as it is now; what is not there, or cannot be read, is left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(super) fn by(pod: &Pod, store: &Store) -> Result<Self, StoreError> {
        let spec = serde_json::to_value(&pod.spec).unwrap_or_default();
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let names = words(&spec);
        Ok(Self {
            config_maps: read(store, CONFIG_MAPS, namespace, &names)?,
            secrets: read(store, SECRETS, namespace, &names)?,
            persistent_volume_claims: read(store, PERSISTENT_VOLUME_CLAIMS, namespace, &names)?,
        })
    }
}

impl From<Referred> for Manifest {
    fn from(referred: Referred) -> Self {
        let Referred { config_maps, secrets, persistent_volume_claims } = referred;
        Self { config_maps, secrets, persistent_volume_claims, ..Self::default() }
    }
}

#[derive(Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

fn read<Kind: DeserializeOwned>(
    store: &Store,
    resource: Resource,
    namespace: &str,
    names: &BTreeSet<&str>,
) -> Result<Vec<Kind>, StoreError> {
    let all = Selection::default();
    let there = store.list_as::<Named>(resource, Namespaces::One(namespace), &all)?.items;
    let mut found = Vec::new();
    for Named { metadata: Name { name } } in there {
        if !names.contains(name.as_str()) {
            continue;
        }
        match store.get(&Key::new(resource, namespace, &name)) {
            Ok(object) => found.extend(serde_json::from_value(object).ok()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Every text of a spec: the names of all that it refers to are among them, wherever a version of the API
/// has them.
pub(super) fn words(spec: &Value) -> BTreeSet<&str> {
    let mut words = BTreeSet::new();
    let mut left = vec![spec];
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => {
                words.insert(text.as_str());
            }
            Value::Array(values) => left.extend(values),
            Value::Object(fields) => left.extend(fields.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wasmpod_objects::store::Create;

    use super::*;

    #[test]
    fn a_pod_gets_what_it_refers_to_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for (resource, name) in [
            (CONFIG_MAPS, "settings"),
            (CONFIG_MAPS, "others"),
            (SECRETS, "key"),
            (SECRETS, "settings-of-others"),
        ] {
            let object = json!({ "metadata": { "name": name } });
            store.create(resource, "default", object, &Create::default()).unwrap();
        }
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "web", "namespace": "default" },
            "spec": {
                "containers": [{ "name": "web", "envFrom": [{ "configMapRef": { "name": "settings" } }] }],
                "volumes": [{ "name": "keys", "projected": { "sources": [{ "secret": { "name": "key" } }] } }],
            },
        }))
        .unwrap();
        let referred = Referred::by(&pod, &store).unwrap();
        let names = |names: Vec<Option<String>>| names.into_iter().flatten().collect::<Vec<_>>();
        let maps = referred.config_maps.into_iter().map(|map| map.metadata.name).collect();
        let secrets = referred.secrets.into_iter().map(|secret| secret.metadata.name).collect();
        assert_eq!(
            (names(maps), names(secrets)),
            (vec!["settings".to_owned()], vec!["key".to_owned()])
        );
    }
}
