//! `wasmpod wait`: until something is true of objects.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;
use wasmpod_view::output::{Format, Shown};
use wasmpod_view::resource_args::NoName;
use wasmpod_view::wait::WaitFor;

use super::chosen::{self, Missing, Part};
use super::desired::title;
use super::{duration, machine};
use crate::args::Wait;
use crate::failure::Failure;
use crate::print::out;

/// A Pod whose process was killed says nothing: it is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// What kubectl makes of a negative timeout.
const A_WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// # Errors
/// It does not come in time, or the objects are not there.
pub(crate) fn wait(verb: &Wait, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let what = WaitFor::parse(&verb.what).map_err(|error| Failure::kubectl(error.to_string()))?;
    let timeout = duration::parse(&verb.timeout)?.unwrap_or(A_WEEK);
    let text = verb.output.as_deref().unwrap_or_default();
    let format = Format::parse(text, false, |path| std::fs::read_to_string(path))
        .map_err(|error| Failure::kubectl(error.to_string()))?;
    let wanted = chosen::wanted(&verb.selection, NoName::Error, verb.all)?;
    let pods = machine::open(root)?;
    let deadline = Instant::now() + timeout;
    let mut keys: Vec<Key> = Vec::new();
    for part in &wanted.asked {
        match part {
            Part::One(key) => keys.push(key.clone()),
            Part::Kind(..) => {
                let found = wanted.find(&pods, Missing::Fine)?;
                keys.extend(found.objects.into_iter().map(|one| one.key));
                break;
            }
        }
    }
    if keys.is_empty() {
        return match what {
            WaitFor::Delete => Ok(ExitCode::SUCCESS),
            _ => Err(Failure::kubectl("no matching resources found")),
        };
    }
    let mut failures = Vec::new();
    for key in &keys {
        match until(&pods, key, &what, deadline) {
            Ok(object) => {
                let shown = object.as_ref().filter(|_| verb.output.is_some());
                match shown {
                    Some(object) => {
                        let text = format.print(Shown::One(object));
                        let text = text.map_err(|error| Failure::kubectl(error.to_string()))?;
                        out::text(&text.unwrap_or_default());
                    }
                    None => {
                        out::line(&format!("{} condition met", title(key.resource, &key.name)));
                    }
                }
            }
            Err(failure) => failures.push(failure),
        }
    }
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

/// Waits for one object; gives it as it was then.
///
/// # Errors
/// It does not come before the deadline.
pub(super) fn until(
    pods: &BackgroundPods,
    key: &Key,
    what: &WaitFor,
    deadline: Instant,
) -> Result<Option<serde_json::Value>, Failure> {
    let mut watcher = pods.store().watcher();
    let mut has_been_there = false;
    loop {
        let revision = pods.store().revision()?;
        let object = match pods.store().get(key) {
            Ok(object) => Some(object),
            Err(error) if error.is_not_found() => {
                let is_waited_for = matches!(what, WaitFor::Delete | WaitFor::Create);
                if !is_waited_for || (has_been_there && *what == WaitFor::Create) {
                    return Err(error.into());
                }
                None
            }
            Err(error) => return Err(error.into()),
        };
        let is_met = what.is_met(object.as_ref());
        if is_met.map_err(|error| Failure::kubectl(error.to_string()))? {
            return Ok(object);
        }
        has_been_there |= object.is_some();
        if let Some(object) = object {
            pods.mend_pod(object)?;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::kubectl(format!(
                "timed out waiting for the condition on {}/{}",
                key.resource.plural, key.name
            )));
        }
        watcher.wait(revision, left.min(LOOK))?;
    }
}
