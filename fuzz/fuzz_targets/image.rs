//! Any bytes as a manifest and what describes it: an image whose files lie within its root, or
//! refused.

#![no_main]

use std::path::Component;

use libfuzzer_sys::fuzz_target;
use oci_spec::image::ImageIndex;
use wasmpod_images::artifact::{Layer, Manifest, choose};

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (manifest, document) = bytes.split_at(end);
    if let Ok(index) = serde_json::from_slice::<ImageIndex>(manifest) {
        let _ = choose(&index);
    }
    let Ok(manifest) = Manifest::decode(manifest) else { return };
    let Ok(image) = manifest.image(document.get(1..).unwrap_or_default()) else { return };
    let layers = manifest.as_written().layers();
    for blob in image.blobs() {
        assert!(layers.iter().any(|layer| layer.digest() == blob.digest()));
    }
    for layer in &image.layers {
        if let Layer::File { path, .. } = layer {
            assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
        }
    }
});
