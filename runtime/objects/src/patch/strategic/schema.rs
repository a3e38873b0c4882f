//! How the fields of each type are merged.
//!
//! Rule: the tags `patchStrategy` and `patchMergeKey` of `k8s.io/api/core/v1`. What is not listed
//! has none: an object is merged field by field, a list is replaced.

/// The fields of a type that are merged in a way of their own, or lead to some that are.
#[derive(Debug)]
pub(super) struct Schema(&'static [(&'static str, Rule)]);

/// How a field is merged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// An object with fields of its own; what is no object is replaced.
    Plain(&'static Schema),
    /// A list of objects that are named by one of their fields.
    Named(Named),
    /// A list of plain values that is a set.
    Set,
}

/// A list of objects that are named by one of their fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// The field that names an element.
    pub(super) key: &'static str,
    /// The type of the elements.
    pub(super) element: &'static Schema,
    /// Whether an element that changes loses the fields that it no longer has: of a union, only
    /// one may be set.
    pub(super) retain_keys: RetainKeys,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetainKeys {
    Yes,
    No,
}

impl Schema {
    pub(super) fn rule(&self, field: &str) -> Rule {
        let found = self.0.iter().find(|(name, _)| *name == field);
        found.map_or(Rule::Plain(&PLAIN), |(_, rule)| *rule)
    }
}

/// The type of the objects of a kind.
pub(super) fn of_kind(kind: &str) -> &'static Schema {
    match kind {
        "Pod" => &POD,
        "Service" => &SERVICE,
        "PersistentVolumeClaim" | "Namespace" => &WITH_CONDITIONS,
        "Node" => &NODE,
        _ => &OBJECT,
    }
}

const fn named(key: &'static str, element: &'static Schema) -> Rule {
    Rule::Named(Named { key, element, retain_keys: RetainKeys::No })
}

const fn union(key: &'static str) -> Rule {
    Rule::Named(Named { key, element: &PLAIN, retain_keys: RetainKeys::Yes })
}

const META: (&str, Rule) = ("metadata", Rule::Plain(&OBJECT_META));
const CONDITIONS: (&str, Rule) = ("conditions", named("type", &PLAIN));

static PLAIN: Schema = Schema(&[]);
static OBJECT: Schema = Schema(&[META]);
static OBJECT_META: Schema =
    Schema(&[("finalizers", Rule::Set), ("ownerReferences", named("uid", &PLAIN))]);
static CONDITIONS_ONLY: Schema = Schema(&[CONDITIONS]);
static WITH_CONDITIONS: Schema = Schema(&[META, ("status", Rule::Plain(&CONDITIONS_ONLY))]);

static POD: Schema =
    Schema(&[META, ("spec", Rule::Plain(&POD_SPEC)), ("status", Rule::Plain(&POD_STATUS))]);
static POD_SPEC: Schema = Schema(&[
    ("containers", named("name", &CONTAINER)),
    ("initContainers", named("name", &CONTAINER)),
    ("ephemeralContainers", named("name", &CONTAINER)),
    ("volumes", union("name")),
    ("imagePullSecrets", named("name", &PLAIN)),
    ("hostAliases", named("ip", &PLAIN)),
    ("topologySpreadConstraints", named("topologyKey", &PLAIN)),
    ("schedulingGates", named("name", &PLAIN)),
    ("resourceClaims", union("name")),
]);
static CONTAINER: Schema = Schema(&[
    ("env", named("name", &PLAIN)),
    ("ports", named("containerPort", &PLAIN)),
    ("volumeMounts", named("mountPath", &PLAIN)),
    ("volumeDevices", named("devicePath", &PLAIN)),
]);
static POD_STATUS: Schema = Schema(&[
    CONDITIONS,
    ("hostIPs", named("ip", &PLAIN)),
    ("podIPs", named("ip", &PLAIN)),
    ("resourceClaimStatuses", union("name")),
]);

static SERVICE: Schema = Schema(&[
    META,
    ("spec", Rule::Plain(&SERVICE_SPEC)),
    ("status", Rule::Plain(&CONDITIONS_ONLY)),
]);
static SERVICE_SPEC: Schema = Schema(&[("ports", named("port", &PLAIN))]);

static NODE: Schema =
    Schema(&[META, ("spec", Rule::Plain(&NODE_SPEC)), ("status", Rule::Plain(&NODE_STATUS))]);
static NODE_SPEC: Schema = Schema(&[("podCIDRs", Rule::Set)]);
static NODE_STATUS: Schema = Schema(&[CONDITIONS, ("addresses", named("type", &PLAIN))]);
