//! `wasmpod wait`: until something is true of objects.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Key;
use wasmpod_objects::status::ApiError;
use wasmpod_view::output::Shown;
use wasmpod_view::resource_args::NoName;
use wasmpod_view::wait::WaitFor;

use super::chosen::{self, Missing, Part};
use super::desired::title;
use super::get::{format, print};
use super::until::{timed_out, until};
use super::{duration, machine};
use crate::args::Wait;
use crate::failure::Failure;
use crate::print::out;

/// What kubectl makes of a negative timeout.
const A_WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// # Errors
/// It does not come in time, or the objects are not there.
pub(crate) fn wait(verb: &Wait, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let what = WaitFor::parse(&verb.what).map_err(|error| Failure::kubectl(error.to_string()))?;
    let timeout = duration::parse(&verb.timeout)?.unwrap_or(A_WEEK);
    let format = format(verb.output.as_deref(), false)?;
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
        match wait_for(&pods, key, &what, deadline) {
            Ok(object) => {
                let shown = object.as_ref().filter(|_| verb.output.is_some());
                match shown {
                    Some(object) => {
                        print(&format, Shown::One(object))?;
                    }
                    None => {
                        out::line(&format!("{} condition met", title(key.resource, &key.name)));
                    }
                }
            }
            Err(failure) => failures.push(failure),
        }
    }
    Failure::last_of(failures)
}

/// Waits for one object; gives it as it was then.
///
/// # Errors
/// It does not come before the deadline.
fn wait_for(
    pods: &BackgroundPods,
    key: &Key,
    what: &WaitFor,
    deadline: Instant,
) -> Result<Option<Value>, Failure> {
    let mut has_been_there = false;
    let met = until(pods, key, Some(deadline), |object| {
        let may_be_absent = match what {
            WaitFor::Delete => true,
            WaitFor::Create => !has_been_there,
            WaitFor::Condition { .. } | WaitFor::JsonPath { .. } => false,
        };
        if object.is_none() && !may_be_absent {
            return Err(ApiError::not_found(key.resource, &key.name).into());
        }
        has_been_there |= object.is_some();
        let is_met = what.is_met(object);
        let is_met = is_met.map_err(|error| Failure::kubectl(error.to_string()))?;
        Ok(is_met.then(|| object.cloned()))
    })?;
    met.ok_or_else(|| timed_out(format_args!("{}/{}", key.resource.plural, key.name)))
}
