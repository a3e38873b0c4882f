//! `wasmpod replace`: puts what manifests describe in the place of what is there.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_objects::resource::PODS;
use wasmpod_objects::store::{Persist, Update};

use super::create::{Making, finish, make, say};
use super::delete::{self, Going};
use super::{desired, machine};
use crate::args::{DryRun, Replace};
use crate::failure::Failure;

/// # Errors
/// Something is not there, not valid, or cannot be changed. What could be replaced is.
pub(crate) fn replace(verb: &Replace, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let change = &verb.change;
    let desired = desired::read(&change.manifests.filenames, &change.namespace)?;
    let pods = machine::open(root)?;
    let count = desired.iter().filter(|one| one.resource == PODS).count();
    let is_dry = change.dry_run == DryRun::Client;
    let persist = if is_dry { Persist::DryRun } else { Persist::Yes };
    let mut failures = Vec::new();
    for one in desired {
        let key = one.key();
        let replaced = if verb.force && !is_dry {
            let making = Making { is_dry, options: &change.options, pods: count };
            Going::begin(&pods, &key, verb.grace_period)
                .and_then(|going| going.map_or(Ok(()), |own| delete::wait(&pods, &own, None)))
                .and_then(|()| make(&pods, &one, one.object.clone(), making))
        } else {
            let update = Update { persist, ..Update::default() };
            pods.store().update(&key, one.object.clone(), update).map_err(Failure::from)
        };
        match replaced {
            Ok(object) => say(change, &one.title_of(&object), "replaced", &object),
            Err(Failure::Api(mut error)) => {
                error.message = format!("error when replacing {:?}: {}", one.source, error.message);
                failures.push(Failure::Api(error));
            }
            Err(failure) => failures.push(failure),
        }
    }
    finish(failures)
}
