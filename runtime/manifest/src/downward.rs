//! The downward API: what a Pod may learn of itself, as text.
//!
//! One rendering for both ways in, environment variables and files of a downwardAPI volume.
//! Which paths are allowed where is decided by [`crate::validate`]; here every known path has a
//! value. Rule: `pkg/fieldpath` and `pkg/api/v1/resource` of Kubernetes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use k8s_openapi::api::core::v1::{
    Container, DownwardAPIVolumeFile, Pod, PodSpec, ResourceFieldSelector, ResourceRequirements,
};

use crate::field::quote;
use crate::quantity::Quantity;

/// What a Pod may learn that is not in its manifest.
#[derive(Clone, Debug, Default)]
pub struct DownwardStatus {
    /// The Pod's addresses, the first of them `status.podIP`.
    pub pod_ips: Vec<IpAddr>,
    /// The node's addresses, the first of them `status.hostIP`.
    pub host_ips: Vec<IpAddr>,
    /// The node's name, for a Pod whose spec names none.
    pub node_name: String,
    /// What the node can give: the limit of a container that has none.
    pub allocatable: LazyAllocatable,
}

/// What the node can give, found out when a container asks for it: most never do.
#[derive(Clone, Debug)]
pub struct LazyAllocatable(Arc<LazyLock<Allocatable, FindAllocatable>>);

type FindAllocatable = Box<dyn FnOnce() -> Allocatable + Send>;

impl LazyAllocatable {
    /// What `find` will find.
    pub fn new(find: impl FnOnce() -> Allocatable + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(find))))
    }

    fn get(&self) -> &Allocatable {
        &self.0
    }
}

impl From<Allocatable> for LazyAllocatable {
    fn from(known: Allocatable) -> Self {
        Self::new(move || known)
    }
}

impl Default for LazyAllocatable {
    fn default() -> Self {
        Allocatable::default().into()
    }
}

/// What a node can give to its Pods.
#[derive(Clone, Copy, Debug)]
pub struct Allocatable {
    /// Cores.
    pub cpu: Quantity,
    /// Bytes of memory.
    pub memory: Quantity,
    /// Bytes of local disk.
    pub ephemeral_storage: Quantity,
}

impl Default for Allocatable {
    fn default() -> Self {
        Self { cpu: Quantity::ZERO, memory: Quantity::ZERO, ephemeral_storage: Quantity::ZERO }
    }
}

/// Why a reference has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownwardError {
    /// A `fieldRef` to something that the downward API does not show.
    #[error("unsupported fieldPath: {0}")]
    FieldPath(String),
    /// A `resourceFieldRef` to something that is no resource of a container.
    #[error("unsupported container resource : {0}")]
    Resource(String),
    /// A `resourceFieldRef` to a container that the Pod does not have.
    #[error("container {0} not found")]
    Container(String),
    /// A file with neither kind of reference.
    #[error("one of fieldRef and resourceFieldRef is required")]
    Nothing,
}

/// The value of a `fieldRef`.
///
/// # Errors
/// [`DownwardError::FieldPath`] for a path that is not shown.
pub fn field(pod: &Pod, path: &str, status: &DownwardStatus) -> Result<String, DownwardError> {
    let unsupported = || DownwardError::FieldPath(path.to_owned());
    let metadata = &pod.metadata;
    if let Some((map, key)) = split_subscript(path) {
        let entries = match map {
            "metadata.labels" => &metadata.labels,
            "metadata.annotations" => &metadata.annotations,
            _ => return Err(unsupported()),
        };
        return Ok(entries.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default());
    }
    let spec = pod.spec.as_ref();
    Ok(match path {
        "metadata.name" => text(&metadata.name),
        "metadata.namespace" => text(&metadata.namespace),
        "metadata.uid" => text(&metadata.uid),
        "metadata.labels" => lines(metadata.labels.as_ref()),
        "metadata.annotations" => lines(metadata.annotations.as_ref()),
        "spec.nodeName" => {
            named(spec.and_then(|spec| spec.node_name.as_deref()), &status.node_name)
        }
        "spec.serviceAccountName" => {
            named(spec.and_then(|spec| spec.service_account_name.as_deref()), "default")
        }
        "status.podIP" => joined(status.pod_ips.get(..1)),
        "status.podIPs" => joined(Some(&status.pod_ips)),
        "status.hostIP" => joined(status.host_ips.get(..1)),
        "status.hostIPs" => joined(Some(&status.host_ips)),
        _ => return Err(unsupported()),
    })
}

