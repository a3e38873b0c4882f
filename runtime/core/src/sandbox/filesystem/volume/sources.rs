//! Where the content of volumes comes from.

use k8s_openapi::api::core::v1::{
    ConfigMap, DownwardAPIVolumeFile, PersistentVolumeClaim, Pod, Secret,
};

use crate::manifest::downward::{self, DownwardStatus};
use crate::manifest::environment::Objects;

/// The objects that a Pod's volumes refer to, as of now.
pub trait VolumeSources {
    /// The ConfigMap of that namespace and name.
    fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap>;

    /// The Secret of that namespace and name.
    fn secret(&self, namespace: &str, name: &str) -> Option<&Secret>;

    /// The PersistentVolumeClaim of that namespace and name.
    fn persistent_volume_claim(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<&PersistentVolumeClaim>;

    /// The content of a file of a downwardAPI volume.
    ///
    /// # Errors
    /// The reason, in the kubelet's words.
    fn downward(&self, file: &DownwardAPIVolumeFile) -> Result<String, String>;
}

/// The sources of a Pod whose objects are known to the manifest, or to whoever implements
/// [`Objects`].
#[derive(Clone, Copy)]
pub struct PodSources<'pod> {
    /// ConfigMaps and Secrets.
    pub objects: &'pod dyn Objects,
    /// All claims, of any namespace.
    pub claims: &'pod [PersistentVolumeClaim],
    /// The Pod, for its downward API.
    pub pod: &'pod Pod,
    /// What the Pod may learn that is not in its manifest.
    pub status: &'pod DownwardStatus,
}

impl VolumeSources for PodSources<'_> {
    fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        self.objects.config_map(namespace, name)
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        self.objects.secret(namespace, name)
    }

    fn persistent_volume_claim(
        &self,
        namespace: &str,
        name: &str,
    ) -> Option<&PersistentVolumeClaim> {
        self.claims.iter().find(|claim| {
            claim.metadata.name.as_deref() == Some(name)
                && claim.metadata.namespace.as_deref().unwrap_or("default") == namespace
        })
    }

    fn downward(&self, file: &DownwardAPIVolumeFile) -> Result<String, String> {
        downward::file(self.pod, file, self.status).map_err(|error| error.to_string())
    }
}
