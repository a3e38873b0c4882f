//! The course of a pull.

use std::io::Read as _;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use oci_spec::image::Descriptor;
use tracing::debug;
use wasmpod_images::artifact::{self, ArtifactError, MOST_DOCUMENT_BYTES};
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::Progress;
use wasmpod_images::layout::{Content, Layout, LayoutError, Manifest, Pin};
use wasmpod_images::reference::Reference;

use super::Sink;
use super::blob::{self, Abandoned, blocking};
use super::manifest::{self, Resolved};
use super::signed;
use crate::endpoint::{Endpoint, endpoints};
use crate::error::{Failure, PullError, Step};
use crate::options::Options;
use crate::retry::retry;
use crate::session::Session;

/// An index may name another one, but nobody needs more.
const MOST_INDEXES: usize = 3;

/// An image that is in the layout, whole and under its name.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// Its manifest.
    pub descriptor: Descriptor,
    /// The manifest's digest.
    pub digest: Digest,
    /// What the registry calls it: the digest of the index that it was chosen from, or the same.
    pub registry_digest: Digest,
    /// Bytes of the manifest, the configuration and the layers.
    pub size: u64,
    /// Bytes that came for it from a registry, with those that came in vain.
    pub bytes_fetched: u64,
    /// Whether nothing had to come but the answer that it is this.
    pub already_present: bool,
    /// Keeps it in the layout.
    pub pin: Arc<Pin>,
}

/// A failure and where it was.
type Stepped<Value> = Result<Value, (Step, Failure)>;

/// Pulls the image into the layout, where it gets this name. What is there is not fetched again, and
/// of what is no image for WebAssembly nothing but what says so.
///
/// # Errors
/// [`PullError`]; of content that was cut off a part stays in the layout, for the next pull to go on
/// with.
///
/// # Cancel safety
/// Safe: what came so far stays for the next pull.
pub async fn pull(
    reference: &Reference,
    layout: &Layout,
    options: &Options,
    progress: &Sink<'_>,
) -> Result<Pulled, PullError> {
    let pull = Pull { reference, layout, options, progress };
    pull.try_servers().await.map_err(|(step, failure)| {
        let image = reference.clone().with_default_tag().to_string();
        PullError { image, step, failure }
    })
}

struct Pull<'a> {
    reference: &'a Reference,
    layout: &'a Layout,
    options: &'a Options,
    progress: &'a Sink<'a>,
}

