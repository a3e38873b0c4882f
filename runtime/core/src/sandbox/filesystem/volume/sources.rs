//! Where the content of volumes comes from.

use k8s_openapi::api::core::v1::{ConfigMap, DownwardAPIVolumeFile, PersistentVolumeClaim, Secret};

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
