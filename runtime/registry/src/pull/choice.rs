//! Which image of an index is meant for us.

use oci_spec::image::{Descriptor, ImageIndex};

/// Chooses one of an index, if one is meant for us.
pub type Choose<'a> = dyn Fn(&ImageIndex) -> Option<Descriptor> + Send + Sync + 'a;

/// WebAssembly before all: a platform of `wasi/wasm`, `wasip1` or `wasip2`, or an architecture of
/// `wasm` or `wasm32`. Else what this machine would run, for images whose entrypoint is a `.wasm`
/// file. Else the only one that says nothing of a platform.
pub fn default_choice(index: &ImageIndex) -> Option<Descriptor> {
    let find = |fits: &dyn Fn(&str, &str) -> bool| {
        index.manifests().iter().find(|manifest| {
            let platform = manifest.platform().as_ref();
            platform.is_some_and(|platform| {
                fits(&platform.os().to_string(), &platform.architecture().to_string())
            })
        })
    };
    let wasm = |os: &str, architecture: &str| {
        matches!(os, "wasi" | "wasip1" | "wasip2") || matches!(architecture, "wasm" | "wasm32")
    };
    let host = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let native = |os: &str, architecture: &str| os == "linux" && architecture == host;
    let silent = || {
        let mut silent = index.manifests().iter().filter(|manifest| manifest.platform().is_none());
        silent.next().filter(|_| silent.next().is_none())
    };
    find(&wasm).or_else(|| find(&native)).or_else(silent).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wasmpod_images::digest::Digest;

    use super::*;

    fn chosen(platforms: &[Option<(&str, &str)>]) -> Option<usize> {
        let manifests: Vec<_> = platforms
            .iter()
            .enumerate()
            .map(|(number, platform)| {
                let platform = platform
                    .map(|(os, architecture)| json!({ "os": os, "architecture": architecture }));
                let mut manifest = json!({
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": Digest::sha256(&[u8::try_from(number).unwrap()]),
                    "size": number,
                });
                if let Some(platform) = platform {
                    manifest["platform"] = platform;
                }
                manifest
            })
            .collect();
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        let index: ImageIndex = serde_json::from_value(index).unwrap();
        default_choice(&index).map(|manifest| usize::try_from(manifest.size()).unwrap())
    }

    #[test]
    fn wasm_comes_before_what_the_machine_runs() {
        let host = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
        assert_eq!(chosen(&[Some(("linux", host)), Some(("wasi", "wasm"))]), Some(1));
        assert_eq!(chosen(&[Some(("linux", host)), Some(("wasip2", "wasm32"))]), Some(1));
        assert_eq!(chosen(&[Some(("windows", "amd64")), Some(("linux", host))]), Some(1));
        assert_eq!(chosen(&[Some(("unknown", "unknown")), None]), Some(1));
        assert_eq!(chosen(&[None, None]), None);
        assert_eq!(chosen(&[Some(("windows", "amd64"))]), None);
        assert_eq!(chosen(&[]), None);
    }
}