impl Pull<'_> {
    async fn try_servers(&self) -> Stepped<Pulled> {
        let resolving = |failure| (Step::Resolve, failure);
        let layout = self.layout.clone();
        let pin =
            blocking(move || layout.pin("pull")).await.map_err(|failure| (Step::Store, failure))?;
        let pin = Arc::new(pin);
        signed::may_be_asked_for(self.options, self.reference)
            .map_err(|failure| (Step::Store, failure))?;
        let mut last = None;
        for endpoint in endpoints(&self.options.config, self.reference).map_err(resolving)? {
            match self.try_credentials(&endpoint, &pin).await {
                Ok(pulled) => return Ok(pulled),
                Err((step, failure)) if failure.is_local() => return Err((step, failure)),
                Err((step, failure)) => {
                    debug!(endpoint = %endpoint.base, %failure, "the next server is asked");
                    last = Some((step, failure));
                }
            }
        }
        Err(last.unwrap_or_else(|| {
            (Step::Resolve, Failure::Config("the registry has no endpoint".to_owned()))
        }))
    }

    /// As each who we are, until one may.
    async fn try_credentials(&self, endpoint: &Endpoint, pin: &Arc<Pin>) -> Stepped<Pulled> {
        let resolving = |failure| (Step::Resolve, failure);
        let mut credentials: Vec<_> = endpoint.credential.iter().cloned().map(Some).collect();
        // A mirror is another's server: it gets only what the file means for it.
        if credentials.is_empty() && endpoint.mirror_of.is_none() {
            let found = self.options.keyring.find(self.reference).await;
            credentials
                .extend(found.map_err(|error| resolving(error.into()))?.into_iter().map(Some));
        }
        if credentials.is_empty() {
            credentials.push(None);
        }
        let mut refused = None;
        for credential in credentials {
            let repository = self.reference.repository();
            let session =
                Session::new(self.options, endpoint.clone(), repository, "pull", credential)
                    .map_err(resolving)?;
            match self.with(&session, pin).await {
                // Some registries do not tell whom they do not let that there is something.
                Err((step, failure @ (Failure::Unauthorized(_) | Failure::NotFound(_)))) => {
                    refused = Some((step, failure));
                }
                other => return other,
            }
        }
        Err(refused.unwrap_or_else(|| {
            (Step::Resolve, Failure::Unauthorized("no basic auth credentials".to_owned()))
        }))
    }

    async fn with(&self, session: &Session<'_>, pin: &Arc<Pin>) -> Stepped<Pulled> {
        let mut fetched = 0;
        let (root, bytes) = self.root(session, pin).await?;
        fetched += bytes;
        let registry_digest = root.digest.clone();
        let (image, bytes) = self.choose(session, pin, root).await?;
        fetched += bytes;
        let digests = [&registry_digest, &image.digest];
        signed::check(session, self.reference, &digests).await.map_err(
            |failure| match failure {
                Failure::Rejected(_) => (Step::Store, failure),
                failure => (Step::Resolve, failure),
            },
        )?;
        fetched += self.content(session, pin, &image).await?;
        let storing = |failure| (Step::Store, failure);
        let (layout, reference) = (self.layout.clone(), self.reference.clone());
        let (digest, registry) = (image.digest.clone(), registry_digest.clone());
        blocking(move || layout.name(&reference, &digest, Some(&registry)))
            .await
            .map_err(storing)?;
        let needs = image.content.needs().into_iter().map(Descriptor::size);
        Ok(Pulled {
            size: needs.fold(image.bytes.len() as u64, u64::saturating_add),
            descriptor: image.descriptor(),
            digest: image.digest,
            registry_digest,
            bytes_fetched: fetched,
            already_present: fetched == 0,
            pin: pin.clone(),
        })
    }

    /// What the reference leads to, and how many bytes of it came.
    async fn root(&self, session: &Session<'_>, pin: &Arc<Pin>) -> Stepped<(Manifest, u64)> {
        let limits = self.options.limits;
        let mut moved = false;
        loop {
            let resolving = retry(limits, || manifest::resolve(session, self.reference)).await;
            let Resolved { digest, bytes } =
                resolving.map_err(|failure| (Step::Resolve, failure))?;
            match self.manifest(session, pin, &digest, bytes).await {
                // The tag has moved on since, and what it led to is gone.
                Err((_, Failure::NotFound(_))) if self.reference.digest().is_none() && !moved => {
                    moved = true;
                }
                Err((_, Failure::NotFound(_))) => {
                    let image = self.reference.clone().with_default_tag().to_string();
                    return Err((Step::Resolve, Failure::NotFound(image)));
                }
                other => return other,
            }
        }
    }

    /// The manifest of this digest: that which is here, these bytes, or what the registry has.
    async fn manifest(
        &self,
        session: &Session<'_>,
        pin: &Arc<Pin>,
        digest: &Digest,
        bytes: Option<Vec<u8>>,
    ) -> Stepped<(Manifest, u64)> {
        let fetching = |failure| (Step::Fetch("manifest", digest.clone()), failure);
        let (keeping, wanted) = (pin.clone(), digest.clone());
        let here = blocking(move || {
            keeping.keep(&wanted)?;
            match keeping.layout().manifest(&wanted) {
                Ok(manifest) => Ok(Some(manifest)),
                // A damaged one is replaced.
                Err(LayoutError::Missing(_)) => Ok(None),
                Err(error) if error.is_of_content() => Ok(None),
                Err(error) => Err(error),
            }
        });
        if let Some(manifest) = here.await.map_err(fetching)? {
            return Ok((manifest, 0));
        }
        let limits = self.options.limits;
        let bytes = match bytes {
            Some(bytes) => bytes,
            None => retry(limits, || manifest::fetch(session, digest)).await.map_err(fetching)?,
        };
        let (keeping, wanted) = (pin.clone(), digest.clone());
        let parsed = blocking(move || {
            // Parsed first: what is no manifest does not get into the layout.
            let manifest = Manifest::parse(wanted, bytes)?;
            keeping.put_as(&manifest.digest, &manifest.bytes)?;
            Ok(manifest)
        });
        let manifest = parsed.await.map_err(fetching)?;
        let length = manifest.bytes.len() as u64;
        Ok((manifest, length))
    }

    /// The image that is meant for us, and how many bytes of manifests came.
    async fn choose(
        &self,
        session: &Session<'_>,
        pin: &Arc<Pin>,
        root: Manifest,
    ) -> Stepped<(Manifest, u64)> {
        let (mut manifest, mut fetched) = (root, 0);
        for _ in 0..=MOST_INDEXES {
            let Content::Index(index) = &manifest.content else { return Ok((manifest, fetched)) };
            let chosen = artifact::choose(index).map_err(|error| (Step::Store, error.into()))?;
            let digest = Digest::of(chosen).map_err(|error| (Step::Resolve, error.into()))?;
            let (next, bytes) = self.manifest(session, pin, &digest, None).await?;
            if next.bytes.len() as u64 != chosen.size() {
                let failure = Failure::wrong_size(chosen.size(), next.bytes.len() as u64);
                return Err((Step::Fetch("manifest", digest), failure));
            }
            (manifest, fetched) = (next, fetched + bytes);
        }
        let text = format!("more than {MOST_INDEXES} indexes lead to each other");
        Err((Step::Resolve, Failure::Invalid(text)))
    }

    /// Configuration and layers; answers how many bytes of them came.
    ///
    /// Also what the program does not need: only an image that is whole has a name, for whoever else
    /// reads the layout or gets the image from here.
    async fn content(
        &self,
        session: &Session<'_>,
        pin: &Arc<Pin>,
        image: &Manifest,
    ) -> Stepped<u64> {
        let refusing = |error: ArtifactError| (Step::Store, error.into());
        let decoded = artifact::Manifest::decode(&image.bytes).map_err(refusing)?;
        let document = decoded.document();
        let mut others: Vec<&Descriptor> = Vec::new();
        for descriptor in image.content.needs() {
            let is = |known: &Descriptor| known.digest() == descriptor.digest();
            if !is(document) && !others.iter().any(|known| is(known)) {
                others.push(descriptor);
            }
        }
        let all: Vec<_> = std::iter::once(document).chain(others.iter().copied()).collect();
        self.check_size(image, &all).await?;
        if document.size() > MOST_DOCUMENT_BYTES {
            let (bytes, most) = (document.size(), MOST_DOCUMENT_BYTES);
            return Err(refusing(ArtifactError::TooLarge { what: "config", bytes, most }));
        }
        let mut fetched = self.blobs(session, pin, image, &[document]).await?;
        let text = self.document(document).await?;
        decoded.image(&text).map_err(refusing)?;
        fetched += self.blobs(session, pin, image, &others).await?;
        Ok(fetched)
    }

    /// The blob that says how an image runs, which is here.
    async fn document(&self, document: &Descriptor) -> Stepped<Vec<u8>> {
        let (layout, wanted) = (self.layout.clone(), document.clone());
        let reading = blocking(move || {
            let mut bytes = Vec::new();
            let read = layout.blob(&wanted)?.take(MOST_DOCUMENT_BYTES).read_to_end(&mut bytes);
            match (read, Digest::of(&wanted)) {
                (Ok(_), _) => Ok(bytes),
                (Err(source), digest) => {
                    let path = digest.map(|digest| layout.blob_path(&digest)).unwrap_or_default();
                    Err(LayoutError::Io { path, source })
                }
            }
        });
        reading.await.map_err(|failure| (Step::Store, failure))
    }

    /// Fetches these, some at a time; answers how many bytes came.
    async fn blobs(
        &self,
        session: &Session<'_>,
        pin: &Arc<Pin>,
        image: &Manifest,
        wanted: &[&Descriptor],
    ) -> Stepped<u64> {
        for descriptor in wanted {
            if let Ok(digest) = Digest::of(descriptor) {
                (self.progress)(Progress::Begins { digest, size: descriptor.size() });
            }
        }
        let config = match &image.content {
            Content::Image(image) => Some(image.config().digest().clone()),
            Content::Index(_) => None,
        };
        let abandoned = &Abandoned::not_yet();
        let fetches = wanted.iter().map(|descriptor| {
            let is_config = config.as_ref() == Some(descriptor.digest());
            let kind = if is_config { "config" } else { "layer" };
            async move {
                let fetching = blob::fetch(session, pin, descriptor, abandoned, self.progress);
                fetching.await.map_err(|failure| match Digest::of(descriptor) {
                    Ok(digest) => (Step::Fetch(kind, digest), failure),
                    Err(error) => (Step::Resolve, error.into()),
                })
            }
        });
        let at_a_time = self.options.limits.parallel_layers.max(1);
        let mut fetches = stream::iter(fetches).buffer_unordered(at_a_time);
        let (mut fetched, mut failed) = (0_u64, None);
        while let Some(result) = fetches.next().await {
            match result {
                Ok(bytes) => fetched = fetched.saturating_add(bytes),
                // Dropped, the others leave what they have to the next pull.
                Err((step, failure)) if failed.is_none() && failure.is_transient() => {
                    return Err((step, failure));
                }
                // There is no next one that could use it: the others are waited for, and leave nothing.
                Err(error) => {
                    abandoned.set();
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(fetched), Err)
    }

    /// Before anything comes: whether it may be so large, and whether there is room for it.
    async fn check_size(&self, image: &Manifest, wanted: &[&Descriptor]) -> Stepped<()> {
        let sizes = wanted.iter().map(|descriptor| descriptor.size());
        let total = sizes.fold(0, u64::saturating_add);
        let most = self.options.limits.image_bytes;
        let too_large =
            |text| (Step::Fetch("manifest", image.digest.clone()), Failure::TooLarge(text));
        if total > most {
            return Err(too_large(format!("the image has {total} bytes, more than {most}")));
        }
        let missing: Vec<_> = wanted.iter().map(|descriptor| (*descriptor).clone()).collect();
        let layout = self.layout.clone();
        let room = blocking(move || {
            let missing = missing.iter().filter(|descriptor| layout.blob(descriptor).is_err());
            let missing = missing.map(Descriptor::size).fold(0, u64::saturating_add);
            Ok((missing, layout.disk()?.available))
        });
        let (missing, available) = room.await.map_err(|failure| (Step::Store, failure))?;
        if missing > available {
            return Err(too_large(format!(
                "{missing} bytes have to come, but the disk has {available}: no space left on device"
            )));
        }
        Ok(())
    }
}
