//! The files that a configMap, secret, downwardAPI or projected volume holds.
//!
//! Pure: objects in, names, bytes and modes out. Rule: `MakePayload` and `collectData` of the
//! kubelet's volume plugins.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, DownwardAPIVolumeFile, DownwardAPIVolumeSource, KeyToPath,
    ProjectedVolumeSource, SecretVolumeSource, VolumeProjection,
};

use super::sources::VolumeSources;
use crate::sandbox::filesystem::error::VolumeError;

/// The mode of files when nothing is said.
const DEFAULT_MODE: i32 = 0o644;

/// A file of a projected volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectedFile {
    pub(crate) bytes: Vec<u8>,
    /// Permission bits.
    pub(crate) mode: u32,
}

/// Files by their path in the volume.
pub(crate) type Payload = BTreeMap<String, ProjectedFile>;

pub(crate) fn of_config_map(
    source: &ConfigMapVolumeSource,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    let selection = Selection {
        items: source.items.as_deref(),
        mode: source.default_mode,
        optional: source.optional == Some(true),
    };
    config_map(&source.name, &selection, namespace, sources)
}

pub(crate) fn of_secret(
    source: &SecretVolumeSource,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    let selection = Selection {
        items: source.items.as_deref(),
        mode: source.default_mode,
        optional: source.optional == Some(true),
    };
    secret(source.secret_name.as_deref().unwrap_or_default(), &selection, namespace, sources)
}

pub(crate) fn of_downward_api(
    source: &DownwardAPIVolumeSource,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    downward_api(source.items.as_deref().unwrap_or_default(), source.default_mode, sources)
}

/// All sources in their order, a later one winning; all their errors at once.
pub(crate) fn of_projected(
    source: &ProjectedVolumeSource,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    let mut payload = Payload::new();
    let mut errors = Vec::new();
    for projection in source.sources.iter().flatten() {
        match projected(projection, source.default_mode, namespace, sources) {
            Ok(files) => payload.extend(files),
            Err(error) => errors.push(error),
        }
    }
    match errors.len() {
        0 => Ok(payload),
        1 => Err(errors.remove(0)),
        _ => Err(VolumeError::Several(errors)),
    }
}

fn projected(
    projection: &VolumeProjection,
    mode: Option<i32>,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    if let Some(source) = &projection.config_map {
        let optional = source.optional == Some(true);
        let selection = Selection { items: source.items.as_deref(), mode, optional };
        return config_map(&source.name, &selection, namespace, sources);
    }
    if let Some(source) = &projection.secret {
        let optional = source.optional == Some(true);
        let selection = Selection { items: source.items.as_deref(), mode, optional };
        return secret(&source.name, &selection, namespace, sources);
    }
    if let Some(source) = &projection.downward_api {
        return downward_api(source.items.as_deref().unwrap_or_default(), mode, sources);
    }
    if projection.service_account_token.is_some() {
        return Err(VolumeError::Unsupported {
            what: "projected.sources.serviceAccountToken",
            reason: "there is no API server here to issue or accept a token",
        });
    }
    if projection.cluster_trust_bundle.is_some() {
        return Err(VolumeError::Unsupported {
            what: "projected.sources.clusterTrustBundle",
            reason: "there is no cluster here whose trust anchors it could name",
        });
    }
    if projection.pod_certificate.is_some() {
        return Err(VolumeError::Unsupported {
            what: "projected.sources.podCertificate",
            reason: "there is no cluster here that signs certificates",
        });
    }
    Ok(Payload::new())
}

/// Which keys of an object become files, and how.
struct Selection<'source> {
    items: Option<&'source [KeyToPath]>,
    mode: Option<i32>,
    optional: bool,
}

