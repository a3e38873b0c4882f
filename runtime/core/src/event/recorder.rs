//! The Events of one Pod: counted, bounded, and told to whoever listens.
//!
//! Counting follows client-go's `EventCorrelator`: an Event that equals an earlier one in all but
//! its time raises that one's count; after ten different messages of one reason about one object
//! within ten minutes, further ones are counted together as "combined from similar events". What
//! is counted longest ago is forgotten first.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use tokio::sync::broadcast;

use super::pod_event::{Involved, PodEvent, Reason, Severity};

/// The most Events that are kept: a Pod that fails in ever new words must not fill the memory.
const KEPT: usize = 512;
/// The most groups of similar Events that are watched.
const GROUPS: usize = 128;
/// So many different messages of one kind within [`SIMILAR_WITHIN`] are told one by one.
const SIMILAR: usize = 10;
const SIMILAR_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// A listener that is behind by more than this misses the oldest.
const BEHIND: usize = 64;

/// The Events of one Pod.
#[derive(Debug)]
pub struct Recorder {
    kept: Mutex<Kept>,
    listeners: broadcast::Sender<Arc<Recorded>>,
}

/// An Event with its count and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What happened.
    pub event: PodEvent,
    /// How often.
    pub count: u32,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
    /// Its place among all Events of this Pod: the name of the object is made of it.
    pub number: u64,
}

#[derive(Debug, Default)]
struct Kept {
    /// The one that was last counted longest ago comes first.
    events: VecDeque<Arc<Recorded>>,
    groups: VecDeque<Group>,
    numbers: u64,
}

/// Events that differ in their message only.
#[derive(Debug)]
struct Group {
    severity: Severity,
    reason: Reason,
    involved: Involved,
    messages: HashSet<String>,
    last: Timestamp,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { kept: Mutex::default(), listeners: broadcast::Sender::new(BEHIND) }
    }
}

impl Recorder {
    /// Counts `event` and tells the listeners.
    pub fn record(&self, event: PodEvent, now: Timestamp) {
        let recorded = self.lock().count(event, now);
        // No listener is no failure: the Events are kept for whoever asks later.
        let _ = self.listeners.send(recorded);
    }

    /// All that is kept, the latest last.
    pub fn events(&self) -> Vec<Arc<Recorded>> {
        self.lock().events.iter().cloned().collect()
    }

    /// Every Event from now on, with its count so far.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Recorded>> {
        self.listeners.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What a panicking thread left is whole: nothing below can panic between two changes.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn count(&mut self, event: PodEvent, now: Timestamp) -> Arc<Recorded> {
        let event = self.combine(event, now);
        let earlier = self.events.iter().position(|recorded| recorded.event == event);
        let recorded = match earlier.and_then(|index| self.events.remove(index)) {
            Some(earlier) => {
                let earlier = Arc::unwrap_or_clone(earlier);
                Recorded { count: earlier.count.saturating_add(1), last: now, ..earlier }
            }
            None => {
                self.numbers += 1;
                Recorded { event, count: 1, first: now, last: now, number: self.numbers }
            }
        };
        let recorded = Arc::new(recorded);
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Arc::clone(&recorded));
        recorded
    }

    /// The Event under which this one is counted: itself, unless many like it came lately.
    fn combine(&mut self, mut event: PodEvent, now: Timestamp) -> PodEvent {
        let index = self.groups.iter().position(|group| group.holds(&event));
        let mut group = match index.and_then(|index| self.groups.remove(index)) {
            Some(group) if now.duration_since(group.last) <= SIMILAR_WITHIN => group,
            Some(_) | None => Group {
                severity: event.severity,
                reason: event.reason,
                involved: event.involved.clone(),
                messages: HashSet::new(),
                last: now,
            },
        };
        group.last = now;
        if !group.messages.contains(&event.message) && group.messages.len() >= SIMILAR {
            event.message = format!("(combined from similar events): {}", event.message);
        } else {
            group.messages.insert(event.message.clone());
        }
        if self.groups.len() == GROUPS {
            self.groups.pop_front();
        }
        self.groups.push_back(group);
        event
    }
}

impl Group {
    fn holds(&self, event: &PodEvent) -> bool {
        (self.severity, self.reason) == (event.severity, event.reason)
            && self.involved == event.involved
    }
}

