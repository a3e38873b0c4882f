//! Rule: `printEvent`.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use serde_json::Value;

use crate::age::since;
use crate::table::build::name;
use crate::table::column::{Column, NAME, column, numbers};

pub(in crate::table) const COLUMNS: &[Column] = &[
    column("Last Seen", "How long ago it happened last"),
    column("Type", "Normal or Warning"),
    column("Reason", "What happened, in one word"),
    column("Object", "What it happened to"),
    column("Subobject", "The part of the object that it happened to").wide(),
    column("Source", "Who tells").wide(),
    column("Message", "What happened, in a sentence"),
    column("First Seen", "How long ago it happened first").wide(),
    numbers("Count", "How often it happened").wide(),
    NAME.wide(),
];

pub(in crate::table) fn cells(event: &Event, now: Timestamp) -> Vec<Value> {
    let (last_seen, first_seen) = seen(event, now);
    let count = match &event.series {
        Some(series) => series.count.unwrap_or_default(),
        None => event.count.filter(|count| *count != 0).unwrap_or(1),
    };
    let about = &event.involved_object;
    let text = |text: &Option<String>| -> Value { text.clone().unwrap_or_default().into() };
    vec![
        last_seen.into(),
        text(&event.type_),
        text(&event.reason),
        object(about.kind.as_deref(), about.name.as_deref()).into(),
        text(&about.field_path),
        source(event).into(),
        event.message.as_deref().unwrap_or_default().trim().into(),
        first_seen.into(),
        count.into(),
        name(&event.metadata),
    ]
}

fn seen(event: &Event, now: Timestamp) -> (String, String) {
    let first = event.first_timestamp.as_ref().map(|time| time.0);
    let first = first.or_else(|| event.event_time.as_ref().map(|time| time.0));
    let first_seen = since(first, now);
    let last_seen = match (&event.series, &event.last_timestamp) {
        (Some(series), _) => since(series.last_observed_time.as_ref().map(|time| time.0), now),
        (None, Some(last)) => since(Some(last.0), now),
        (None, None) => first_seen.clone(),
    };
    (last_seen, first_seen)
}

fn object(kind: Option<&str>, name: Option<&str>) -> String {
    let kind = kind.unwrap_or_default().to_lowercase();
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{kind}/{name}"),
        None => kind,
    }
}

/// The component, and the instance of it behind a comma.
fn source(event: &Event) -> String {
    let first = |texts: [Option<&str>; 2]| {
        texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    };
    let source = event.source.as_ref();
    let component = source.and_then(|source| source.component.as_deref());
    let host = source.and_then(|source| source.host.as_deref());
    let component = first([component, event.reporting_component.as_deref()]);
    match first([host, event.reporting_instance.as_deref()]) {
        instance if instance.is_empty() => component,
        instance => format!("{component}, {instance}"),
    }
}
