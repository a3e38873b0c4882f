//! `wasmpod create`: makes what manifests describe, where it is not there yet.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::store::{Create as Creation, Persist};
use wasmpod_view::output::{to_json, to_yaml};

use super::desired::{self, Desired};
use super::{launch, machine};
use crate::args::{Create, DryRun, OutputFormat, RunOptions, Told};
use crate::failure::Failure;
use crate::print::out;

/// # Errors
/// Something is there already, or is not valid. What could be made is made.
pub(crate) fn create(verb: &Create, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let change = &verb.change;
    let desired = desired::read(&change.manifests.filenames, &change.namespace)?;
    let pods = machine::open(root)?;
    let count = desired.iter().filter(|one| one.resource == PODS).count();
    let persist = change.told.dry_run.persist();
    let mut failures = Vec::new();
    for one in desired {
        let making = Making { persist, options: &change.options, pods: count };
        match make(&pods, &one, one.object.clone(), making) {
            Ok(object) => say(&change.told, &one.title_of(&object), "created", &object),
            Err(failure) => failures.push(failure.when("creating", &one.source)),
        }
    }
    machine::tell(&pods)?;
    Failure::last_of(failures)
}

/// How objects are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'options> {
    /// Whether something is kept.
    pub(crate) persist: Persist,
    /// Of the processes of Pods.
    pub(crate) options: &'options RunOptions,
    /// How many Pods the command makes.
    pub(crate) pods: usize,
}

/// Makes one object, and starts its process if it is a Pod.
///
/// # Errors
/// It is there already, or is not valid.
pub(crate) fn make(
    pods: &BackgroundPods,
    one: &Desired,
    object: Value,
    making: Making<'_>,
) -> Result<Value, Failure> {
    if one.resource == PODS && making.persist == Persist::Yes {
        let launch = launch::of(making.options, &one.source, making.pods)?;
        return Ok(pods.create(&one.namespace, object, &launch)?);
    }
    let creation = Creation { persist: making.persist, ..Creation::default() };
    Ok(pods.store().create(one.resource, &one.namespace, object, &creation)?)
}

/// Tells what was done, as the command wants it told.
pub(super) fn say(told: &Told, title: &str, done: &str, object: &Value) {
    let dry = if told.dry_run == DryRun::Client { " (dry run)" } else { "" };
    match told.output {
        None => out::line(&format!("{title} {done}{dry}")),
        Some(OutputFormat::Name) => out::line(title),
        Some(OutputFormat::Json) => out::text(&to_json(object)),
        Some(OutputFormat::Yaml) => out::text(&to_yaml(object)),
    }
}
