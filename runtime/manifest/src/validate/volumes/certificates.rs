//! Names of signers and certificates that a signer issues to a Pod.
//!
//! Rule: `pkg/apis/certificates/validation` of Kubernetes.

use k8s_openapi::api::core::v1::PodCertificateProjection;

use super::super::absent::some_text;
use super::super::{names, paths};
use super::files;
use super::projected::Paths;
use crate::field::{Errors, Place};

const KEY_TYPES: [&str; 6] =
    ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];

/// One hour.
const LEAST_EXPIRATION: i32 = 3600;
/// 91 days.
const MOST_EXPIRATION: i32 = 91 * 86_400;
/// One day, for the signers of Kubernetes itself.
const MOST_KUBERNETES_EXPIRATION: i32 = 86_400;

/// The longest domain and path that make a signer's name, and the slash between them.
const MOST_SIGNER_PATH: usize = 317;
const MOST_SIGNER: usize = 253 + 1 + MOST_SIGNER_PATH;

pub(super) fn pod_certificate(
    certificate: &PodCertificateProjection,
    volume: &Place<'_>,
    at: &Place<'_>,
    taken: &mut Paths,
    errors: &mut Errors,
) {
    let signer = certificate.signer_name.as_str();
    signer_name(signer, &at.field("signerName"), errors);
    let key_type = certificate.key_type.as_str();
    if !KEY_TYPES.contains(&key_type) {
        errors.unsupported(&at.field("keyType"), key_type, &KEY_TYPES);
    }
    if let Some(seconds) = certificate.max_expiration_seconds {
        let at = at.field("maxExpirationSeconds");
        let domain = signer.split('/').next().unwrap_or_default();
        let own = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
        let most = if own { MOST_KUBERNETES_EXPIRATION } else { MOST_EXPIRATION };
        if seconds < LEAST_EXPIRATION {
            let detail = "if provided, maxExpirationSeconds must be >= 3600";
            errors.invalid(&at, seconds, detail);
        }
        if seconds > most {
            let detail = format!("if provided, maxExpirationSeconds must be <= {most}");
            errors.invalid(&at, seconds, detail);
        }
    }
    files::user(certificate.user, &at.field("user"), errors);
    let outputs = [
        ("credentialBundlePath", &certificate.credential_bundle_path),
        ("keyPath", &certificate.key_path),
        ("certificateChainPath", &certificate.certificate_chain_path),
    ];
    for (field, path) in outputs {
        if let Some(path) = some_text(path) {
            let at = at.field(field);
            paths::local_non_reserved(path, &at, errors);
            taken.take(path, path, volume, &at, errors);
        }
    }
    if outputs.iter().all(|(_, path)| some_text(path).is_none()) {
        let detail =
            "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
        errors.required(at, detail);
    }
}

/// A domain of at least two labels and a path: `example.com/signer`.
pub(super) fn signer_name(name: &str, at: &Place<'_>, errors: &mut Errors) {
    if name.is_empty() {
        return errors.required(at, "");
    }
    let form = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    let Some((domain, path)) = name.split_once('/').filter(|(_, path)| !path.contains('/')) else {
        return errors.invalid(at, name, form);
    };
    let wrong = names::dns_subdomain(domain);
    if wrong.is_empty() && !domain.contains('.') {
        let detail = "should be a domain with at least two segments separated by dots";
        errors.invalid(at, domain, detail);
    }
    errors.invalid_each(at, domain, wrong);
    if path.is_empty() {
        errors.invalid(at, path, "validating label \"\": must be non-empty");
    }
    for label in path.split('.').filter(|_| !path.is_empty()) {
        for wrong in names::dns_label(label) {
            errors.invalid(at, path, format!("validating label \"{label}\": {wrong}"));
        }
    }
    if name.len() > MOST_SIGNER {
        errors.too_long(at, MOST_SIGNER);
    }
}

/// The name of a trust bundle: that of its signer comes first, when it has one.
pub(super) fn trust_bundle_name(name: &str) -> Vec<String> {
    match name.rsplit_once(':') {
        Some((_, own)) => names::dns_subdomain(own),
        None => names::dns_subdomain(name),
    }
}
