//! The kinds and their rules.

use k8s_openapi::api::core::v1::{ConfigMap, Event, PersistentVolumeClaim, Pod, Secret, Service};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wasmpod_manifest::field::FieldError;
use wasmpod_manifest::{defaults, validate};

use crate::resource::StatusSubresource;
use crate::status::ApiError;
use crate::{Resource, metadata};

/// The rules of one kind.
struct Rules<Kind> {
    default: fn(&mut Kind),
    /// What a change does not speak of, from what there was.
    keep: fn(&mut Kind, &Kind),
    validate: fn(&Kind) -> Vec<FieldError>,
    update: fn(&Kind, &Kind) -> Vec<FieldError>,
}

const POD: Rules<Pod> = Rules {
    default: defaults::apply,
    keep: |_, _| {},
    validate: validate::pod,
    update: validate::pod_update,
};
const CONFIG_MAP: Rules<ConfigMap> = Rules {
    default: defaults::config_map,
    keep: |_, _| {},
    validate: validate::config_map,
    update: validate::config_map_update,
};
const SECRET: Rules<Secret> = Rules {
    default: defaults::secret,
    keep: |_, _| {},
    validate: validate::secret,
    update: validate::secret_update,
};
const CLAIM: Rules<PersistentVolumeClaim> = Rules {
    default: defaults::persistent_volume_claim,
    keep: |_, _| {},
    validate: validate::persistent_volume_claim,
    update: validate::persistent_volume_claim_update,
};
const SERVICE: Rules<Service> = Rules {
    default: defaults::service,
    keep: defaults::service_update,
    validate: validate::service,
    update: validate::service_update,
};
const EVENT: Rules<Event> = Rules {
    default: |_| {},
    keep: |_, _| {},
    validate: validate::event,
    update: |_, _| Vec::new(),
};

/// A client's new object, with its defaults.
///
/// # Errors
/// `BadRequest` if it is no such object, `Invalid` if it breaks a rule.
pub(crate) fn for_create(resource: Resource, object: Value) -> Result<Value, ApiError> {
    each(resource, object, None)
}

/// A client's new state of an object, with its defaults.
///
/// # Errors
/// As for [`for_create`]; a change that is not allowed is `Invalid` too.
pub(crate) fn for_update(
    resource: Resource,
    object: Value,
    stored: &Value,
) -> Result<Value, ApiError> {
    each(resource, object, Some(stored))
}

fn each(resource: Resource, object: Value, stored: Option<&Value>) -> Result<Value, ApiError> {
    match (resource.group, resource.kind) {
        ("", "Pod") => POD.apply(resource, object, stored),
        ("", "ConfigMap") => CONFIG_MAP.apply(resource, object, stored),
        ("", "Secret") => SECRET.apply(resource, object, stored),
        ("", "PersistentVolumeClaim") => CLAIM.apply(resource, object, stored),
        ("", "Service") => SERVICE.apply(resource, object, stored),
        ("", "Event") => EVENT.apply(resource, object, stored),
        _ => Ok(object),
    }
}

impl<Kind: DeserializeOwned + Serialize> Rules<Kind> {
    fn apply(
        &self,
        resource: Resource,
        object: Value,
        stored: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let mut new = decoded::<Kind>(resource, object)?;
        let mut old = stored.map(|stored| decoded::<Kind>(resource, stored.clone())).transpose()?;
        if let Some(old) = &mut old {
            // The machine itself may have written it without.
            (self.default)(old);
            (self.keep)(&mut new, old);
        }
        (self.default)(&mut new);
        let mut errors = (self.validate)(&new);
        if let Some(old) = &old {
            errors.extend((self.update)(&new, old));
        }
        let mut new = serde_json::to_value(&new).map_err(ApiError::internal)?;
        if !errors.is_empty() {
            return Err(ApiError::invalid(resource, metadata::text(&new, "name"), &errors));
        }
        if stored.is_none() && resource.status == StatusSubresource::Apart {
            begin(resource, &mut new);
        }
        Ok(new)
    }
}

/// A client cannot say how things stand with what there was not before.
fn begin(resource: Resource, object: &mut Value) {
    let status = match resource.kind {
        "Service" => json!({ "loadBalancer": {} }),
        _ => json!({ "phase": "Pending" }),
    };
    if let Some(fields) = object.as_object_mut() {
        fields.insert("status".to_owned(), status);
    }
}

fn decoded<Kind: DeserializeOwned>(resource: Resource, object: Value) -> Result<Kind, ApiError> {
    serde_json::from_value(object).map_err(|error| {
        ApiError::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: {error}",
            resource.version,
            kind = resource.kind,
        ))
    })
}
