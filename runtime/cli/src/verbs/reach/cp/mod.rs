//! `wasmpod cp`: files and folders from a container and to it.
//!
//! What travels is a tar archive, made and read by the Pod's process on its side and here on this.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `place` | what is meant by SOURCE and DESTINATION | yes |
//! | `pipe` | between an archive's bytes and tasks | |
//! | `download`, `upload` | either direction | |

mod download;
mod pipe;
mod place;
pub(super) mod upload;

use std::path::Path;
use std::process::ExitCode;

use place::Place;
use wasmpod::sandbox::filesystem::Copied;

use super::target::Target;
use crate::args::Cp;
use crate::failure::Failure;
use crate::print::problem;

/// # Errors
/// Neither or both are in a Pod, there is no such Pod or file, or something cannot be written.
pub(crate) fn cp(verb: &Cp, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let places = (Place::parse(&verb.source)?, Place::parse(&verb.destination)?);
    let runtime = crate::verbs::run::runtime()?;
    let find = |namespace: Option<&str>, pod: &str| {
        let namespace = namespace.unwrap_or_else(|| verb.namespace.name());
        let target = Target::find(root, namespace, pod)?;
        let container = target.container(verb.container.as_deref(), false)?;
        Ok::<_, Failure>((target, container))
    };
    let copied = match &places {
        (Place::Pod { namespace, pod, path }, Place::Local(local)) => {
            let (target, container) = find(namespace.as_deref(), pod)?;
            let options = download::Options { keeps_modes: !verb.no_preserve };
            runtime.block_on(download::download(
                &target.client,
                &container,
                path,
                local,
                options,
            ))?
        }
        (Place::Local(local), Place::Pod { namespace, pod, path }) => {
            let (target, container) = find(namespace.as_deref(), pod)?;
            runtime.block_on(upload::upload(&target.client, &container, local, path))?
        }
        (Place::Local(_), Place::Local(_)) => {
            return Err(Failure::kubectl("one of src or dest must be a remote file specification"));
        }
        (Place::Pod { .. }, Place::Pod { .. }) => {
            return Err(Failure::kubectl("one of src or dest must be a local file specification"));
        }
    };
    tell(&copied);
    Ok(ExitCode::SUCCESS)
}

fn tell(copied: &Copied) {
    copied.notes.iter().for_each(|note| problem::warning(note));
}
