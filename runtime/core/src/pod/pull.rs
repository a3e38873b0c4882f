//! The image of a container, a file or one that a registry has, and the program in it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Secret};
use tokio::time::Instant;

use super::container::environment;
use super::runtime::{PodRuntime, pull_policy};
use crate::guest::{PrepareError, Program};
use crate::image::fetch::PullSecret;
use crate::image::{ImageError, LocalImage, Meant, Reference, WantedImage};
use crate::lifecycle::{Exit, ImageInfo, ImageOrigin};

/// A program, or why its image will never run: that is the start's failure, not the image's.
#[derive(Clone)]
pub(super) enum Prepared {
    Program { program: Program, image: Arc<LocalImage> },
    Broken(Exit),
}

impl PodRuntime {
    /// Makes the image of the container of this name ready to run; `pulling` is called before it is fetched.
    ///
    /// # Errors
    /// [`ImageError`]
    ///
    /// # Cancel safety
    /// Dropping it gives up fetching and compiling.
    pub(super) async fn prepare(
        &self,
        name: &str,
        pulling: &(dyn Fn() + Sync),
    ) -> Result<(Prepared, ImageInfo), ImageError> {
        let container = self.container(name);
        let (image, origin) = self.find_image(container, pulling).await?;
        let store = self.store();
        let on_slow = || (self.request.host.shared.on_slow_compile)(name);
        let prepared = match store.preloads.take(name, &image.file).await {
            Some(program) => Ok(program),
            None => {
                let (engines, cache) = self.workshop(store.engines(), container);
                Program::prepare(&engines, &cache, &image.file, on_slow).await
            }
        };
        let (prepared, id) = match prepared {
            Ok(program) => {
                check_program(container, &image, &program)?;
                let id = image.id.clone();
                let id = id.unwrap_or_else(|| format!("sha256:{}", program.digest()));
                (Prepared::Program { program, image: Arc::new(image) }, id)
            }
            Err(PrepareError::Image(error)) => return Err(error),
            // The image is there and is WebAssembly: that it cannot be linked is the start's end.
            Err(PrepareError::Start(error)) => {
                let id = image.id.unwrap_or_else(|| self.image_of(container));
                (Prepared::Broken(error.into()), id)
            }
        };
        Ok((prepared, ImageInfo { id, origin }))
    }

    /// The image of `container`, fetched if it has to be; `pulling` is called before that.
    ///
    /// # Errors
    /// [`ImageError`]
    ///
    /// # Cancel safety
    /// Dropping it gives up fetching.
    async fn find_image(
        &self,
        container: &Container,
        pulling: &(dyn Fn() + Sync),
    ) -> Result<(LocalImage, ImageOrigin), ImageError> {
        let reference = match self.image_meant(container)? {
            Meant::File(file) => return Ok((LocalImage::of_file(file), ImageOrigin::Present)),
            Meant::Image(reference) => reference,
        };
        let wanted = self.wanted(container, reference);
        let begin = Instant::now();
        let user = &self.identity.uid;
        let (image, fetched) =
            self.images().get(wanted, self.pins(), user, self.blocking(), pulling).await?;
        let origin = match fetched {
            Some(fetched) => ImageOrigin::Pulled { took: begin.elapsed(), size: fetched.size },
            None => ImageOrigin::Present,
        };
        Ok((image, origin))
    }

    fn wanted(&self, container: &Container, reference: Reference) -> WantedImage {
        // One that cannot be put together keeps the container from starting, not its image from coming.
        let environment = environment(self, &self.store(), container).unwrap_or_default();
        WantedImage {
            reference,
            policy: pull_policy(container),
            secrets: self.pull_secrets(),
            path: environment.get("PATH").map(str::to_owned),
            working_dir: container.working_dir.clone().filter(|folder| !folder.is_empty()),
            command: environment.command,
            args: environment.args,
        }
    }

    /// `imagePullSecrets`, those that are there: as for a kubelet, the others are nobody's fault before a
    /// registry asks for them.
    fn pull_secrets(&self) -> Vec<PullSecret> {
        let spec = self.pod().spec.as_ref();
        let names = spec.into_iter().flat_map(|spec| spec.image_pull_secrets.iter().flatten());
        let objects = self.objects();
        let namespace = &self.identity.namespace;
        let find = |name: &str| {
            objects.secrets.iter().find(|Secret { metadata, .. }| {
                let own = metadata.namespace.as_deref().unwrap_or("default");
                own == namespace && metadata.name.as_deref() == Some(name)
            })
        };
        names.filter_map(|reference| find(&reference.name)).map(pull_secret).collect()
    }
}

/// What was compiled must be what the image has: its file has been on the disk for who knows how long.
fn check_program(
    container: &Container,
    image: &LocalImage,
    program: &Program,
) -> Result<(), ImageError> {
    match &image.digest {
        Some(digest) if digest.len() == program.digest().len() && digest != program.digest() => {
            Err(ImageError::Inspect {
                image: container.image.clone().unwrap_or_default(),
                message: format!("sha256:{digest} is damaged: remove the image and pull it again"),
            })
        }
        _ => Ok(()),
    }
}

fn pull_secret(secret: &Secret) -> PullSecret {
    let data = secret.data.iter().flatten();
    PullSecret {
        name: secret.metadata.name.clone().unwrap_or_default(),
        kind: secret.type_.clone().unwrap_or_default(),
        data: data.map(|(key, value)| (key.clone(), value.0.clone())).collect(),
    }
}
