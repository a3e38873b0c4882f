//! `wasmpod events`: what has happened, the oldest first.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use wasmpod_objects::resource::EVENTS;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{ChangeKind, Namespaces};
use wasmpod_view::events::{EventFilter, EventOptions, sort, to_text};
use wasmpod_view::resource_args::BUILT_IN;
use wasmpod_view::table::no_resources_found;

use super::machine;
use crate::args::Events;
use crate::failure::Failure;
use crate::print::{out, problem};

/// A watch looks at least so often: a process that died before it could say so has told nobody.
const LOOK: Duration = Duration::from_secs(1);

/// # Errors
/// A filter that cannot be read.
pub(crate) fn events(verb: &Events, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let wrong = |error: wasmpod_view::events::EventFilterError| Failure::kubectl(error.to_string());
    let mut filter = EventFilter::default().with_types(&verb.types).map_err(wrong)?;
    if let Some(about) = &verb.about {
        filter = filter.with_object(about, BUILT_IN).map_err(wrong)?;
    }
    let pods = machine::open(root)?;
    let namespaces = match verb.all_namespaces {
        true => Namespaces::All,
        false => Namespaces::One(verb.namespace.name()),
    };
    let list = pods.store().list(EVENTS, namespaces, &Selection::default())?;
    let mut events: Vec<Event> =
        list.items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect();
    events.retain(|event| filter.takes(event));
    sort(&mut events);
    if events.is_empty() && !verb.watch {
        let namespace = (!verb.all_namespaces).then(|| verb.namespace.name());
        // The one list whose words lack the full stop, with kubectl too.
        problem::plain(no_resources_found(namespace).trim_end_matches('.'));
        return Ok(ExitCode::SUCCESS);
    }
    let mut options = EventOptions { namespace: verb.all_namespaces, no_headers: verb.no_headers };
    out::text(&to_text(&events, options, Timestamp::now()));
    if !verb.watch {
        return Ok(ExitCode::SUCCESS);
    }
    options.no_headers |= !events.is_empty();
    let mut watcher = pods.store().watcher();
    let mut revision = list.revision;
    while !out::is_closed() {
        let changes =
            pods.store().changes_since(revision, EVENTS, namespaces, &Selection::default())?;
        for change in changes.changes {
            let event = serde_json::from_value::<Event>(change.object).ok();
            // Old ones go, which is no event.
            let is_news = change.kind != ChangeKind::Deleted;
            if let Some(event) = event.filter(|event| is_news && filter.takes(event)) {
                out::text(&to_text(&[event], options, Timestamp::now()));
                options.no_headers = true;
            }
        }
        revision = changes.revision;
        watcher.wait(revision, LOOK)?;
    }
    Ok(ExitCode::SUCCESS)
}
