//! From an image in a layout to a registry.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use oci_spec::image::Descriptor;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Body, Method, Response, StatusCode};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;
use url::Url;
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::Progress;
use wasmpod_images::layout::{Layout, LayoutError, Manifest, Pin};
use wasmpod_images::reference::Reference;

use crate::endpoint::endpoints;
use crate::error::{Failure, PushError};
use crate::options::Options;
use crate::pull::{Sink, blocking};
use crate::retry::retry;
use crate::session::{Call, Session};

/// How much of a file is read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// An image that is in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The manifest's digest, by which it can be pulled from there.
    pub digest: Digest,
    /// Bytes of the manifest, the configuration and the layers.
    pub size: u64,
    /// Bytes that went there: what the registry had was not sent again.
    pub bytes_sent: u64,
}

/// Pushes the image that the layout has as `name` to the registry, repository and tag of
/// `reference`: blobs that it lacks, then the manifest.
///
/// # Errors
/// [`PushError`]
///
/// # Cancel safety
/// Safe: the tag is set last.
pub async fn push(
    layout: &Layout,
    name: &Reference,
    reference: &Reference,
    options: &Options,
    progress: &Sink<'_>,
) -> Result<Pushed, PushError> {
    let pushed = push_somehow(layout, name, reference, options, progress).await;
    let image = || reference.clone().with_default_tag().to_string();
    pushed.map_err(|failure| PushError { image: image(), failure })
}

async fn push_somehow(
    layout: &Layout,
    name: &Reference,
    reference: &Reference,
    options: &Options,
    progress: &Sink<'_>,
) -> Result<Pushed, Failure> {
    let (layout, name) = (layout.clone(), name.clone());
    let (pin, manifest) = blocking(move || take(&layout, &name)).await??;
    // Also where there is a tag, and before anything goes.
    if let Some(digest) = reference.digest().filter(|digest| **digest != manifest.digest) {
        return Err(Failure::wrong_digest(digest, &manifest.digest));
    }
    // Only the registry itself: a mirror would hand out what nobody else has.
    let all = endpoints(&options.config, reference)?;
    let endpoint = all.into_iter().find(|endpoint| endpoint.mirror_of.is_none());
    let endpoint =
        endpoint.ok_or_else(|| Failure::Config("the registry has no endpoint".to_owned()))?;
    let mut credentials: Vec<_> = endpoint.credential.iter().cloned().map(Some).collect();
    if credentials.is_empty() {
        credentials.extend(options.keyring.find(reference).await?.into_iter().map(Some));
    }
    if credentials.is_empty() {
        credentials.push(None);
    }
    let mut refused = Failure::Unauthorized("no basic auth credentials".to_owned());
    for credential in credentials {
        let repository = reference.repository();
        let session = Session::new(options, endpoint.clone(), repository, "pull,push", credential)?;
        match push_with(&session, &pin, &manifest, reference, progress).await {
            Err(failure @ Failure::Unauthorized(_)) => refused = failure,
            other => return other,
        }
    }
    Err(refused)
}

/// The image of this name, kept while it is sent.
fn take(
    layout: &Layout,
    name: &Reference,
) -> Result<Result<(Arc<Pin>, Manifest), Failure>, LayoutError> {
    let pin = layout.pin("push")?;
    let Some((_, manifest)) = pin.take(name)? else {
        let name = name.clone().with_default_tag();
        return Ok(Err(Failure::NotFound(format!("image {name}"))));
    };
    Ok(Ok((Arc::new(pin), manifest)))
}

