//! A patch of a Pod, applied. Pure.
//!
//! Rule: the strategic merge patch of Kubernetes, as far as a resize has a use for it: objects are
//! merged, null removes, the containers are merged by name, every other list is replaced. A JSON
//! merge patch (RFC 7386) replaces the containers too.

use serde_json::{Map, Value};

/// Which kind of patch it is: `--type` of `kubectl patch`, or its `Content-Type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PatchKind {
    /// `application/strategic-merge-patch+json`
    #[default]
    Strategic,
    /// `application/merge-patch+json`
    Merge,
}

impl PatchKind {
    /// The media type of such a patch.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Merge => "application/merge-patch+json",
        }
    }

    /// The kind of a patch with this `Content-Type`.
    pub fn of_content_type(text: &str) -> Option<Self> {
        let media_type = text.split(';').next().unwrap_or_default().trim();
        [Self::Strategic, Self::Merge].into_iter().find(|kind| kind.content_type() == media_type)
    }
}

/// A patch that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It is no object.
    #[error("the patch is no JSON object")]
    NoObject,
    /// An element of a list that is merged by name has none.
    #[error("{path}: each element needs its `name`")]
    NoName {
        /// The list.
        path: String,
    },
    /// A directive of strategic merge patches.
    #[error("{path}: directives such as `$patch` are not supported: write the values themselves")]
    Directive {
        /// Where it stands.
        path: String,
    },
}

/// Lists whose elements are merged by their `name`.
const BY_NAME: [&str; 2] = ["spec.containers", "spec.initContainers"];

/// `target` with `patch` applied.
///
/// # Errors
/// [`PatchError`]
pub(super) fn patched(
    mut target: Value,
    patch: &Value,
    kind: PatchKind,
) -> Result<Value, PatchError> {
    let patch = patch.as_object().ok_or(PatchError::NoObject)?;
    merge(object(&mut target), patch, kind, "")?;
    Ok(target)
}

fn merge(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    kind: PatchKind,
    path: &str,
) -> Result<(), PatchError> {
    for (key, value) in patch {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if kind == PatchKind::Strategic && key.starts_with('$') {
            return Err(PatchError::Directive { path });
        }
        match value {
            Value::Null => {
                target.remove(key);
            }
            Value::Object(value) => {
                let inner = target.entry(key.as_str()).or_insert(Value::Null);
                merge(object(inner), value, kind, &path)?;
            }
            Value::Array(elements)
                if kind == PatchKind::Strategic && BY_NAME.contains(&path.as_str()) =>
            {
                let list = target.entry(key.as_str()).or_insert_with(|| Value::Array(Vec::new()));
                merge_by_name(list, elements, kind, &path)?;
            }
            other => {
                target.insert(key.clone(), other.clone());
            }
        }
    }
    Ok(())
}

fn merge_by_name(
    list: &mut Value,
    elements: &[Value],
    kind: PatchKind,
    path: &str,
) -> Result<(), PatchError> {
    let no_name = || PatchError::NoName { path: path.to_owned() };
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Value::Array(list) = list else { return Ok(()) };
    for element in elements {
        let element = element.as_object().ok_or_else(no_name)?;
        let name = element.get("name").ok_or_else(no_name)?;
        let known = list.iter_mut().find(|known| known.get("name") == Some(name));
        // An element of a new name is refused later, by the rules for a resize.
        let known = match known {
            Some(known) => known,
            None => {
                list.push(Value::Null);
                list.last_mut().expect("pushed just now")
            }
        };
        merge(object(known), element, kind, &format!("{path}[name={name}]"))?;
    }
    Ok(())
}

/// What is no object becomes an empty one.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("made one above")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Value {
        json!({ "spec": {
            "containers": [
                { "name": "a", "image": "a.wasm",
                  "resources": { "limits": { "cpu": "1", "memory": "64Mi" } } },
                { "name": "b", "args": ["x", "y"] },
            ],
            "restartPolicy": "Always",
        } })
    }

    #[test]
    fn containers_are_merged_by_name_and_all_else_stays() {
        let patch = json!({ "spec": { "containers": [
            { "name": "b", "args": ["z"], "resources": { "limits": { "cpu": "2" } } },
            { "name": "a", "resources": { "limits": { "memory": null, "cpu": "3" } } },
        ] } });
        let expected = json!({ "spec": {
            "containers": [
                { "name": "a", "image": "a.wasm", "resources": { "limits": { "cpu": "3" } } },
                { "name": "b", "args": ["z"], "resources": { "limits": { "cpu": "2" } } },
            ],
            "restartPolicy": "Always",
        } });
        assert_eq!(patched(pod(), &patch, PatchKind::Strategic), Ok(expected));
    }

    #[test]
    fn a_merge_patch_replaces_the_containers() {
        let patch = json!({ "spec": { "containers": [{ "name": "a" }], "restartPolicy": null } });
        let expected = json!({ "spec": { "containers": [{ "name": "a" }] } });
        assert_eq!(patched(pod(), &patch, PatchKind::Merge), Ok(expected));
    }

    #[test]
    fn what_is_no_patch_is_refused() {
        let strategic = |patch: Value| patched(pod(), &patch, PatchKind::Strategic).unwrap_err();
        assert_eq!(strategic(json!([])), PatchError::NoObject);
        assert_eq!(
            strategic(json!({ "spec": { "containers": [{}] } })).to_string(),
            "spec.containers: each element needs its `name`"
        );
        let directive = json!({ "spec": { "containers": [{ "name": "a", "$patch": "delete" }] } });
        assert!(matches!(strategic(directive), PatchError::Directive { .. }));
    }

    #[test]
    fn a_content_type_names_the_kind() {
        for kind in [PatchKind::Strategic, PatchKind::Merge] {
            assert_eq!(PatchKind::of_content_type(kind.content_type()), Some(kind));
        }
        let with_charset = "application/merge-patch+json; charset=utf-8";
        assert_eq!(PatchKind::of_content_type(with_charset), Some(PatchKind::Merge));
        assert_eq!(PatchKind::of_content_type("application/json-patch+json"), None);
    }
}
