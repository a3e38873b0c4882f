//! persistentVolumeClaim: a folder of the state folder that outlives the Pod.
//!
//! ```text
//! <volumes>/<namespace>/<claim>/data          what Pods see
//! <volumes>/<namespace>/<claim>/claim.json    the claim as it was last applied, with its size
//! ```
//! A claim that was once made stays, so that a later Pod finds its files though its manifest no
//! longer brings the claim. The size is recorded, not enforced.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use crate::sandbox::filesystem::error::VolumeError;

/// The claims of this node, below one folder.
#[derive(Debug, Clone)]
pub struct ClaimStore {
    folder: PathBuf,
}

impl ClaimStore {
    /// Keeps claims below `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        ClaimStore { folder }
    }

    /// The folder of a claim, made now if `claim` is given and it is new.
    pub(crate) fn set_up(
        &self,
        namespace: &str,
        name: &str,
        claim: Option<&PersistentVolumeClaim>,
    ) -> Result<PathBuf, VolumeError> {
        for part in [namespace, name] {
            if matches!(part, "" | "." | "..") || part.contains(['/', '\0']) {
                return Err(VolumeError::Invalid(format!("{part:?} cannot name a claim")));
            }
        }
        let folder = self.folder.join(namespace).join(name);
        let data = folder.join("data");
        if let Some(claim) = claim {
            if !data.is_dir() {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(&data);
                made.map_err(VolumeError::io(&data))?;
            }
            let record = folder.join("claim.json");
            write_record(&record, claim).map_err(VolumeError::io(&record))?;
        } else if !data.is_dir() {
            return Err(VolumeError::NotFound {
                kind: "persistentvolumeclaim",
                name: name.to_owned(),
            });
        }
        Ok(data)
    }
}

/// Other Pods may read the record meanwhile: it is replaced as a whole, and only by a change.
fn write_record(record: &Path, claim: &PersistentVolumeClaim) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(claim)?;
    match fs::read(record) {
        Ok(known) if known == text => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let new = record.with_extension(format!("json.{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&text)?;
    fs::rename(&new, record)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(size: &str) -> PersistentVolumeClaim {
        serde_json::from_value(json!({
            "metadata": {"name": "data"},
            "spec": {"resources": {"requests": {"storage": size}}},
        }))
        .unwrap()
    }

    #[test]
    fn a_claim_outlives_its_manifest() {
        let state = tempfile::tempdir().unwrap();
        let store = ClaimStore::new(state.path().join("volumes"));
        let missing = store.set_up("default", "data", None).unwrap_err();
        assert_eq!(missing.to_string(), r#"persistentvolumeclaim "data" not found"#);

        let data = store.set_up("default", "data", Some(&claim("1Gi"))).unwrap();
        fs::write(data.join("file"), "kept").unwrap();
        for claim in [None, Some(&claim("2Gi"))] {
            let again = store.set_up("default", "data", claim).unwrap();
            assert_eq!(fs::read_to_string(again.join("file")).unwrap(), "kept");
        }
        let record = fs::read_to_string(state.path().join("volumes/default/data/claim.json"));
        assert!(record.unwrap().contains("2Gi"));
        assert_ne!(store.set_up("other", "data", Some(&claim("1Gi"))).unwrap(), data);
    }

    #[test]
    fn no_name_leaves_the_store() {
        let state = tempfile::tempdir().unwrap();
        let store = ClaimStore::new(state.path().join("volumes"));
        for (namespace, name) in [("..", "x"), ("a", ".."), ("a/b", "c"), ("a", ""), ("a", "b\0")] {
            assert!(store.set_up(namespace, name, Some(&claim("1"))).is_err());
        }
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
