//! `wasmpod apply`: makes the objects of a machine what manifests describe.
//!
//! What was written before is kept with each object, so that what is no longer written goes, and
//! what others have set stays.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;
use wasmpod_objects::patch::apply::{LAST_APPLIED, annotated, last_applied};
use wasmpod_objects::resource::PODS;
use wasmpod_objects::status::{ApiError, Reason};
use wasmpod_objects::store::Persist;

use super::create::{self, Making};
use super::desired::{self, Desired, title};
use super::{duration, machine};
use crate::args::Apply;
use crate::failure::Failure;
use crate::print::problem;

/// Others may make and delete an object in between, but not for ever.
const TRIES: usize = 8;

/// # Errors
/// Something is not valid, or cannot be changed. What could be applied is.
pub(crate) fn apply(verb: &Apply, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let change = &verb.change;
    let patience = duration::parse(&verb.timeout)?.filter(|timeout| !timeout.is_zero());
    let desired = desired::read(&change.manifests.filenames, &change.namespace)?;
    let pods = machine::open(root)?;
    let count = desired.iter().filter(|one| one.resource == PODS).count();
    let persist = change.told.dry_run.persist();
    let making = Making { persist, options: &change.options, pods: count };
    let mut failures = Vec::new();
    let mut applied: Vec<Key> = Vec::new();
    for one in &desired {
        match apply_one(&pods, one, making) {
            Ok((object, done)) => {
                create::say(&change.told, &one.title_of(&object), done, &object);
                if one.resource == PODS {
                    applied.push(one.key());
                }
            }
            Err(failure) => failures.push(failure.when("applying", &one.source)),
        }
    }
    machine::tell(&pods)?;
    if verb.wait && persist == Persist::Yes {
        let deadline = patience.map(|timeout| Instant::now() + timeout);
        let waits = applied.iter().map(|key| super::ready::wait(&pods, key, deadline));
        failures.extend(waits.filter_map(Result::err));
    }
    Failure::last_of(failures)
}

fn apply_one(
    pods: &BackgroundPods,
    one: &Desired,
    making: Making<'_>,
) -> Result<(Value, &'static str), Failure> {
    let (store, persist) = (pods.store(), making.persist);
    let mut tries = 0;
    loop {
        tries += 1;
        warn_of_missing_annotation(pods, one)?;
        if let Some((applied, object)) =
            store.reconcile(one.resource, &one.namespace, &one.object, persist)?
        {
            return Ok((object, applied.as_str()));
        }
        let object = annotated(&one.object).map_err(ApiError::from)?;
        match create::make(pods, one, object, making) {
            // Somebody was faster.
            Err(Failure::Api(error)) if error.reason == Reason::AlreadyExists && tries < TRIES => {}
            made => return Ok((made?, "created")),
        }
    }
}

fn warn_of_missing_annotation(pods: &BackgroundPods, one: &Desired) -> Result<(), Failure> {
    let current = match pods.store().get(&one.key()) {
        Ok(current) => current,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if matches!(last_applied(&current), Ok(None)) {
        let title = title(one.resource, &one.name).replacen('/', "s/", 1);
        problem::plain(&format!(
            "Warning: resource {title} is missing the {LAST_APPLIED} annotation which is required \
             by wasmpod apply. wasmpod apply should only be used on resources created \
             declaratively by either wasmpod create --save-config or wasmpod apply. The missing \
             annotation will be patched automatically."
        ));
    }
    Ok(())
}
