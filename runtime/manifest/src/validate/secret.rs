//! A Secret, and what its type promises to hold.

use k8s_openapi::api::core::v1::Secret;
use serde_json::{Map, Value};

use super::absent::text;
use super::config_map::MOST_BYTES;
use super::{metadata, names};
use crate::field::{Errors, FieldError, Place};

const SERVICE_ACCOUNT: &str = "kubernetes.io/service-account.name";

/// Every rule that `secret` breaks; `stringData` is expected to be part of `data` already.
pub fn secret(secret: &Secret) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&secret.metadata, &Place::top("metadata"), &mut errors);
    let at = Place::top("data");
    let mut bytes = 0;
    for (key, value) in secret.data.iter().flatten() {
        errors.invalid_each(&at.key(key), key, names::config_map_key(key));
        bytes += value.0.len();
    }
    if bytes > MOST_BYTES {
        errors.too_long(&at, MOST_BYTES);
    }
    content(secret, &at, &mut errors);
    errors.into_vec()
}

fn content(secret: &Secret, at: &Place<'_>, errors: &mut Errors) {
    let value = |key: &str| secret.data.as_ref()?.get(key);
    match text(&secret.type_) {
        "kubernetes.io/service-account-token" => {
            let annotations = secret.metadata.annotations.as_ref();
            let account = annotations.and_then(|own| own.get(SERVICE_ACCOUNT));
            if account.is_none_or(String::is_empty) {
                let at = Place::top("metadata");
                let at = at.field("annotations");
                errors.required(&at.key(SERVICE_ACCOUNT), "");
            }
        }
        "kubernetes.io/dockercfg" => json(value(".dockercfg"), &at.key(".dockercfg"), errors),
        "kubernetes.io/dockerconfigjson" => {
            json(value(".dockerconfigjson"), &at.key(".dockerconfigjson"), errors);
        }
        "kubernetes.io/basic-auth"
            if value("username").is_none() && value("password").is_none() =>
        {
            errors.required(&at.key("username"), "");
            errors.required(&at.key("password"), "");
        }
        "kubernetes.io/ssh-auth" if value("ssh-privatekey").is_none_or(|key| key.0.is_empty()) => {
            errors.required(&at.key("ssh-privatekey"), "");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if value(key).is_none() {
                    errors.required(&at.key(key), "");
                }
            }
        }
        _ => {}
    }
}

/// A value that must be a JSON object; what it holds is not printed.
fn json(value: Option<&k8s_openapi::ByteString>, at: &Place<'_>, errors: &mut Errors) {
    let Some(value) = value else {
        return errors.required(at, "");
    };
    if let Err(error) = serde_json::from_slice::<Map<String, Value>>(&value.0) {
        errors.invalid(at, "<secret contents redacted>", error.to_string());
    }
}
