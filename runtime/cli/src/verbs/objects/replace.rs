//! `wasmpod replace`: puts what manifests describe in the place of what is there.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_objects::resource::PODS;
use wasmpod_objects::store::{Persist, Update};

use super::create::{Making, make, say};
use super::delete::{self, Going};
use super::{desired, machine};
use crate::args::Replace;
use crate::failure::Failure;

/// # Errors
/// Something is not there, not valid, or cannot be changed. What could be replaced is.
pub(crate) fn replace(verb: &Replace, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let change = &verb.change;
    let desired = desired::read(&change.manifests.filenames, &change.namespace)?;
    let pods = machine::open(root)?;
    let count = desired.iter().filter(|one| one.resource == PODS).count();
    let persist = change.told.dry_run.persist();
    let making = Making { persist, options: &change.options, pods: count };
    let runtime = crate::verbs::run::runtime()?;
    let mut failures = Vec::new();
    for one in desired {
        let key = one.key();
        let replaced = if verb.force && persist == Persist::Yes {
            Going::begin(&pods, &runtime, &key, verb.grace_period)
                .and_then(|going| going.map_or(Ok(()), |own| delete::wait(&pods, &own, None)))
                .and_then(|()| make(&pods, &one, one.object.clone(), making))
        } else {
            let update = Update { persist, ..Update::default() };
            pods.store().update(&key, one.object.clone(), update).map_err(Failure::from)
        };
        match replaced {
            Ok(object) => say(&change.told, &one.title_of(&object), "replaced", &object),
            Err(failure) => failures.push(failure.when("replacing", &one.source)),
        }
    }
    machine::tell(&pods)?;
    Failure::last_of(failures)
}
