//! Images from registries, and to them.

use std::path::PathBuf;

use wasmpod::image::Fetcher;
use wasmpod_images::fetch::{FetchError, Progress, Request};
use wasmpod_images::reference::Reference;

use super::machine::Images;

/// How registries are spoken to.
#[derive(Clone, Debug)]
pub struct Registries {
    /// Who speaks to them.
    pub fetcher: Fetcher,
    /// The `registries.yaml`; none means that of the user or the machine.
    pub config: Option<PathBuf>,
    /// The image policy; none means that every image may come.
    pub policy: Option<PathBuf>,
}

impl Images {
    /// Brings an image here, and answers by which digest its registry knows it. `tell` hears how it goes.
    ///
    /// # Errors
    /// [`FetchError`]
    ///
    /// # Cancel safety
    /// What has come is gone on with the next time.
    pub async fn pull(
        &self,
        registries: &Registries,
        reference: &Reference,
        tell: impl FnMut(Progress),
    ) -> Result<Reference, FetchError> {
        let request = Request::Pull {
            layout: self.folder().to_owned(),
            reference: reference.clone().with_default_tag().to_string(),
            secrets: Vec::new(),
            config: registries.config.clone(),
            policy: registries.policy.clone(),
        };
        let fetched = registries.fetcher.fetch(&request, tell).await?;
        Ok(reference.at(fetched.registry_digest.unwrap_or(fetched.manifest)))
    }

    /// Brings the image `name` to a registry, as `reference`; answers by which digest it is there.
    ///
    /// # Errors
    /// [`FetchError`]
    ///
    /// # Cancel safety
    /// What has gone there is not sent again the next time.
    pub async fn push(
        &self,
        registries: &Registries,
        name: &Reference,
        reference: &Reference,
        tell: impl FnMut(Progress),
    ) -> Result<Reference, FetchError> {
        let request = Request::Push {
            layout: self.folder().to_owned(),
            name: name.clone().with_default_tag().to_string(),
            reference: reference.clone().with_default_tag().to_string(),
            config: registries.config.clone(),
        };
        let sent = registries.fetcher.fetch(&request, tell).await?;
        Ok(reference.at(sent.manifest))
    }
}
