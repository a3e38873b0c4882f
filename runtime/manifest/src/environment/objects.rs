//! Where the values come from.

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::ServiceAddress;
use crate::Manifest;

/// The objects that a Pod's references can reach, as of now.
pub trait Objects {
    /// The ConfigMap of that namespace and name.
    fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap>;

    /// The Secret of that namespace and name.
    fn secret(&self, namespace: &str, name: &str) -> Option<&Secret>;

    /// The Services of that namespace that have a cluster IP; none unless an implementor knows
    /// of some.
    fn services(&self, namespace: &str) -> Vec<ServiceAddress> {
        let _ = namespace;
        Vec::new()
    }

    /// The content of a file in a volume of the Pod, for `fileKeyRef`.
    ///
    /// # Errors
    /// [`FileError::NotFound`] when there is no such file; [`FileError::Unsupported`] where
    /// volumes cannot be read, which is so unless an implementor does better.
    fn volume_file(&self, volume: &str, path: &str) -> Result<Vec<u8>, FileError> {
        let _ = (volume, path);
        Err(FileError::Unsupported)
    }
}

/// Why a file of a volume cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// Nobody here can read volumes.
    #[error("fileKeyRef is not supported here")]
    Unsupported,
    /// It is there, but cannot be read, or is no environment file.
    #[error("{0}")]
    Unreadable(String),
}

impl Objects for Manifest {
    fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        self.config_maps.iter().find(|object| is_called(&object.metadata, namespace, name))
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        self.secrets.iter().find(|object| is_called(&object.metadata, namespace, name))
    }
}

fn is_called(metadata: &ObjectMeta, namespace: &str, name: &str) -> bool {
    metadata.name.as_deref() == Some(name)
        && metadata.namespace.as_deref().unwrap_or("default") == namespace
}
