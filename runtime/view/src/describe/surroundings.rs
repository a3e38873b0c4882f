//! What a description needs beside its object.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::age;

/// The time, and the objects near the one that is described.
///
/// Whoever describes gives all there are of a kind: those that belong to the object are found here.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// When this is.
    pub now: Timestamp,
    /// In which times of day are shown.
    pub zone: TimeZone,
    /// All events; none with `--show-events=false`.
    pub events: Option<Vec<Event>>,
    /// The Pods of the claim's namespace, or of the node.
    pub pods: Vec<Pod>,
    /// The endpoint slices of the service's namespace.
    pub endpoint_slices: Vec<EndpointSlice>,
    /// The lease of the node, if it keeps one.
    pub lease: Option<Lease>,
}

impl Surroundings {
    /// Nothing but the time, and no events.
    pub fn new(now: Timestamp, zone: TimeZone) -> Self {
        let (pods, endpoint_slices) = (Vec::new(), Vec::new());
        Self { now, zone, events: Some(Vec::new()), pods, endpoint_slices, lease: None }
    }

    /// `5m`, or `<unknown>`.
    pub(super) fn since(&self, time: Option<&Time>) -> String {
        age::since(time.map(|time| time.0), self.now)
    }

    /// `Wed, 25 Nov 2026 08:00:01 +0000`; the year 1 where nobody has said when.
    pub(super) fn date(&self, time: Option<&Time>) -> String {
        self.date_of(time.map(|time| time.0))
    }

    pub(super) fn date_of(&self, time: Option<Timestamp>) -> String {
        // Go's zero.
        let Some(time) = time else { return "Mon, 01 Jan 0001 00:00:00 +0000".to_owned() };
        time.to_zoned(self.zone.clone()).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    #[test]
    fn times_of_day_are_those_of_the_zone() {
        let time: Timestamp = "2026-11-25T20:00:01.9Z".parse().unwrap();
        let zone = Offset::from_seconds(19_800).unwrap().to_time_zone();
        let around = Surroundings::new(time, zone);
        assert_eq!(around.date_of(Some(time)), "Thu, 26 Nov 2026 01:30:01 +0530");
        assert_eq!(around.date_of(None), "Mon, 01 Jan 0001 00:00:00 +0000");
    }
}
