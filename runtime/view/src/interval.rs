//! When an event happened, and how often.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

use crate::age::since;

/// `3m`, or `3m (x4 over 5m)` where it happened several times.
pub(crate) fn interval(event: &Event, now: Timestamp) -> String {
    let first = event.event_time.as_ref().map(|time| time.0);
    let first = since(first.or_else(|| event.first_timestamp.as_ref().map(|time| time.0)), now);
    let (last, count) = match (&event.series, event.count) {
        (Some(series), _) => (
            series.last_observed_time.as_ref().map(|time| time.0),
            series.count.unwrap_or_default(),
        ),
        (None, Some(count)) if count > 1 => {
            (event.last_timestamp.as_ref().map(|time| time.0), count)
        }
        (None, Some(_) | None) => return first,
    };
    format!("{} (x{count} over {first})", since(last, now))
}