impl Selection<'_> {
    /// The files of an object whose value of a key is `value(key)`.
    fn pick<'object>(
        &self,
        keys: impl Iterator<Item = &'object String>,
        value: impl Fn(&str) -> Option<&'object [u8]>,
        missing: impl Fn(&str) -> VolumeError,
    ) -> Result<Payload, VolumeError> {
        let mut payload = Payload::new();
        let Some(items) = self.items.filter(|items| !items.is_empty()) else {
            for key in keys {
                let bytes = value(key).unwrap_or_default().to_vec();
                payload.insert(key.clone(), ProjectedFile { bytes, mode: mode_bits(self.mode) });
            }
            return Ok(payload);
        };
        for item in items {
            match value(&item.key) {
                Some(bytes) => {
                    let mode = mode_bits(item.mode.or(self.mode));
                    let file = ProjectedFile { bytes: bytes.to_vec(), mode };
                    payload.insert(item.path.clone(), file);
                }
                None if self.optional => {}
                None => return Err(missing(&item.key)),
            }
        }
        Ok(payload)
    }
}

fn config_map(
    name: &str,
    selection: &Selection<'_>,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    let Some(object) = sources.config_map(namespace, name) else {
        return absent("configmap", name, selection);
    };
    let text = object.data.as_ref();
    let binary = object.binary_data.as_ref();
    selection.pick(
        text.into_iter()
            .flat_map(BTreeMap::keys)
            .chain(binary.into_iter().flat_map(BTreeMap::keys)),
        |key| {
            let text = text.and_then(|data| data.get(key)).map(String::as_bytes);
            text.or_else(|| binary.and_then(|data| data.get(key)).map(|bytes| bytes.0.as_slice()))
        },
        |key| VolumeError::MissingKey { owner: "configmap ", kind: "config", key: key.to_owned() },
    )
}

fn secret(
    name: &str,
    selection: &Selection<'_>,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    let Some(object) = sources.secret(namespace, name) else {
        return absent("secret", name, selection);
    };
    // The API server merges `stringData` into `data`, over it; without one it is done here.
    let text = object.string_data.as_ref();
    let data = object.data.as_ref();
    selection.pick(
        data.into_iter().flat_map(BTreeMap::keys).chain(text.into_iter().flat_map(BTreeMap::keys)),
        |key| {
            let text = text.and_then(|data| data.get(key)).map(String::as_bytes);
            text.or_else(|| data.and_then(|data| data.get(key)).map(|bytes| bytes.0.as_slice()))
        },
        |key| VolumeError::MissingKey { owner: "", kind: "secret", key: key.to_owned() },
    )
}

/// An optional object that is not there is an empty one.
fn absent(
    kind: &'static str,
    name: &str,
    selection: &Selection<'_>,
) -> Result<Payload, VolumeError> {
    if selection.optional {
        return Ok(Payload::new());
    }
    Err(VolumeError::NotFound { kind, name: name.to_owned() })
}

fn downward_api(
    items: &[DownwardAPIVolumeFile],
    mode: Option<i32>,
    sources: &dyn VolumeSources,
) -> Result<Payload, VolumeError> {
    let mut payload = Payload::new();
    for item in items {
        let bytes = sources.downward(item).map_err(VolumeError::Invalid)?.into_bytes();
        let file = ProjectedFile { bytes, mode: mode_bits(item.mode.or(mode)) };
        payload.insert(item.path.clone(), file);
    }
    Ok(payload)
}

