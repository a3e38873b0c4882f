//! `wasmpod describe`: all that there is to know of objects.

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use wasmpod_node::background::BackgroundPods;
use wasmpod_node::background::services::endpoint_slices;
use wasmpod_objects::Resource;
use wasmpod_objects::resource::{EVENTS, PODS, SERVICES};
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::Namespaces;
use wasmpod_view::describe::{Surroundings, describe as page};
use wasmpod_view::resource_args::NoName;

use super::chosen::{self, ByName, Chosen, Missing};
use super::machine;
use crate::args::Describe;
use crate::failure::Failure;
use crate::print::{out, problem};

/// # Errors
/// What is named and not there.
pub(crate) fn describe(verb: &Describe, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let wanted = chosen::wanted(&verb.selection, NoName::All, false)?;
    let pods = machine::open(root)?;
    let mut found = wanted.find(&pods, Missing::Error)?;
    let objects = std::mem::take(&mut found.objects);
    if objects.is_empty() && wanted.by_name == ByName::No {
        let namespace = (!wanted.all_namespaces).then_some(wanted.namespace.as_str());
        problem::plain(&wasmpod_view::table::no_resources_found(namespace));
    }
    for (number, one) in objects.iter().enumerate() {
        if number > 0 {
            out::text("\n\n");
        }
        let around = around(&pods, one, verb.show_events)?;
        let text = page(&one.object, &around);
        out::text(&text.map_err(|error| Failure::because("cannot describe it", &error))?);
    }
    found.settle()?;
    Ok(ExitCode::SUCCESS)
}

fn around(pods: &BackgroundPods, one: &Chosen, with_events: bool) -> Result<Surroundings, Failure> {
    let mut around = Surroundings::new(Timestamp::now(), TimeZone::system());
    around.events = if with_events { Some(all(pods, EVENTS, one)?) } else { None };
    if one.key.resource != PODS {
        around.pods = all(pods, PODS, one)?;
    }
    if one.key.resource == SERVICES
        && let Ok(service) = serde_json::from_value(one.object.clone())
    {
        around.endpoint_slices = endpoint_slices(&service, &around.pods);
    }
    Ok(around)
}

/// The objects of a kind in the namespace of another.
fn all<Kind: DeserializeOwned>(
    pods: &BackgroundPods,
    resource: Resource,
    one: &Chosen,
) -> Result<Vec<Kind>, Failure> {
    let namespaces = Namespaces::One(&one.key.namespace);
    let list = pods.store().list(resource, namespaces, &Selection::default())?;
    Ok(list.items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}
