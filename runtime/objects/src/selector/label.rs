//! A label selector: what it is, whom it selects, how it is written.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::{SelectorError, parser};

/// Requirements for the labels of an object, all of which must be met.
///
/// ```
/// # use wasmpod_objects::selector::LabelSelector;
/// let selector: LabelSelector = "tier in (web,api),!canary".parse()?;
/// assert!(selector.matches(|key| (key == "tier").then_some("web")));
/// assert_eq!(selector.to_string(), "!canary,tier in (api,web)");
/// # Ok::<(), wasmpod_objects::selector::SelectorError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Equals(String),
    /// Means the same, but is written as it was.
    DoubleEquals(String),
    NotEquals(String),
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Whether it selects an object with these labels.
    pub fn matches<'labels>(&self, label: impl Fn(&str) -> Option<&'labels str>) -> bool {
        self.0.iter().all(|requirement| requirement.condition.is_met(label(&requirement.key)))
    }

    /// Whether it selects this object.
    pub fn matches_object(&self, object: &Value) -> bool {
        if self.is_empty() {
            return true;
        }
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        self.matches(|key| labels.and_then(|labels: &Map<_, _>| labels.get(key)?.as_str()))
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parser::requirements(text).map(Self)
    }
}

impl Condition {
    fn is_met(&self, value: Option<&str>) -> bool {
        let number = || value?.parse::<i64>().ok();
        match self {
            Self::Equals(wanted) | Self::DoubleEquals(wanted) => value == Some(wanted),
            Self::NotEquals(unwanted) => value != Some(unwanted),
            Self::In(wanted) => value.is_some_and(|value| wanted.contains(value)),
            Self::NotIn(unwanted) => value.is_none_or(|value| !unwanted.contains(value)),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::Greater(bound) => number().is_some_and(|number| number > *bound),
            Self::Less(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            requirement.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let joined = |values: &BTreeSet<String>| {
            values.iter().map(String::as_str).collect::<Vec<_>>().join(",")
        };
        match &self.condition {
            Condition::Equals(value) => write!(formatter, "{key}={value}"),
            Condition::DoubleEquals(value) => write!(formatter, "{key}=={value}"),
            Condition::NotEquals(value) => write!(formatter, "{key}!={value}"),
            Condition::In(values) => write!(formatter, "{key} in ({})", joined(values)),
            Condition::NotIn(values) => write!(formatter, "{key} notin ({})", joined(values)),
            Condition::Exists => formatter.write_str(key),
            Condition::Absent => write!(formatter, "!{key}"),
            Condition::Greater(bound) => write!(formatter, "{key}>{bound}"),
            Condition::Less(bound) => write!(formatter, "{key}<{bound}"),
        }
    }
}
