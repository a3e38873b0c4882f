//! The environment of a container, as far as the Pod's spec tells it.

use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar, EnvVarSource, Pod};
use k8s_openapi::api::core::v1::{ObjectFieldSelector, ResourceFieldSelector};
use wasmpod_manifest::quantity::Quantity;

use super::sheet::Sheet;
use crate::quantity::amount;

pub(super) fn describe(sheet: &mut Sheet, container: &Container, pod: &Pod) {
    let sources = container.env_from.as_deref().unwrap_or_default();
    if !sources.is_empty() {
        sheet.write(2, "Environment Variables from:\n");
    }
    sources.iter().for_each(|source| sheet.write(3, from_source(source)));

    let variables = container.env.as_deref().unwrap_or_default();
    let none = if variables.is_empty() { "\t<none>" } else { "" };
    sheet.write(2, format!("Environment:{none}\n"));
    for variable in variables {
        match &variable.value_from {
            None => value(sheet, variable),
            Some(source) => {
                if let Some(text) = from(source, container, pod) {
                    sheet.write(3, format!("{}:\t{text}\n", variable.name));
                }
            }
        }
    }
}

fn from_source(source: &EnvFromSource) -> String {
    let (kind, name, optional) = if let Some(map) = &source.config_map_ref {
        ("ConfigMap", map.name.as_str(), map.optional)
    } else if let Some(secret) = &source.secret_ref {
        ("Secret", secret.name.as_str(), secret.optional)
    } else {
        ("", "", None)
    };
    let prefix = source.prefix.as_deref().filter(|prefix| !prefix.is_empty());
    let prefix = prefix.map(|prefix| format!(" with prefix '{prefix}'")).unwrap_or_default();
    format!("{name}\t{kind}{prefix}\tOptional: {}\n", optional == Some(true))
}

fn value(sheet: &mut Sheet, variable: &EnvVar) {
    let value = variable.value.as_deref().unwrap_or_default();
    for (at, line) in value.split('\n').enumerate() {
        let name = if at == 0 { format!("{}:", variable.name) } else { String::new() };
        sheet.write(3, format!("{name}\t{line}\n"));
    }
}

fn from(source: &EnvVarSource, container: &Container, pod: &Pod) -> Option<String> {
    if let Some(field) = &source.field_ref {
        let version = field.api_version.as_deref().unwrap_or_default();
        Some(format!("{} ({version}:{})", of_pod(field, pod), field.field_path))
    } else if let Some(resource) = &source.resource_field_ref {
        Some(format!("{} ({})", of_container(resource, container), resource.resource))
    } else if let Some(key) = &source.secret_key_ref {
        let optional = key.optional == Some(true);
        let (key, name) = (&key.key, &key.name);
        Some(format!("<set to the key '{key}' in secret '{name}'>\tOptional: {optional}"))
    } else {
        let key = source.config_map_key_ref.as_ref()?;
        let optional = key.optional == Some(true);
        let (key, name) = (&key.key, &key.name);
        Some(format!("<set to the key '{key}' of config map '{name}'>\tOptional: {optional}"))
    }
}

/// kubectl resolves these two fields and no others.
fn of_pod<'pod>(field: &ObjectFieldSelector, pod: &'pod Pod) -> &'pod str {
    let text = match field.field_path.as_str() {
        "metadata.name" => pod.metadata.name.as_deref(),
        "metadata.namespace" => pod.metadata.namespace.as_deref(),
        _ => None,
    };
    text.unwrap_or_default()
}

fn of_container(field: &ResourceFieldSelector, container: &Container) -> String {
    let Some((side, name)) = field.resource.split_once('.') else { return String::new() };
    let resources = container.resources.as_ref();
    let amounts = match side {
        "limits" => resources.and_then(|resources| resources.limits.as_ref()),
        "requests" => resources.and_then(|resources| resources.requests.as_ref()),
        _ => return String::new(),
    };
    if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !name.starts_with("hugepages-") {
        return String::new();
    }
    let amount_of = amounts.and_then(|amounts| amounts.get(name)).map_or(Quantity::ZERO, amount);
    let divisor = field.divisor.as_ref().map_or(Quantity::ZERO, amount);
    let divisor = if divisor.is_zero() { Quantity::units(1) } else { divisor };
    let text = amount_of.div_ceil(divisor).to_string();
    match (text.as_str(), side, name) {
        ("0", "limits", "cpu" | "memory") => "node allocatable".to_owned(),
        (_, _, _) => text,
    }
}
