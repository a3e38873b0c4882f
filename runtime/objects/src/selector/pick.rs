//! Some fields out of the text of an object, without a look at the rest.
//!
//! To build all of an object takes far longer than to find out that nobody wants it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Which fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paths(Vec<Vec<&'static str>>);

impl Paths {
    /// Paths with dots between their steps.
    pub(super) fn new(paths: impl Iterator<Item = &'static str>) -> Self {
        Self(paths.map(|path| path.split('.').collect()).collect())
    }

    /// The object with nothing but these fields.
    pub(crate) fn pick(&self, text: &str) -> serde_json::Result<Value> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let paths = self.0.iter().map(Vec::as_slice).collect();
        let picked = Pick(paths).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(picked)
    }
}

/// What is left of the paths at a place that some of them lead through.
struct Pick<'paths>(Vec<&'paths [&'static str]>);

impl<'paths> Pick<'paths> {
    fn below(&self, key: &str) -> Vec<&'paths [&'static str]> {
        let rest = |path: &&'paths [&'static str]| match path.split_first() {
            Some((step, rest)) if *step == key => Some(rest),
            _ => None,
        };
        self.0.iter().filter_map(rest).collect()
    }
}

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut picked = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let below = self.below(&key);
            if below.is_empty() {
                entries.next_value::<IgnoredAny>()?;
            } else if below.iter().any(|rest| rest.is_empty()) {
                picked.insert(key, entries.next_value()?);
            } else {
                picked.insert(key, entries.next_value_seed(Pick(below))?);
            }
        }
        Ok(Value::Object(picked))
    }

    // Anything else has no fields: there is nothing to pick.

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}