fn mode_bits(mode: Option<i32>) -> u32 {
    mode.unwrap_or(DEFAULT_MODE).cast_unsigned() & 0o777
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
    use serde_json::json;

    use super::*;

    struct Objects {
        config_map: ConfigMap,
        secret: Secret,
    }

    impl VolumeSources for Objects {
        fn config_map(&self, _: &str, name: &str) -> Option<&ConfigMap> {
            (name == "settings").then_some(&self.config_map)
        }
        fn secret(&self, _: &str, name: &str) -> Option<&Secret> {
            (name == "keys").then_some(&self.secret)
        }
        fn persistent_volume_claim(&self, _: &str, _: &str) -> Option<&PersistentVolumeClaim> {
            None
        }
        fn downward(&self, file: &DownwardAPIVolumeFile) -> Result<String, String> {
            let path = &file.field_ref.as_ref().ok_or("no fieldRef")?.field_path;
            if path == "bad" { Err("unsupported fieldPath: bad".into()) } else { Ok(path.clone()) }
        }
    }

    fn objects() -> Objects {
        Objects {
            config_map: serde_json::from_value(json!({
                "data": {"a": "text", "b": ""},
                "binaryData": {"c": "AP8="},
            }))
            .unwrap(),
            secret: serde_json::from_value(json!({
                "data": {"user": "cm9vdA==", "both": "ZGF0YQ=="},
                "stringData": {"both": "string"},
            }))
            .unwrap(),
        }
    }

    fn files(payload: Result<Payload, VolumeError>) -> String {
        match payload {
            Err(error) => error.to_string(),
            Ok(payload) => payload
                .iter()
                .map(|(path, file)| format!("{path} {:o} {}", file.mode, file.bytes.escape_ascii()))
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    fn config_map(source: serde_json::Value) -> String {
        let source = serde_json::from_value(source).unwrap();
        files(of_config_map(&source, "default", &objects()))
    }

    fn secret(source: serde_json::Value) -> String {
        let source = serde_json::from_value(source).unwrap();
        files(of_secret(&source, "default", &objects()))
    }

    #[test]
    fn config_maps_give_text_and_bytes() {
        insta::assert_snapshot!(config_map(json!({"name": "settings"})), @r"
        a 644 text
        b 644 
        c 644 \x00\xff
        ");
        insta::assert_snapshot!(config_map(json!({
            "name": "settings", "defaultMode": 0o400,
            "items": [{"key": "a", "path": "deep/er"}, {"key": "c", "path": "c", "mode": 0o755}],
        })), @r"
        c 755 \x00\xff
        deep/er 400 text
        ");
    }

    #[test]
    fn what_is_missing_is_named_or_optional() {
        let item = json!([{"key": "z", "path": "z"}, {"key": "a", "path": "a"}]);
        insta::assert_snapshot!(config_map(json!({"name": "none"})), @r#"configmap "none" not found"#);
        insta::assert_snapshot!(config_map(json!({"name": "settings", "items": item})),
            @"configmap references non-existent config key: z");
        insta::assert_snapshot!(
            config_map(json!({"name": "settings", "items": item, "optional": true})), @"a 644 text");
        assert_eq!(config_map(json!({"name": "none", "optional": true})), "");

        insta::assert_snapshot!(secret(json!({"secretName": "none"})), @r#"secret "none" not found"#);
        insta::assert_snapshot!(secret(json!({"secretName": "keys", "items": item})),
            @"references non-existent secret key: z");
    }

    #[test]
    fn string_data_wins_over_data() {
        insta::assert_snapshot!(secret(json!({"secretName": "keys", "defaultMode": 0o600})), @r"
        both 600 string
        user 600 root
        ");
    }

    #[test]
    fn projected_sources_merge_in_order_and_fail_together() {
        let projected = |source| {
            let source = serde_json::from_value(source).unwrap();
            files(of_projected(&source, "default", &objects()))
        };
        insta::assert_snapshot!(projected(json!({"defaultMode": 0o440, "sources": [
            {"configMap": {"name": "settings", "items": [{"key": "a", "path": "both"}]}},
            {"secret": {"name": "keys"}},
            {"downwardAPI": {"items": [
                {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}, "mode": 0o444}]}},
        ]})), @r"
        both 440 string
        name 444 metadata.name
        user 440 root
        ");
        insta::assert_snapshot!(projected(json!({"sources": [
            {"configMap": {"name": "none"}},
            {"serviceAccountToken": {"path": "token"}},
            {"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "bad"}}]}},
        ]})), @r#"[configmap "none" not found, projected.sources.serviceAccountToken is not supported: there is no API server here to issue or accept a token, unsupported fieldPath: bad]"#);
        assert_eq!(projected(json!({})), "");
    }
}
