//! From a tag to a digest, and from a digest to the manifest.
//!
//! The digest is asked for first: most often the image is here already, and the registries that
//! count requests do not count these. From then on everything hangs on that digest, so what the
//! registry changes in between is noticed.
//!
//! A reference with a digest is asked for, too, as by containerd: only the registry knows whether that
//! repository has it and whether we may have it from there.

use reqwest::header::{ACCEPT, CONTENT_LENGTH, HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::MOST_MANIFEST_BYTES;
use wasmpod_images::reference::Reference;

use crate::body::read_all;
use crate::error::Failure;
use crate::session::{Call, Session};

const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

const DIGEST: &str = "docker-content-digest";

/// What a reference stands for at this moment.
pub(super) struct Resolved {
    pub(super) digest: Digest,
    /// The manifest, from registries that do not tell its digest alone.
    pub(super) bytes: Option<Vec<u8>>,
}

pub(super) async fn resolve(
    session: &Session<'_>,
    reference: &Reference,
) -> Result<Resolved, Failure> {
    let version = version(reference);
    let response = ask(session, Method::HEAD, &version).await?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            return by_content(session, reference).await;
        }
        _ => {
            let what = reference.clone().with_default_tag().to_string();
            return Err(session.failure(&Method::HEAD, &what, response).await);
        }
    }
    // Not `content_length()`, which is that of the body, and there is none.
    let length = response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > MOST_MANIFEST_BYTES)
    {
        return Err(too_large(&version));
    }
    if let Some(digest) = reference.digest() {
        return Ok(Resolved { digest: digest.clone(), bytes: None });
    }
    match header_digest(response.headers())? {
        Some(digest) => Ok(Resolved { digest, bytes: None }),
        None => by_content(session, reference).await,
    }
}

/// What a registry calls it: the digest wins over the tag.
fn version(reference: &Reference) -> String {
    let digest = reference.digest().map(ToString::to_string);
    digest.unwrap_or_else(|| reference.tag_or_default().to_owned())
}

/// By all of the manifest, where its digest alone is not told.
async fn by_content(session: &Session<'_>, reference: &Reference) -> Result<Resolved, Failure> {
    let what = reference.clone().with_default_tag().to_string();
    let (bytes, told) = get(session, &version(reference), &what).await?;
    let digest = match reference.digest().or(told.as_ref()) {
        Some(known) => known.of_same_kind(&bytes),
        None => Digest::sha256(&bytes),
    };
    match reference.digest() {
        Some(wanted) if digest != *wanted => Err(Failure::wrong_digest(wanted, &digest)),
        Some(_) | None => Ok(Resolved { digest, bytes: Some(bytes) }),
    }
}

/// The bytes of this digest; whether they are right is for whoever parses them.
pub(super) async fn fetch(session: &Session<'_>, digest: &Digest) -> Result<Vec<u8>, Failure> {
    let digest = digest.to_string();
    Ok(get(session, &digest, &digest).await?.0)
}

/// The bytes that this tag leads to.
pub(super) async fn tagged(session: &Session<'_>, tag: &str) -> Result<Vec<u8>, Failure> {
    Ok(get(session, tag, tag).await?.0)
}

async fn get(
    session: &Session<'_>,
    version: &str,
    what: &str,
) -> Result<(Vec<u8>, Option<Digest>), Failure> {
    let response = ask(session, Method::GET, version).await?;
    if response.status() != StatusCode::OK {
        return Err(session.failure(&Method::GET, what, response).await);
    }
    let told = header_digest(response.headers())?;
    match read_all(response, MOST_MANIFEST_BYTES, session.options.limits).await? {
        Some(bytes) => Ok((bytes, told)),
        None => Err(too_large(version)),
    }
}

async fn ask(session: &Session<'_>, method: Method, version: &str) -> Result<Response, Failure> {
    let mut call = Call::new(method, session.url(&format!("manifests/{version}"))?);
    call.headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
    session.send(call).await
}

fn header_digest(headers: &HeaderMap) -> Result<Option<Digest>, Failure> {
    let Some(value) = headers.get(DIGEST) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    Ok(Some(text.parse::<Digest>()?))
}

fn too_large(version: &str) -> Failure {
    Failure::TooLarge(format!("manifest {version} has more than {MOST_MANIFEST_BYTES} bytes"))
}
