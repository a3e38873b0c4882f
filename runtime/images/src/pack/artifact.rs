//! CNCF's layout.

use std::collections::BTreeMap;

use oci_spec::image::{Descriptor, MediaType};
use serde::Serialize;

use super::Blobs;
use super::container::{ARCHITECTURE, manifest, moment};
use super::error::PackError;
use super::input::{Module, Pack};
use crate::artifact::{CNCF_CONFIG, TITLE, WASM};

/// The config. What a component imports and exports is optional there and can be read from the
/// component itself.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'image> {
    created: &'image str,
    architecture: &'image str,
    os: &'image str,
    layer_digests: [String; 1],
}

pub(super) fn write(
    pack: &Pack,
    module: &Module,
    blobs: &mut dyn Blobs,
) -> Result<Descriptor, PackError> {
    refuse_the_rest(pack)?;
    let mut layer =
        blobs.put(MediaType::Other(WASM.to_owned()), &module.bytes).map_err(PackError::Store)?;
    let config = Config {
        created: &moment(pack.created),
        architecture: ARCHITECTURE,
        os: if module.is_component() { "wasip2" } else { "wasip1" },
        layer_digests: [layer.digest().to_string()],
    };
    let config = serde_json::to_vec(&config).map_err(|error| PackError::Store(error.into()))?;
    let config =
        blobs.put(MediaType::Other(CNCF_CONFIG.to_owned()), &config).map_err(PackError::Store)?;
    layer.set_annotations(Some([(TITLE.to_owned(), module.name.clone())].into()));
    let annotations: BTreeMap<&str, &str> =
        pack.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    manifest(&config, &[layer], &annotations, blobs)
}

fn refuse_the_rest(pack: &Pack) -> Result<(), PackError> {
    for (is_there, what) in [
        (!pack.files.is_empty(), "files"),
        (!pack.arguments.is_empty(), "arguments"),
        (!pack.env.is_empty(), "variables"),
        (pack.working_dir.is_some(), "working folder"),
        (!pack.exposed_ports.is_empty(), "ports"),
    ] {
        if is_there {
            return Err(PackError::Artifact { what });
        }
    }
    Ok(())
}