/// The value of a `resourceFieldRef`: how many divisors, rounded up.
///
/// `container` is the one that a reference without `containerName` means. A limit that is not
/// set is the Pod's, else what the node can give; a request that is not set is 0.
///
/// # Errors
/// [`DownwardError`] for an unknown container or resource.
pub fn resource(
    pod: &Pod,
    container: Option<&Container>,
    selector: &ResourceFieldSelector,
    status: &DownwardStatus,
) -> Result<String, DownwardError> {
    let spec = pod.spec.as_ref();
    let named = selector.container_name.as_deref().filter(|name| !name.is_empty());
    let container = match named {
        Some(name) => find(spec, name).ok_or_else(|| DownwardError::Container(name.to_owned()))?,
        None => container.ok_or_else(|| DownwardError::Container(String::new()))?,
    };
    let unsupported = || DownwardError::Resource(selector.resource.clone());
    let own = container.resources.as_ref();
    let amount = match selector.resource.split_once('.').ok_or_else(unsupported)? {
        ("requests", name) if known(name) => {
            amount(own, name, Kind::Requests).unwrap_or(Quantity::ZERO)
        }
        ("limits", name) if known(name) => amount(own, name, Kind::Limits)
            .or_else(|| amount(spec.and_then(|spec| spec.resources.as_ref()), name, Kind::Limits))
            .unwrap_or_else(|| allocatable(status.allocatable.get(), name)),
        _ => return Err(unsupported()),
    };
    let divisor = selector.divisor.as_ref().and_then(|divisor| divisor.0.parse().ok());
    Ok(amount.div_ceil(divisor.unwrap_or(Quantity::ZERO)).to_string())
}

/// The content of a file of a downwardAPI volume.
///
/// # Errors
/// [`DownwardError`] as of [`field`] and [`resource`].
pub fn file(
    pod: &Pod,
    file: &DownwardAPIVolumeFile,
    status: &DownwardStatus,
) -> Result<String, DownwardError> {
    if let Some(selector) = &file.field_ref {
        field(pod, &selector.field_path, status)
    } else if let Some(selector) = &file.resource_field_ref {
        resource(pod, None, selector, status)
    } else {
        Err(DownwardError::Nothing)
    }
}

/// A path with a key, `metadata.labels['app']`, in its two parts.
pub(crate) fn split_subscript(path: &str) -> Option<(&str, &str)> {
    let (map, key) = path.strip_suffix("']")?.split_once("['")?;
    (!map.is_empty()).then_some((map, key))
}

/// A map as the lines of a file: `key="value"`, sorted, without a newline at the end.
fn lines(map: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<String> =
        map.into_iter().flatten().map(|(key, value)| format!("{key}={}", quote(value))).collect();
    lines.join("\n")
}

fn text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn named(name: Option<&str>, default: &str) -> String {
    name.filter(|name| !name.is_empty()).unwrap_or(default).to_owned()
}

fn joined(addresses: Option<&[IpAddr]>) -> String {
    let texts: Vec<String> = addresses.unwrap_or_default().iter().map(IpAddr::to_string).collect();
    texts.join(",")
}

fn find<'p>(spec: Option<&'p PodSpec>, name: &str) -> Option<&'p Container> {
    let spec = spec?;
    let init = spec.init_containers.as_deref().unwrap_or_default();
    spec.containers.iter().chain(init).find(|container| container.name == name)
}

#[derive(Clone, Copy)]
enum Kind {
    Requests,
    Limits,
}

fn known(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory" | "ephemeral-storage")
        || crate::resources::is_huge_page(resource)
}

