//! Kinds of objects, and the keys under which they are kept.
//!
//! A [`Resource`] is a plain value: whoever needs a kind that is not listed here can describe it.

use std::fmt;

/// What the API server knows of a kind before it looks at an object of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version within the group, such as `v1`.
    pub version: &'static str,
    /// The plural in lower case, as URLs have it.
    pub plural: &'static str,
    /// The kind, as manifests have it.
    pub kind: &'static str,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
    /// Whether `status` is written apart from the rest.
    pub status: StatusSubresource,
    /// Whether `metadata.generation` counts the changes of `spec`.
    pub generation: Generation,
    /// How its objects go.
    pub deletion: Deletion,
}

/// Where objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// Once on a machine.
    Cluster,
}

/// Whether a kind has a status of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusSubresource {
    /// An update of the object leaves `status` as it is, and the other way round.
    Apart,
    /// The object is written as a whole.
    None,
}

/// Whether changes of `spec` are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// In `metadata.generation`.
    Counted,
    /// Not for this kind.
    None,
}

/// What a deletion does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deletion {
    /// It marks the object, which goes when its time is over: a Pod has to be stopped.
    Graceful,
    /// It takes the object away.
    Immediate,
}

const CORE: Resource = Resource {
    group: "",
    version: "v1",
    plural: "",
    kind: "",
    scope: Scope::Namespaced,
    status: StatusSubresource::None,
    generation: Generation::None,
    deletion: Deletion::Immediate,
};

/// Pods.
pub const PODS: Resource = Resource {
    plural: "pods",
    kind: "Pod",
    status: StatusSubresource::Apart,
    generation: Generation::Counted,
    deletion: Deletion::Graceful,
    ..CORE
};
/// ConfigMaps.
pub const CONFIG_MAPS: Resource = Resource { plural: "configmaps", kind: "ConfigMap", ..CORE };
/// Secrets.
pub const SECRETS: Resource = Resource { plural: "secrets", kind: "Secret", ..CORE };
/// PersistentVolumeClaims.
pub const PERSISTENT_VOLUME_CLAIMS: Resource = Resource {
    plural: "persistentvolumeclaims",
    kind: "PersistentVolumeClaim",
    status: StatusSubresource::Apart,
    ..CORE
};
/// Events of the core group.
pub const EVENTS: Resource = Resource { plural: "events", kind: "Event", ..CORE };
/// Services.
pub const SERVICES: Resource =
    Resource { plural: "services", kind: "Service", status: StatusSubresource::Apart, ..CORE };
/// Namespaces.
pub const NAMESPACES: Resource = Resource {
    plural: "namespaces",
    kind: "Namespace",
    scope: Scope::Cluster,
    status: StatusSubresource::Apart,
    ..CORE
};
/// Nodes.
pub const NODES: Resource = Resource {
    plural: "nodes",
    kind: "Node",
    scope: Scope::Cluster,
    status: StatusSubresource::Apart,
    ..CORE
};

/// The kinds of which this crate knows all rules.
pub const KNOWN: [Resource; 8] =
    [PODS, CONFIG_MAPS, SECRETS, PERSISTENT_VOLUME_CLAIMS, EVENTS, SERVICES, NAMESPACES, NODES];

impl Resource {
    /// The listed kind of this plural in the core group.
    pub fn of_plural(plural: &str) -> Option<Self> {
        KNOWN.into_iter().find(|known| known.plural == plural)
    }

    /// The listed kind of this name, such as `Pod`.
    pub fn of_kind(kind: &str) -> Option<Self> {
        KNOWN.into_iter().find(|known| known.kind == kind)
    }

    /// `v1`, or `group/version`.
    pub fn api_version(self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// As messages name it: `pods`, or `deployments.apps`.
    pub fn qualified(self) -> String {
        qualified(self.plural, self.group)
    }

    /// As messages name its kind: `Pod`, or `Deployment.apps`.
    pub fn qualified_kind(self) -> String {
        qualified(self.kind, self.group)
    }
}

fn qualified(name: &str, group: &str) -> String {
    match group {
        "" => name.to_owned(),
        group => format!("{name}.{group}"),
    }
}

/// The name of one object among all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Its kind.
    pub resource: Resource,
    /// Its namespace; empty where the kind has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of an object in a namespace.
    pub fn new(resource: Resource, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of an object of a kind without namespaces.
    pub fn cluster(resource: Resource, name: &str) -> Self {
        Self::new(resource, "", name)
    }
}

impl fmt::Display for Key {
    /// As a path: `pods/default/web`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/", self.resource.qualified())?;
        if self.resource.scope == Scope::Namespaced {
            write!(formatter, "{}/", self.namespace)?;
        }
        formatter.write_str(&self.name)
    }
}
