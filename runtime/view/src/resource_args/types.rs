//! The types of objects, with all their names.

/// A type of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Empty: the core group.
    pub group: &'static str,
    /// Of the group.
    pub version: &'static str,
    /// As objects have it: `ConfigMap`.
    pub kind: &'static str,
    /// `configmaps`
    pub plural: &'static str,
    /// `configmap`
    pub singular: &'static str,
    /// `cm`
    pub short_names: &'static [&'static str],
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Names for several types at once: `all`.
    pub categories: &'static [&'static str],
}

impl ResourceType {
    /// `configmap`, or `deployment.apps` outside the core group: what stands before a slash.
    pub fn prefix(&self) -> String {
        match self.group {
            "" => self.singular.to_owned(),
            group => format!("{}.{group}", self.singular),
        }
    }

    /// `v1`, or `apps/v1`.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }
}

/// A type of the core group.
const fn core(
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    short_names: &'static [&'static str],
) -> ResourceType {
    ResourceType {
        group: "",
        version: "v1",
        kind,
        plural,
        singular,
        short_names,
        namespaced: true,
        categories: &[],
    }
}

/// The types that this crate has columns for.
pub const BUILT_IN: &[ResourceType] = &[
    ResourceType { categories: &["all"], ..core("Pod", "pods", "pod", &["po"]) },
    ResourceType { categories: &["all"], ..core("Service", "services", "service", &["svc"]) },
    core("ConfigMap", "configmaps", "configmap", &["cm"]),
    core("Secret", "secrets", "secret", &[]),
    core("PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", &["pvc"]),
    core("Event", "events", "event", &["ev"]),
    ResourceType { namespaced: false, ..core("Namespace", "namespaces", "namespace", &["ns"]) },
    ResourceType { namespaced: false, ..core("Node", "nodes", "node", &["no"]) },
];
