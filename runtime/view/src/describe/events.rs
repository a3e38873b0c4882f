//! The events about an object, below everything else.

use k8s_openapi::api::core::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use crate::interval::interval;

/// What is to be told: nothing at all with `--show-events=false`.
pub(super) struct Told<'around> {
    events: Option<Vec<&'around Event>>,
    around: &'around Surroundings,
}

impl Told<'_> {
    /// These, and the others behind them.
    pub(super) fn and(mut self, others: Self) -> Self {
        if let (Some(events), Some(others)) = (&mut self.events, others.events) {
            events.extend(others);
            sort(events);
        }
        self
    }
}

fn sort(events: &mut [&Event]) {
    events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
}

/// The events about the object with this `uid`; of this kind, if one is given.
pub(super) fn about<'around>(
    uid: Option<&str>,
    metadata: &ObjectMeta,
    kind: Option<&str>,
    around: &'around Surroundings,
) -> Told<'around> {
    let is_about = |event: &&Event| {
        let object = &event.involved_object;
        let same = |one: &Option<String>, other: &Option<String>| {
            one.as_deref().unwrap_or_default() == other.as_deref().unwrap_or_default()
        };
        same(&object.name, &metadata.name)
            && same(&object.namespace, &metadata.namespace)
            && kind.is_none_or(|kind| object.kind.as_deref() == Some(kind))
            && uid.is_none_or(|uid| object.uid.as_deref() == Some(uid))
    };
    let mut events: Option<Vec<&Event>> =
        around.events.as_ref().map(|events| events.iter().filter(is_about).collect());
    if let Some(events) = &mut events {
        sort(events);
    }
    Told { events, around }
}

pub(super) fn describe(sheet: &mut Sheet, told: &Told<'_>) {
    let Some(events) = &told.events else { return };
    if events.is_empty() {
        return sheet.field(0, "Events", "<none>");
    }
    sheet.end_columns();
    sheet.write(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage\n");
    sheet.write(1, "----\t------\t----\t----\t-------\n");
    for event in events {
        let component = event.source.as_ref().and_then(|source| source.component.clone());
        let component = component.filter(|component| !component.is_empty());
        let from = component.or_else(|| event.reporting_component.clone()).unwrap_or_default();
        let cells = [
            event.type_.as_deref().unwrap_or_default(),
            event.reason.as_deref().unwrap_or_default(),
            &interval(event, told.around.now),
            &from,
            event.message.as_deref().unwrap_or_default().trim(),
        ];
        sheet.write(1, cells.join("\t") + "\n");
    }
}
