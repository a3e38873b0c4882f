//! `wasmpod delete`: asks for the end of objects, and waits for it.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_node::podprocess::{PodClient, Stop};
use wasmpod_objects::Key;
use wasmpod_objects::resource::{PODS, SERVICES};
use wasmpod_objects::store::{self, Deleted};
use wasmpod_view::resource_args::NoName;

use super::chosen::{self, ByName, Chosen, Missing};
use super::desired::title;
use super::until::{timed_out, until};
use super::{duration, machine};
use crate::args::{Delete, DeleteOptions};
use crate::failure::Failure;
use crate::print::out;

/// # Errors
/// What is named and not there; a Pod that does not end in time.
pub(crate) fn delete(verb: &Delete, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let options = &verb.options;
    let patience = duration::parse(&options.timeout)?.filter(|wait| !wait.is_zero());
    let missing = if options.ignore_not_found { Missing::Fine } else { Missing::Error };
    let wanted = chosen::wanted(&verb.selection, NoName::Error, verb.all)?;
    let pods = machine::open(root)?;
    let mut found = wanted.find(&pods, missing)?;
    let objects = std::mem::take(&mut found.objects);
    if objects.is_empty() && wanted.by_name == ByName::No {
        out::line("No resources found");
    }
    let runtime = crate::verbs::run::runtime()?;
    let (mut going, mut failures) = (Vec::new(), Vec::new());
    for one in &objects {
        match Going::begin(&pods, &runtime, &one.key, grace(options)) {
            Ok(Some(own)) => {
                say(one, options);
                going.push(own);
            }
            Ok(None) => {}
            Err(failure) => failures.push(failure),
        }
    }
    if objects.iter().any(|one| one.key.resource == SERVICES) {
        pods.tell_services()?;
    }
    if options.wait && !options.force {
        let deadline = patience.map(|wait| Instant::now() + wait);
        failures.extend(going.iter().filter_map(|own| wait(&pods, own, deadline).err()));
    }
    failures.extend(std::mem::take(&mut found.missing));
    Failure::last_of(failures)
}

/// An object that is on its way out.
pub(super) struct Going {
    key: Key,
    uid: String,
}

impl Going {
    /// Marks one object and tells its process; none where it is gone already. Without `grace` a Pod has
    /// the seconds that it wants itself.
    ///
    /// # Errors
    /// The store fails.
    pub(super) fn begin(
        pods: &BackgroundPods,
        runtime: &Runtime,
        key: &Key,
        grace: Option<i64>,
    ) -> Result<Option<Self>, Failure> {
        let is_pod = key.resource == PODS;
        let delete = store::Delete {
            // Its process ends first, which nobody could tell it any more.
            grace_period_seconds: if is_pod { least_grace(pods, key, grace)? } else { None },
            ..store::Delete::default()
        };
        let deleted = match pods.store().delete(key, &delete) {
            // Somebody was quicker.
            Err(error) if error.is_not_found() => return Ok(None),
            deleted => deleted?,
        };
        let uid = deleted.object()["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        match &deleted {
            Deleted::Marked(object) => stop(pods, runtime, &uid, object, grace)?,
            // One that had ended has left its logs.
            Deleted::Removed(object) if is_pod => pods.mend_pod(object.clone())?,
            Deleted::Removed(_) => {}
        }
        Ok(Some(Self { key: key.clone(), uid }))
    }
}

/// The grace period that an object is marked with: a second at least, also where its Pod wants none.
fn least_grace(
    pods: &BackgroundPods,
    key: &Key,
    grace: Option<i64>,
) -> Result<Option<i64>, Failure> {
    let wants_none = || match pods.store().get(key) {
        Ok(object) => Ok(object["spec"]["terminationGracePeriodSeconds"] == 0),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(Failure::from(error)),
    };
    Ok(match grace {
        Some(grace) => Some(grace.max(1)),
        None => wants_none()?.then_some(1),
    })
}

/// How many seconds a Pod has, as the flags of a command say it.
fn grace(options: &DeleteOptions) -> Option<i64> {
    match (options.now, options.force, options.grace_period) {
        (true, _, _) => Some(1),
        (false, true, grace) if grace < 0 => Some(0),
        (false, _, grace) if grace < 0 => None,
        // As kubectl: without force a Pod has a second at least, so that its process confirms.
        (false, false, 0) => Some(1),
        (false, _, grace) => Some(grace),
    }
}

/// Tells the Pod's process; one that is gone is mended instead.
fn stop(
    pods: &BackgroundPods,
    runtime: &Runtime,
    uid: &str,
    object: &Value,
    grace: Option<i64>,
) -> Result<(), Failure> {
    let client = PodClient::new(pods.folders().control_socket(uid));
    let grace = grace.or_else(|| object["metadata"]["deletionGracePeriodSeconds"].as_i64());
    let grace_period_seconds = grace.and_then(|grace| u64::try_from(grace).ok());
    let told = runtime.block_on(async {
        match grace_period_seconds {
            Some(0) => client.kill().await,
            grace_period_seconds => client.stop(&Stop { grace_period_seconds }).await,
        }
    });
    match told {
        // It is over, or was never there.
        Err(_) => Ok(pods.mend_pod(object.clone())?),
        Ok(()) => Ok(()),
    }
}

fn say(one: &Chosen, options: &DeleteOptions) {
    let (resource, name) = (one.key.resource, &one.key.name);
    if options.output.is_some() {
        return out::line(&title(resource, name));
    }
    let kind = resource.kind.to_lowercase();
    let how = if options.force { "force deleted" } else { "deleted" };
    out::line(&format!("{kind} {name:?} {how}"));
}

/// Waits until the object is gone, or another one of its name is there.
///
/// # Errors
/// The deadline comes first.
pub(super) fn wait(
    pods: &BackgroundPods,
    Going { key, uid }: &Going,
    deadline: Option<Instant>,
) -> Result<(), Failure> {
    let gone = until(pods, key, deadline, |object| {
        let is_there = object.is_some_and(|object| object["metadata"]["uid"] == uid.as_str());
        Ok((!is_there).then_some(()))
    })?;
    gone.ok_or_else(|| timed_out(title(key.resource, &key.name)))
}
