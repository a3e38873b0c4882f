//! From a request to an answer.

use std::path::Path;

use wasmpod_images::fetch::{FetchError, FetchErrorKind, Fetched, Progress, Request};
use wasmpod_images::layout::Layout;
use wasmpod_images::policy::Policy;
use wasmpod_images::reference::Reference;

use super::settings;
use crate::config::RegistryConfig;
use crate::credentials::Keyring;
use crate::error::{Failure, PullError, PushError, chain};
use crate::options::Options;
use crate::pull::pull;
use crate::push::push;

/// A request whose words were understood, with all that it takes from this machine.
pub(super) struct Job {
    pub(super) layout: Layout,
    /// What the registry calls it.
    pub(super) reference: Reference,
    pub(super) config: RegistryConfig,
    pub(super) keyring: Keyring,
    direction: Direction,
}

enum Direction {
    Pull(Option<Policy>),
    /// What the layout calls it.
    Push(Reference),
}

/// Blocks for as long as it takes to read some small files.
pub(super) fn prepare(request: Request) -> Result<Job, FetchError> {
    match request {
        Request::Pull { layout, reference, secrets, config, policy } => Ok(Job {
            reference: parse(&reference)?,
            layout: open(&layout)?,
            config: settings::config(config.as_deref())?,
            keyring: settings::keyring(&secrets)?,
            direction: Direction::Pull(policy.as_deref().map(settings::policy).transpose()?),
        }),
        Request::Push { layout, name, reference, config } => Ok(Job {
            direction: Direction::Push(parse(&name)?),
            reference: parse(&reference)?,
            layout: open(&layout)?,
            config: settings::config(config.as_deref())?,
            keyring: settings::keyring(&[])?,
        }),
    }
}

impl Job {
    /// Does it; `tell` is called often and must not wait.
    pub(super) async fn carry_out(
        self,
        tell: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Fetched, FetchError> {
        let Self { layout, reference, config, keyring, direction } = self;
        let options = Options::new(config, keyring);
        match direction {
            Direction::Pull(policy) => {
                let options = match policy {
                    Some(policy) => options.with_policy(policy),
                    None => options,
                };
                let pulled = pull(&reference, &layout, &options, tell).await?;
                let registry_digest = Some(pulled.registry_digest);
                Ok(Fetched {
                    registry_digest: registry_digest.filter(|digest| *digest != pulled.digest),
                    manifest: pulled.digest,
                    size: pulled.size,
                    bytes_fetched: pulled.bytes_fetched,
                    already_present: pulled.already_present,
                })
            }
            Direction::Push(name) => {
                let pushed = push(&layout, &name, &reference, &options, tell).await?;
                Ok(Fetched {
                    manifest: pushed.digest,
                    registry_digest: None,
                    size: pushed.size,
                    bytes_fetched: pushed.bytes_sent,
                    already_present: pushed.bytes_sent == 0,
                })
            }
        }
    }
}

fn parse(reference: &str) -> Result<Reference, FetchError> {
    reference.parse().map_err(|error| {
        let message = format!("couldn't parse image name {reference:?}: {error}");
        FetchError::new(FetchErrorKind::InvalidReference, message)
    })
}

fn open(folder: &Path) -> Result<Layout, FetchError> {
    Layout::open(folder).map_err(|error| FetchError::new(FetchErrorKind::Host, chain(&error)))
}

fn kind(failure: &Failure) -> FetchErrorKind {
    match failure {
        Failure::NotFound(_) => FetchErrorKind::NotFound,
        Failure::Unauthorized(_) => FetchErrorKind::Unauthorized,
        Failure::Unavailable(_) | Failure::TooManyRequests(_) => FetchErrorKind::Unavailable,
        Failure::Invalid(_) | Failure::Unexpected(_) => FetchErrorKind::Invalid,
        Failure::TooLarge(_) | Failure::Refused(_) | Failure::Rejected(_) => {
            FetchErrorKind::Refused
        }
        Failure::Store(_) | Failure::Credentials(_) | Failure::Config(_) => FetchErrorKind::Host,
    }
}

impl From<PullError> for FetchError {
    fn from(error: PullError) -> Self {
        Self::new(kind(&error.failure), error.to_string())
    }
}

impl From<PushError> for FetchError {
    fn from(error: PushError) -> Self {
        Self::new(kind(&error.failure), error.to_string())
    }
}
