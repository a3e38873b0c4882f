//! Which description an object has.

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{claim, config_map, namespace, node, other, pod, secret, service};

/// The object does not read as the kind it says it is.
#[derive(Debug, Error)]
#[error("cannot describe {name:?}: it is no {kind}")]
pub struct DescribeError {
    /// Of the object.
    pub name: String,
    /// What it says it is.
    pub kind: String,
    /// What is wrong with it.
    #[source]
    pub source: serde_json::Error,
}

/// Describes `object`, with a line break at the end. kubectl puts two more between descriptions.
///
/// # Errors
/// The object does not read as its kind.
pub fn describe(object: &Value, around: &Surroundings) -> Result<String, DescribeError> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let mut sheet = Sheet::new();
    let page = &mut sheet;
    match (text("apiVersion"), text("kind")) {
        ("v1", "Pod") => pod::describe(page, &typed(object)?, around),
        ("v1", "ConfigMap") => config_map::describe(page, &typed(object)?, around),
        ("v1", "Secret") => secret::describe(page, &typed(object)?),
        ("v1", "PersistentVolumeClaim") => claim::describe(page, &typed(object)?, around),
        ("v1", "Service") => service::describe(page, &typed(object)?, around),
        ("v1", "Node") => node::describe(page, &typed(object)?, around),
        ("v1", "Namespace") => namespace::describe(page, &typed(object)?, around),
        (_, _) => other::describe(page, object, around),
    }
    Ok(sheet.finish())
}

fn typed<Object: DeserializeOwned>(object: &Value) -> Result<Object, DescribeError> {
    Object::deserialize(object).map_err(|source| DescribeError {
        name: object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        kind: object["kind"].as_str().unwrap_or_default().to_owned(),
        source,
    })
}