async fn push_with(
    session: &Session<'_>,
    pin: &Arc<Pin>,
    manifest: &Manifest,
    reference: &Reference,
    progress: &Sink<'_>,
) -> Result<Pushed, Failure> {
    let limits = session.options.limits;
    let mut wanted: Vec<&Descriptor> = Vec::new();
    for descriptor in manifest.content.needs() {
        if !wanted.iter().any(|known| known.digest() == descriptor.digest()) {
            wanted.push(descriptor);
        }
    }
    let sent: u64 = stream::iter(wanted)
        .map(|descriptor| retry(limits, move || push_blob(session, pin, descriptor, progress)))
        .buffer_unordered(limits.parallel_layers.max(1))
        .try_fold(0_u64, |sum, bytes| async move { Ok(sum.saturating_add(bytes)) })
        .await?;
    let version = match (reference.tag(), reference.digest()) {
        (None, Some(digest)) => digest.to_string(),
        _ => reference.tag_or_default().to_owned(),
    };
    retry(limits, || put_manifest(session, manifest, &version)).await?;
    let needs = manifest.content.needs().into_iter().map(Descriptor::size);
    let size = needs.fold(manifest.bytes.len() as u64, u64::saturating_add);
    Ok(Pushed { digest: manifest.digest.clone(), size, bytes_sent: sent })
}

/// Sends a blob that the registry lacks; answers how many bytes that took.
async fn push_blob(
    session: &Session<'_>,
    pin: &Arc<Pin>,
    descriptor: &Descriptor,
    progress: &Sink<'_>,
) -> Result<u64, Failure> {
    let digest = Digest::of(descriptor)?;
    progress(Progress::Begins { digest: digest.clone(), size: descriptor.size() });
    let response =
        session.send(Call::new(Method::HEAD, session.url(&format!("blobs/{digest}"))?)).await?;
    if response.status() == StatusCode::OK {
        progress(Progress::Done { digest });
        return Ok(0);
    }
    let begin = Call {
        body: Some(&|| Ok(Body::from(""))),
        ..Call::new(Method::POST, session.url("blobs/uploads/")?)
    };
    let response = session.send(begin).await?;
    if response.status() != StatusCode::ACCEPTED {
        return Err(session.failure(&Method::POST, &digest.to_string(), response).await);
    }
    let mut url = location(&response)?;
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    let moved = Arc::new(Notify::new());
    let body = || {
        let file = tokio::fs::File::from_std(pin.layout().blob(descriptor)?);
        Ok(Body::wrap_stream(pieces(file, moved.clone())))
    };
    let mut put = Call { body: Some(&body), moved: Some(&moved), ..Call::new(Method::PUT, url) };
    put.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    put.headers.insert(CONTENT_LENGTH, HeaderValue::from(descriptor.size()));
    let response = session.send(put).await?;
    if response.status() != StatusCode::CREATED {
        return Err(session.failure(&Method::PUT, &digest.to_string(), response).await);
    }
    progress(Progress::At { digest: digest.clone(), bytes: descriptor.size() });
    progress(Progress::Done { digest });
    Ok(descriptor.size())
}

/// A file as it is taken up by the connection, which is told to `moved`.
fn pieces(
    file: tokio::fs::File,
    moved: Arc<Notify>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold((file, moved), |(mut file, moved)| async move {
        moved.notify_one();
        let mut piece = vec![0; PIECE_BYTES];
        let length = file.read(&mut piece).await?;
        piece.truncate(length);
        Ok((length > 0).then(|| (Bytes::from(piece), (file, moved))))
    })
}

/// Where the upload goes on. It may be another server, which then gets no word of who we are.
fn location(response: &Response) -> Result<Url, Failure> {
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let url = location.and_then(|location| response.url().join(location).ok());
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Failure::Invalid("the upload has no usable Location".to_owned()))
}

async fn put_manifest(
    session: &Session<'_>,
    manifest: &Manifest,
    version: &str,
) -> Result<(), Failure> {
    let body = || Ok(Body::from(manifest.bytes.clone()));
    let url = session.url(&format!("manifests/{version}"))?;
    let mut put = Call { body: Some(&body), ..Call::new(Method::PUT, url) };
    let media_type = HeaderValue::try_from(manifest.media_type());
    put.headers.insert(
        CONTENT_TYPE,
        media_type.map_err(|_| Failure::Invalid("the media type is no header".to_owned()))?,
    );
    let response = session.send(put).await?;
    match response.status() {
        StatusCode::CREATED | StatusCode::OK => Ok(()),
        _ => Err(session.failure(&Method::PUT, version, response).await),
    }
}
