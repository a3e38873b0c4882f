//! What tables and descriptions both say of a PersistentVolumeClaim.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

/// What there is of the volume that a claim is bound to; empty without one.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    pub(crate) volume: String,
    pub(crate) capacity: String,
    pub(crate) access_modes: String,
}

impl Bound {
    pub(crate) fn of(claim: &PersistentVolumeClaim) -> Self {
        let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone());
        let Some(volume) = volume.filter(|volume| !volume.is_empty()) else {
            return Self::default();
        };
        let status = claim.status.as_ref();
        let capacity = status.and_then(|status| status.capacity.as_ref()?.get("storage"));
        let access_modes = status.and_then(|status| status.access_modes.as_deref());
        Self {
            volume,
            capacity: capacity.map_or_else(|| "0".to_owned(), crate::quantity::canonical),
            access_modes: short_modes(access_modes.unwrap_or_default()),
        }
    }
}

/// `RWO,ROX`: each mode once, in the order of Kubernetes' own list.
///
/// Rule: `GetAccessModesAsString`.
fn short_modes(modes: &[String]) -> String {
    const MODES: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |mode: &str| modes.iter().any(|it| it == mode);
    let shown: Vec<&str> =
        MODES.iter().filter(|(mode, _)| has(mode)).map(|(_, short)| *short).collect();
    shown.join(",")
}

/// The class that the claim asks for, by the annotation of old too.
pub(crate) fn storage_class(claim: &PersistentVolumeClaim) -> String {
    let annotations = claim.metadata.annotations.as_ref();
    let old = annotations.and_then(|it| it.get("volume.beta.kubernetes.io/storage-class"));
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_ref());
    old.or(class).cloned().unwrap_or_default()
}