impl Recorded {
    /// The object that the Kubernetes API would show; `pod` refers to the Pod as a whole.
    pub fn to_object(&self, pod: &ObjectReference) -> Event {
        let field_path = Some(self.event.involved.to_string()).filter(|path| !path.is_empty());
        let pod_name = pod.name.as_deref().unwrap_or_default();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{pod_name}.{:016x}", self.number)),
                namespace: pod.namespace.clone(),
                creation_timestamp: Some(Time(self.first)),
                ..ObjectMeta::default()
            },
            involved_object: ObjectReference { field_path, ..pod.clone() },
            type_: Some(self.event.severity.to_string()),
            reason: Some(self.event.reason.to_string()),
            message: Some(self.event.message.clone()),
            count: Some(i32::try_from(self.count).unwrap_or(i32::MAX)),
            first_timestamp: Some(Time(self.first)),
            last_timestamp: Some(Time(self.last)),
            source: Some(EventSource { component: Some("wasmpod".to_owned()), host: None }),
            reporting_component: Some("wasmpod".to_owned()),
            ..Event::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn killing(container: &str) -> PodEvent {
        PodEvent::normal(
            Reason::Killing,
            Involved::Container(container.to_owned()),
            format!("Stopping container {container}"),
        )
    }

    fn failed(message: String) -> PodEvent {
        PodEvent::warning(Reason::Failed, Involved::Pod, message)
    }

    #[test]
    fn equal_events_are_counted_and_different_ones_are_not() {
        let recorder = Recorder::default();
        recorder.record(killing("a"), at(0));
        recorder.record(killing("b"), at(1));
        recorder.record(killing("a"), at(7));
        let told: Vec<_> = recorder
            .events()
            .into_iter()
            .map(|recorded| {
                (recorded.event.message.clone(), recorded.count, recorded.first, recorded.last)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Stopping container b".to_owned(), 1, at(1), at(1)),
                ("Stopping container a".to_owned(), 2, at(0), at(7)),
            ]
        );
    }

    #[test]
    fn the_eleventh_wording_in_ten_minutes_is_combined() {
        let recorder = Recorder::default();
        for number in 0..12 {
            recorder.record(failed(format!("Error: {number}")), at(number));
        }
        recorder.record(failed("Error: 3".to_owned()), at(13));
        let messages: Vec<_> =
            recorder.events().iter().map(|r| (r.event.message.clone(), r.count)).collect();
        assert_eq!(messages.len(), 12);
        assert_eq!(messages[9].0, "(combined from similar events): Error: 10");
        assert_eq!(messages[11], ("Error: 3".to_owned(), 2));

        recorder.record(failed("Error: late".to_owned()), at(13 + 601));
        assert_eq!(recorder.events().last().unwrap().event.message, "Error: late");
    }

    #[test]
    fn a_pod_that_fails_in_ever_new_ways_does_not_grow() {
        let recorder = Recorder::default();
        for number in 0..2_000 {
            recorder.record(killing(&number.to_string()), at(number));
        }
        let events = recorder.events();
        assert_eq!(events.len(), KEPT);
        assert_eq!(events.last().unwrap().event.message, "Stopping container 1999");
        assert!(recorder.lock().groups.len() <= GROUPS);
    }

    #[test]
    fn listeners_hear_each_event_with_its_count() {
        let recorder = Recorder::default();
        let mut heard = recorder.subscribe();
        recorder.record(killing("a"), at(0));
        recorder.record(killing("a"), at(1));
        assert_eq!(heard.try_recv().unwrap().count, 1);
        assert_eq!(heard.try_recv().unwrap().count, 2);
    }

    #[test]
    fn the_object_is_the_one_of_the_api() {
        let recorder = Recorder::default();
        recorder.record(killing("web"), at(1_700_000_000));
        let pod = ObjectReference {
            kind: Some("Pod".to_owned()),
            name: Some("p".to_owned()),
            uid: Some("u".to_owned()),
            ..ObjectReference::default()
        };
        let object = serde_json::to_string_pretty(&recorder.events()[0].to_object(&pod)).unwrap();
        insta::assert_snapshot!(object, @r#"
        {
          "apiVersion": "v1",
          "kind": "Event",
          "count": 1,
          "firstTimestamp": "2023-11-14T22:13:20Z",
          "involvedObject": {
            "fieldPath": "spec.containers{web}",
            "kind": "Pod",
            "name": "p",
            "uid": "u"
          },
          "lastTimestamp": "2023-11-14T22:13:20Z",
          "message": "Stopping container web",
          "metadata": {
            "creationTimestamp": "2023-11-14T22:13:20Z",
            "name": "p.0000000000000001"
          },
          "reason": "Killing",
          "reportingComponent": "wasmpod",
          "source": {
            "component": "wasmpod"
          },
          "type": "Normal"
        }
        "#);
    }
}
