//! The kinds of Kubernetes itself, with the version that each is served in.

use crate::manifest::WorkloadKind;
use crate::strict::nearest;

/// What to do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    Pod,
    Workload(WorkloadKind),
    ConfigMap,
    Secret,
    PersistentVolumeClaim,
    Service,
    /// Its items are objects.
    List,
    /// Of no effect here.
    Skip,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) kind: &'static str,
    pub(super) api_version: &'static str,
    pub(super) treatment: Treatment,
}

/// Which kind was meant by a pair of `kind` and `apiVersion`.
#[derive(Debug)]
pub(super) enum Match {
    Known(Known),
    /// A list of one kind (`PodList`), whose items may leave their kind out.
    ListOf(Known),
    /// Of somebody else's API, a custom resource, or of a group without any effect here.
    Foreign,
    /// The kind is known, its version is another.
    WrongVersion(Known),
    /// Nothing of Kubernetes; perhaps a misspelt one.
    Unknown {
        nearest: Option<&'static str>,
    },
}

const fn known(kind: &'static str, api_version: &'static str, treatment: Treatment) -> Known {
    Known { kind, api_version, treatment }
}

const fn workload(api_version: &'static str, kind: WorkloadKind) -> Known {
    known(kind.as_str(), api_version, Treatment::Workload(kind))
}

const fn skipped(kind: &'static str, api_version: &'static str) -> Known {
    known(kind, api_version, Treatment::Skip)
}

static KNOWN: &[Known] = &[
    known("Pod", "v1", Treatment::Pod),
    known("ConfigMap", "v1", Treatment::ConfigMap),
    known("Secret", "v1", Treatment::Secret),
    known("PersistentVolumeClaim", "v1", Treatment::PersistentVolumeClaim),
    known("Service", "v1", Treatment::Service),
    known("List", "v1", Treatment::List),
    workload("batch/v1", WorkloadKind::CronJob),
    workload("apps/v1", WorkloadKind::DaemonSet),
    workload("apps/v1", WorkloadKind::Deployment),
    workload("batch/v1", WorkloadKind::Job),
    workload("v1", WorkloadKind::PodTemplate),
    workload("apps/v1", WorkloadKind::ReplicaSet),
    workload("v1", WorkloadKind::ReplicationController),
    workload("apps/v1", WorkloadKind::StatefulSet),
    skipped("APIService", "apiregistration.k8s.io/v1"),
    skipped("Binding", "v1"),
    skipped("CSIDriver", "storage.k8s.io/v1"),
    skipped("CSINode", "storage.k8s.io/v1"),
    skipped("CSIStorageCapacity", "storage.k8s.io/v1"),
    skipped("CertificateSigningRequest", "certificates.k8s.io/v1"),
    skipped("ClusterRole", "rbac.authorization.k8s.io/v1"),
    skipped("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    skipped("ClusterTrustBundle", "certificates.k8s.io/v1beta1"),
    skipped("ComponentStatus", "v1"),
    skipped("ControllerRevision", "apps/v1"),
    skipped("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    skipped("DeviceClass", "resource.k8s.io/v1"),
    skipped("EndpointSlice", "discovery.k8s.io/v1"),
    skipped("Endpoints", "v1"),
    skipped("Event", "v1"),
    skipped("Event", "events.k8s.io/v1"),
    skipped("FlowSchema", "flowcontrol.apiserver.k8s.io/v1"),
    skipped("HorizontalPodAutoscaler", "autoscaling/v2"),
    skipped("IPAddress", "networking.k8s.io/v1"),
    skipped("Ingress", "networking.k8s.io/v1"),
    skipped("IngressClass", "networking.k8s.io/v1"),
    skipped("Lease", "coordination.k8s.io/v1"),
    skipped("LimitRange", "v1"),
    skipped("MutatingAdmissionPolicy", "admissionregistration.k8s.io/v1"),
    skipped("MutatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1"),
    skipped("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    skipped("Namespace", "v1"),
    skipped("NetworkPolicy", "networking.k8s.io/v1"),
    skipped("Node", "v1"),
    skipped("PersistentVolume", "v1"),
    skipped("PodDisruptionBudget", "policy/v1"),
    skipped("PodSecurityPolicy", "policy/v1beta1"),
    skipped("PriorityClass", "scheduling.k8s.io/v1"),
    skipped("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1"),
    skipped("ResourceClaim", "resource.k8s.io/v1"),
    skipped("ResourceClaimTemplate", "resource.k8s.io/v1"),
    skipped("ResourceQuota", "v1"),
    skipped("ResourceSlice", "resource.k8s.io/v1"),
    skipped("Role", "rbac.authorization.k8s.io/v1"),
    skipped("RoleBinding", "rbac.authorization.k8s.io/v1"),
    skipped("RuntimeClass", "node.k8s.io/v1"),
    skipped("ServiceAccount", "v1"),
    skipped("ServiceCIDR", "networking.k8s.io/v1"),
    skipped("StorageClass", "storage.k8s.io/v1"),
    skipped("StorageVersionMigration", "storagemigration.k8s.io/v1"),
    skipped("ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1"),
    skipped("ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io/v1"),
    skipped("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    skipped("VolumeAttributesClass", "storage.k8s.io/v1"),
    skipped("VolumeAttachment", "storage.k8s.io/v1"),
    // Not of the API server, but of the tools around it; it lies beside manifests.
    skipped("Kustomization", "kustomize.config.k8s.io/v1beta1"),
];

/// The version that a kind is served in, for whoever left it out.
pub(crate) fn version_of(kind: &str) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.kind == kind).map(|known| known.api_version)
}

pub(super) fn find(kind: &str, api_version: &str) -> Match {
    if let Some(known) = lookup(kind, api_version) {
        return known;
    }
    if let Some(item) = kind.strip_suffix("List")
        && let Some(Match::Known(known)) = lookup(item, api_version)
        && known.treatment != Treatment::List
    {
        return Match::ListOf(known);
    }
    if is_foreign(group_of(api_version)) {
        return Match::Foreign;
    }
    let nearest = nearest(kind, KNOWN.iter().map(|known| known.kind));
    if nearest.is_none() && group_of(api_version).contains('.') {
        // The kinds that Pods come from live in groups without a domain; the others have kinds
        // that this list does not know yet, or no more, and none of them would have an effect.
        return Match::Foreign;
    }
    Match::Unknown { nearest }
}

fn lookup(kind: &str, api_version: &str) -> Option<Match> {
    let mut namesakes = KNOWN.iter().filter(|known| known.kind == kind).peekable();
    let first = **namesakes.peek()?;
    if let Some(known) = namesakes.find(|known| known.api_version == api_version) {
        return Some(Match::Known(*known));
    }
    Some(if is_foreign(group_of(api_version)) {
        Match::Foreign
    } else if first.treatment == Treatment::Skip {
        // Skipped anyway: an older version of it is no reason to stop.
        Match::Known(first)
    } else {
        Match::WrongVersion(first)
    })
}

fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Whether a group is nobody's of Kubernetes: custom resources live under a domain.
fn is_foreign(group: &str) -> bool {
    group.contains('.') && !KNOWN.iter().any(|known| group_of(known.api_version) == group)
}
