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
use crate::args::{Change, Create, DryRun, OutputFormat, RunOptions};
use crate::failure::Failure;
use crate::print::out;

/// # Errors
/// Something is there already, or is not valid. What could be made is made.
pub(crate) fn create(verb: &Create, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let change = &verb.change;
    let desired = desired::read(&change.manifests.filenames, &change.namespace)?;
    let pods = machine::open(root)?;
    let count = desired.iter().filter(|one| one.resource == PODS).count();
    let is_dry = change.dry_run == DryRun::Client;
    let mut failures = Vec::new();
    for one in desired {
        let source = one.source.clone();
        let making = Making { is_dry, options: &change.options, pods: count };
        match make(&pods, &one, one.object.clone(), making) {
            Ok(object) => say(change, &one.title_of(&object), "created", &object),
            Err(Failure::Api(mut error)) => {
                error.message = format!("error when creating {source:?}: {}", error.message);
                failures.push(Failure::Api(error));
            }
            Err(failure) => failures.push(failure),
        }
    }
    finish(failures)
}

/// How objects are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'options> {
    /// Nothing is kept.
    pub(crate) is_dry: bool,
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
    if one.resource == PODS && !making.is_dry {
        let launch = launch::of(making.options, &one.source, making.pods)?;
        return Ok(pods.create(&one.namespace, object, &launch)?.pod);
    }
    let persist = if making.is_dry { Persist::DryRun } else { Persist::Yes };
    let creation = Creation { persist, ..Creation::default() };
    Ok(pods.store().create(one.resource, &one.namespace, object, &creation)?)
}

/// Tells what was done, as the command wants it told.
pub(super) fn say(change: &Change, title: &str, done: &str, object: &Value) {
    let dry = if change.dry_run == DryRun::Client { " (dry run)" } else { "" };
    match change.output {
        None => out::line(&format!("{title} {done}{dry}")),
        Some(OutputFormat::Name) => out::line(title),
        Some(OutputFormat::Json) => out::text(&to_json(object)),
        Some(OutputFormat::Yaml) => out::text(&to_yaml(object)),
    }
}

/// Reports all failures; the last is what the command ends with.
pub(crate) fn finish(mut failures: Vec<Failure>) -> Result<ExitCode, Failure> {
    match failures.pop() {
        None => Ok(ExitCode::SUCCESS),
        Some(last) => {
            for failure in failures {
                // The last one is what the command ends with.
                let _code = failure.report();
            }
            Err(last)
        }
    }
}
