//! The events of a namespace, as `kubectl events` lists them.
//!
//! Rule: `pkg/cmd/events` of kubectl: the oldest first, by when each happened last. Messages are cut
//! at the end of their first line, as later versions than 1.33 do.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use thiserror::Error;

use crate::escape::cell;
use crate::interval::interval;
use crate::resource_args::{ArgsError, ResourceType, find_type};
use crate::tabs;

/// Which events are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `Normal`, `Warning`, in any case; empty: all.
    pub types: Vec<String>,
    /// The kind and the name of the object that they are about.
    pub about: Option<(String, String)>,
}

/// Why the events cannot be chosen so.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EventFilterError {
    /// There are two types of events.
    #[error("valid --types are Normal or Warning")]
    Types,
    /// The object is not given as `pod/web`.
    #[error("--for must be in resource/name form")]
    For,
    /// The object is of a type that there is not.
    #[error(transparent)]
    Type(#[from] ArgsError),
}

impl EventFilter {
    /// Reads the values of `--types`.
    ///
    /// # Errors
    /// One of them is neither `Normal` nor `Warning`.
    pub fn with_types(self, types: &[String]) -> Result<Self, EventFilterError> {
        let is_known = |type_: &String| {
            ["normal", "warning"].iter().any(|known| type_.eq_ignore_ascii_case(known))
        };
        match types.iter().all(is_known) {
            true => Ok(Self { types: types.to_vec(), ..self }),
            false => Err(EventFilterError::Types),
        }
    }

    /// Reads the value of `--for`: `pod/web`.
    ///
    /// # Errors
    /// It has another form, or there is no such type among `types`.
    pub fn with_object(
        self,
        object: &str,
        types: &[ResourceType],
    ) -> Result<Self, EventFilterError> {
        let (word, name) = object.split_once('/').ok_or(EventFilterError::For)?;
        if word.is_empty() || name.is_empty() || name.contains('/') {
            return Err(EventFilterError::For);
        }
        let kind = find_type(word, types)?.kind.to_owned();
        Ok(Self { about: Some((kind, name.to_owned())), ..self })
    }

    /// Whether the event is listed.
    pub fn takes(&self, event: &Event) -> bool {
        let type_ = event.type_.as_deref().unwrap_or_default();
        let by_type =
            self.types.is_empty() || self.types.iter().any(|it| it.eq_ignore_ascii_case(type_));
        let object = &event.involved_object;
        let by_object = self.about.as_ref().is_none_or(|(kind, name)| {
            object.kind.as_deref() == Some(kind) && object.name.as_deref() == Some(name)
        });
        by_type && by_object
    }
}

/// How the list looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventOptions {
    /// The namespace before everything: `-A`.
    pub namespace: bool,
    /// No names over the columns: `--no-headers`.
    pub no_headers: bool,
}

/// Puts the events in the order in which they are listed.
pub fn sort(events: &mut [Event]) {
    events.sort_by_key(happened);
}

fn happened(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    series.map(|time| time.0).or(last).or_else(|| event.event_time.as_ref().map(|time| time.0))
}

/// The list of `events` as they are given; empty where there are none.
pub fn to_text(events: &[Event], options: EventOptions, now: Timestamp) -> String {
    if events.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    if !options.no_headers {
        text += if options.namespace { "NAMESPACE\t" } else { "" };
        text += "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n";
    }
    for event in events {
        if options.namespace {
            text += &format!("{}\t", event.metadata.namespace.as_deref().unwrap_or_default());
        }
        let shown =
            |text: &Option<String>| cell(text.as_deref().unwrap_or_default().trim()).into_owned();
        let object = &event.involved_object;
        let cells = [
            interval(event, now),
            shown(&event.type_),
            shown(&event.reason),
            format!("{}/{}", shown(&object.kind), shown(&object.name)),
            shown(&event.message),
        ];
        text += &(cells.join("\t") + "\n");
    }
    tabs::TABLE.align(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource_args::BUILT_IN;

    #[test]
    fn a_message_stays_on_its_line() {
        let event = Event { message: Some("\n one\ntwo".to_owned()), ..Event::default() };
        insta::assert_snapshot!(to_text(&[event], EventOptions::default(), Timestamp::UNIX_EPOCH), @r"
        LAST SEEN   TYPE   REASON   OBJECT   MESSAGE
        <unknown>                   /        one...
        ");
        assert_eq!(to_text(&[], EventOptions::default(), Timestamp::UNIX_EPOCH), "");
    }

    #[test]
    fn types_are_two() {
        let with = |type_: &str| EventFilter::default().with_types(&[type_.to_owned()]);
        assert!(with("WARNING").is_ok());
        assert_eq!(with("Foo").unwrap_err().to_string(), "valid --types are Normal or Warning");
    }

    #[test]
    fn an_object_has_a_type_and_a_name() {
        let with = |object| EventFilter::default().with_object(object, BUILT_IN);
        let filter = with("po/web").unwrap();
        assert_eq!(filter.about, Some(("Pod".to_owned(), "web".to_owned())));
        for object in ["pod", "pod/", "/web", "pod/a/b"] {
            assert_eq!(with(object), Err(EventFilterError::For), "{object}");
        }
        let error = with("foo/x").unwrap_err().to_string();
        assert_eq!(error, r#"the server doesn't have a resource type "foo""#);
    }
}
