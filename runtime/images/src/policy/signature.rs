//! Signatures as cosign stores them in a registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci_spec::image::{Descriptor, ImageManifest};
use serde::Deserialize;

use super::error::Unsigned;
use crate::digest::Digest;
use crate::reference::Reference;
use crate::shown::{beginning, shown};

/// The most bytes of what was signed: it is a digest, a name and some annotations.
pub const MOST_PAYLOAD_BYTES: u64 = 64 << 10;

/// The most signatures of an image that are looked at.
pub const MOST_SIGNATURES: usize = 50;

/// What was signed.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The signature of it, in base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What a payload says that it is.
const TYPE: &str = "cosign container image signature";

/// A signature and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The blob that was signed.
    pub payload: Descriptor,
    /// In ASN.1.
    pub signature: Vec<u8>,
}

/// The tag in an image's repository that leads to its signatures.
pub fn signature_tag(image: &Digest) -> String {
    format!("{}-{}.sig", image.algorithm().as_str(), image.hex())
}

/// The signatures that this manifest has, as far as they are any: [`MOST_SIGNATURES`] at the most.
pub fn signatures(manifest: &ImageManifest) -> Vec<Signature> {
    let signature = |layer: &Descriptor| {
        let is_payload = layer.media_type().as_ref() == PAYLOAD;
        if !is_payload || layer.size() > MOST_PAYLOAD_BYTES {
            return None;
        }
        let text = layer.annotations().as_ref()?.get(SIGNATURE)?;
        let signature = STANDARD.decode(text).ok()?;
        Some(Signature { payload: layer.clone(), signature })
    };
    manifest.layers().iter().filter_map(signature).take(MOST_SIGNATURES).collect()
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: Digest,
}

/// Whether the payload is for this image under this name.
pub(super) fn check(
    reference: &Reference,
    digest: &Digest,
    payload: &[u8],
) -> Result<(), Unsigned> {
    let no_image = |problem: &dyn ToString| Unsigned::NoImage(beginning(&problem.to_string()));
    let Payload { critical } = serde_json::from_slice(payload).map_err(|error| no_image(&error))?;
    if critical.kind != TYPE {
        return Err(no_image(&format!("its type is {}", shown(&critical.kind))));
    }
    if critical.image.digest != *digest {
        return Err(Unsigned::OtherImage(critical.image.digest));
    }
    let signed: Reference =
        critical.identity.reference.parse().map_err(|error| no_image(&error))?;
    if signed.name() != reference.name() {
        return Err(Unsigned::OtherRepository(signed.name()));
    }
    Ok(())
}
