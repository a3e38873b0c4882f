//! The manifest to take of an index.

use oci_spec::image::{Descriptor, ImageIndex};

use super::error::ArtifactError;
use super::media::{ConfigKind, LayerKind, config_kind, layer_kind, manifest_kind};
use super::platform::Platform;

/// Platforms that a refusal names.
const NAMED: usize = 8;

/// How well a manifest suits; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Wasm,
    Artifact,
    /// Nothing is said of it: it may be anything.
    Unsaid,
    HostLinux,
    /// Its machine code is of no use here, but a `.wasm` in it is the same for all.
    Linux,
}

/// The manifest of `index` to take: one for WebAssembly, or else an artifact of WebAssembly, or else
/// the Linux image for this machine, which may start a `.wasm`. Of equals, the first.
///
/// What is chosen may be an index again: who follows it keeps count.
///
/// # Errors
/// [`ArtifactError::NoManifest`] with the platforms that there are.
pub fn choose(index: &ImageIndex) -> Result<&Descriptor, ArtifactError> {
    let ranked = index.manifests().iter().filter_map(|manifest| Some((rank(manifest)?, manifest)));
    // `min_by_key` takes the first of equals.
    let best = ranked.min_by_key(|(rank, _)| *rank);
    best.map(|(_, manifest)| manifest).ok_or_else(|| refusal(index))
}

fn rank(manifest: &Descriptor) -> Option<Rank> {
    manifest_kind(manifest.media_type())?;
    if let Some(artifact_type) = manifest.artifact_type() {
        let wasm = matches!(config_kind(artifact_type), Some(ConfigKind::Wasm | ConfigKind::Spin))
            || layer_kind(artifact_type) == Some(LayerKind::Wasm);
        if wasm {
            return Some(Rank::Artifact);
        }
        // A signature, a bill of materials: what hangs on an image is not one.
        config_kind(artifact_type)?;
    }
    let Some(platform) = manifest.platform().as_ref().map(Platform::from) else {
        return Some(Rank::Unsaid);
    };
    match platform {
        platform if platform.is_wasm() => Some(Rank::Wasm),
        platform if platform.is_host() => Some(Rank::HostLinux),
        platform if platform.is_linux() => Some(Rank::Linux),
        // BuildKit's attestations are `unknown/unknown`.
        _ => None,
    }
}

fn refusal(index: &ImageIndex) -> ArtifactError {
    let platforms = index.manifests().iter().filter_map(|manifest| manifest.platform().as_ref());
    let mut found: Vec<String> = Vec::new();
    for platform in platforms.map(Platform::from).filter(|platform| !platform.is_unknown()) {
        let platform = platform.to_string();
        if !found.contains(&platform) && found.len() < NAMED {
            found.push(platform);
        }
    }
    ArtifactError::NoManifest { manifests: index.manifests().len(), found }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn index(manifests: &[Value]) -> ImageIndex {
        let manifests: Vec<Value> = manifests
            .iter()
            .enumerate()
            .map(|(number, manifest)| {
                let mut descriptor = json!({
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": format!("sha256:{number:064x}"),
                    "size": 7,
                });
                let fields = descriptor.as_object_mut().unwrap();
                fields.extend(manifest.as_object().unwrap().clone());
                descriptor
            })
            .collect();
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        serde_json::from_value(index).unwrap()
    }

    fn platform(platform: &str) -> Value {
        let (os, architecture) = platform.split_once('/').unwrap();
        json!({ "platform": { "os": os, "architecture": architecture } })
    }

    #[track_caller]
    fn chosen(manifests: &[Value]) -> usize {
        let index = index(manifests);
        let chosen = choose(&index).unwrap();
        index.manifests().iter().position(|manifest| manifest == chosen).unwrap()
    }

    #[test]
    fn webassembly_comes_first_and_linux_last() {
        let host = if cfg!(target_arch = "aarch64") { "linux/arm64" } else { "linux/amd64" };
        let artifact = json!({ "artifactType": "application/vnd.wasm.config.v0+json" });
        let unsaid = json!({});
        let attestation = platform("unknown/unknown");
        for wasm in ["wasi/wasm", "wasi/wasm32", "wasip1/wasm", "wasip2/wasm", "linux/wasm"] {
            let all = [unsaid.clone(), platform(host), artifact.clone(), platform(wasm)];
            assert_eq!(chosen(&all), 3, "{wasm}");
        }
        assert_eq!(chosen(&[platform(host), attestation.clone(), artifact]), 2);
        assert_eq!(chosen(&[platform("linux/s390x"), platform(host), attestation.clone()]), 1);
        assert_eq!(chosen(&[attestation, platform("linux/s390x")]), 1);
        assert_eq!(chosen(&[platform("wasip2/wasm"), platform("wasip1/wasm")]), 0);
    }

    #[test]
    fn what_there_is_is_named_where_nothing_suits() {
        let signature =
            json!({ "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json" });
        let windows = platform("windows/amd64");
        let index = index(&[windows.clone(), windows, platform("unknown/unknown"), signature]);
        insta::assert_snapshot!(choose(&index).unwrap_err(), @"none of the 4 manifests in the index is for WebAssembly: they are for windows/amd64");
    }
}