fn amount(
    requirements: Option<&ResourceRequirements>,
    resource: &str,
    kind: Kind,
) -> Option<Quantity> {
    let requirements = requirements?;
    let list = match kind {
        Kind::Requests => &requirements.requests,
        Kind::Limits => &requirements.limits,
    };
    list.as_ref()?.get(resource)?.0.parse().ok()
}

fn allocatable(allocatable: &Allocatable, resource: &str) -> Quantity {
    match resource {
        "cpu" => allocatable.cpu,
        "memory" => allocatable.memory,
        "ephemeral-storage" => allocatable.ephemeral_storage,
        _ => Quantity::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": {
                "name": "web", "namespace": "default", "uid": "u-1",
                "labels": {"app": "web", "tier": "a \"b\""},
                "annotations": {"note": "two\nlines"},
            },
            "spec": {"containers": [
                {"name": "app", "resources": {
                    "limits": {"cpu": "1500m", "memory": "100Mi"},
                    "requests": {"cpu": "250m"},
                }},
                {"name": "side"},
            ]},
        }))
        .unwrap()
    }

    fn status() -> DownwardStatus {
        DownwardStatus {
            pod_ips: vec!["10.88.0.2".parse().unwrap(), "fd00::2".parse().unwrap()],
            host_ips: vec!["192.0.2.1".parse().unwrap()],
            node_name: "node-a".into(),
            allocatable: LazyAllocatable::new(|| Allocatable {
                cpu: "4".parse().unwrap(),
                memory: "8Gi".parse().unwrap(),
                ephemeral_storage: "10Gi".parse().unwrap(),
            }),
        }
    }

    #[test]
    fn fields_of_the_pod_and_its_status() {
        let table = [
            ("metadata.name", "web"),
            ("metadata.namespace", "default"),
            ("metadata.uid", "u-1"),
            ("metadata.labels['app']", "web"),
            ("metadata.labels['none']", ""),
            ("metadata.annotations['note']", "two\nlines"),
            ("metadata.labels", "app=\"web\"\ntier=\"a \\\"b\\\"\""),
            ("metadata.annotations", "note=\"two\\nlines\""),
            ("spec.nodeName", "node-a"),
            ("spec.serviceAccountName", "default"),
            ("status.podIP", "10.88.0.2"),
            ("status.podIPs", "10.88.0.2,fd00::2"),
            ("status.hostIP", "192.0.2.1"),
            ("status.hostIPs", "192.0.2.1"),
        ];
        for (path, value) in table {
            assert_eq!(field(&pod(), path, &status()).as_deref(), Ok(value), "{path}");
        }
        let error = field(&pod(), "status.phase", &status()).unwrap_err();
        assert_eq!(error.to_string(), "unsupported fieldPath: status.phase");
        assert!(field(&pod(), "spec.x['a']", &status()).is_err());
    }

    #[test]
    fn resources_of_a_container_rounded_up() {
        let table = [
            (None, "limits.cpu", None, "2"),
            (None, "limits.cpu", Some("1m"), "1500"),
            (None, "limits.memory", Some("1Mi"), "100"),
            (None, "limits.memory", None, "104857600"),
            (None, "requests.cpu", None, "1"),
            (None, "requests.memory", None, "0"),
            (None, "limits.ephemeral-storage", Some("1Gi"), "10"),
            (Some("side"), "limits.cpu", None, "4"),
            (Some("side"), "limits.memory", Some("1Gi"), "8"),
        ];
        for (container, name, divisor, value) in table {
            let pod = pod();
            let selector = ResourceFieldSelector {
                container_name: container.map(str::to_owned),
                divisor: divisor.map(|text| {
                    k8s_openapi::apimachinery::pkg::api::resource::Quantity(text.to_owned())
                }),
                resource: name.to_owned(),
            };
            let own = &pod.spec.as_ref().unwrap().containers[0];
            let found = resource(&pod, Some(own), &selector, &status());
            assert_eq!(found.as_deref(), Ok(value), "{name} / {divisor:?}");
        }
    }
}
