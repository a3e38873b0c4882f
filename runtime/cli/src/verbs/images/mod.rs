//! Images of registries. Words and flags are podman's and docker's, which have these verbs; kubectl has none.

pub(crate) mod archive;
pub(crate) mod group;
pub(crate) mod inspect;
pub(crate) mod list;
mod pack;
mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod rmi;
pub(crate) mod tag;

use std::path::Path;

use serde::Serialize;
use wasmpod::pod::Folders;
use wasmpod_node::images::{FetchError, FetchErrorKind, Images, Registries};

use crate::args::InfoFormat;
use crate::failure::Failure;
use crate::print::out;
use crate::registry;

/// The images of this machine.
///
/// # Errors
/// There is no place for a state folder.
fn open(root: Option<&Path>) -> Result<Images, Failure> {
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot look", &error))?;
    Ok(Images::new(&folders))
}

/// How registries are spoken to.
///
/// # Errors
/// This program cannot be found.
fn registries() -> Result<Registries, Failure> {
    let fetcher = registry::fetcher().map_err(|error| Failure::because("cannot start", &error))?;
    let files = registry::files();
    Ok(Registries { fetcher, config: files.registries, policy: files.policy })
}

/// Why an image does not come or go.
fn refused(error: &FetchError) -> Failure {
    match error.kind {
        // This machine is at fault, and not what was asked for.
        FetchErrorKind::Host => Failure::new(&error.message),
        FetchErrorKind::InvalidReference
        | FetchErrorKind::NotFound
        | FetchErrorKind::Unauthorized
        | FetchErrorKind::Unavailable
        | FetchErrorKind::Invalid
        | FetchErrorKind::Refused => Failure::podman(&error.message),
    }
}

fn print(value: &impl Serialize, format: InfoFormat) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::because("cannot tell", error);
    match format {
        InfoFormat::Json => {
            out::line(&serde_json::to_string_pretty(value).map_err(|error| failed(&error))?);
        }
        InfoFormat::Yaml => {
            out::text(&serde_saphyr::to_string(value).map_err(|error| failed(&error))?);
        }
    }
    Ok(())
}
