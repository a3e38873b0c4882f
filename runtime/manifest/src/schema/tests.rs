//! The table against the types of k8s-openapi.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::apps::v1::{DaemonSetSpec, DeploymentSpec, ReplicaSetSpec, StatefulSetSpec};
use k8s_openapi::api::batch::v1::{CronJobSpec, JobSpec};
use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolumeClaim, Pod, ReplicationControllerSpec, Secret, Service,
};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::*;

/// Deserializes nothing at all, but writes down what it is asked for.
///
/// Every struct is given all its fields, every list one element, every map one entry; a string
/// where anything may stand. What fails to build does not matter: the walk goes on beside it.
struct Tracer<'a> {
    /// Fields by type, and the shape of each in a word.
    seen: &'a mut BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    asked: &'a mut String,
}

#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stop")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<Message: fmt::Display>(_: Message) -> Self {
        Stop
    }
}

macro_rules! asked_for {
    ($($method:ident => $word:literal, $visit:ident($value:expr);)*) => {
        $(fn $method<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.asked.push_str($word);
            visitor.$visit($value)
        })*
    };
}

impl Deserializer<'static> for Tracer<'_> {
    type Error = Stop;

    asked_for! {
        deserialize_any => "int-or-string", visit_str("");
        deserialize_bool => "bool", visit_bool(false);
        deserialize_i32 => "int32", visit_i32(0);
        deserialize_i64 => "int64", visit_i64(0);
        deserialize_f64 => "float", visit_f64(0.0);
        deserialize_str => "string", visit_str("");
        deserialize_string => "string", visit_str("");
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.asked.push_str(name);
        if let "Time" | "MicroTime" = name {
            let time = de::value::StrDeserializer::new("2006-01-02T15:04:05Z");
            return visitor.visit_newtype_struct(time);
        }
        let mut inner = String::new();
        visitor.visit_newtype_struct(Tracer { seen: self.seen, asked: &mut inner })
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.asked.push_str("list of ");
        visitor.visit_seq(One { tracer: Some(self) })
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.asked.push_str("map of ");
        visitor.visit_map(One { tracer: Some(self) })
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.asked.push_str(name);
        if self.seen.contains_key(name) {
            let none = Fields { seen: self.seen, name, fields: [].iter(), field: "" };
            return visitor.visit_map(none);
        }
        self.seen.insert(name, BTreeMap::new());
        visitor.visit_map(Fields { seen: self.seen, name, fields: fields.iter(), field: "" })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'static>>
        i8 i16 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct
        tuple tuple_struct enum identifier ignored_any
    }
}

/// One element, or one entry.
struct One<'a> {
    tracer: Option<Tracer<'a>>,
}

impl<'a> SeqAccess<'static> for One<'a> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        self.tracer.take().map(|tracer| seed.deserialize(tracer)).transpose()
    }
}

impl<'a> MapAccess<'static> for One<'a> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let key = de::value::StrDeserializer::<Stop>::new("key");
        self.tracer.as_ref().map(|_| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(self.tracer.take().expect("a key came before"))
    }
}

struct Fields<'a> {
    seen: &'a mut BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    name: &'static str,
    fields: std::slice::Iter<'static, &'static str>,
    field: &'static str,
}

impl MapAccess<'static> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let Some(field) = self.fields.next() else {
            return Ok(None);
        };
        self.field = field;
        let key = de::value::StrDeserializer::<Stop>::new(field);
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let mut asked = String::new();
        // The two that k8s-openapi compares with a constant.
        let value = match (self.name, self.field) {
            (
                "Pod" | "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "Service",
                "apiVersion",
            ) => {
                asked.push_str("string");
                seed.deserialize(de::value::StrDeserializer::<Stop>::new("v1"))
            }
            (
                kind @ ("Pod" | "ConfigMap" | "Secret" | "PersistentVolumeClaim" | "Service"),
                "kind",
            ) => {
                asked.push_str("string");
                seed.deserialize(de::value::StrDeserializer::<Stop>::new(kind))
            }
            _ => seed.deserialize(Tracer { seen: &mut *self.seen, asked: &mut asked }),
        };
        self.seen.get_mut(self.name).expect("entered above").insert(self.field, asked);
        value
    }
}

fn trace<T: Deserialize<'static>>() -> BTreeMap<&'static str, BTreeMap<&'static str, String>> {
    let mut seen = BTreeMap::new();
    T::deserialize(Tracer { seen: &mut seen, asked: &mut String::new() })
        .expect("every field can be given a value");
    seen
}

/// The shape in the words that the tracer uses.
fn word(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "bool".to_owned(),
        Shape::Int32 => "int32".to_owned(),
        Shape::Int64 => "int64".to_owned(),
        Shape::String | Shape::Bytes => "string".to_owned(),
        Shape::Quantity => "Quantity".to_owned(),
        Shape::IntOrString => "int-or-string".to_owned(),
        Shape::Time => "Time".to_owned(),
        Shape::Any => "FieldsV1".to_owned(),
        Shape::Object(object) => object.name.to_owned(),
        Shape::List(item) => format!("list of {}", word(item)),
        Shape::Map(value) => format!("map of {}", word(value)),
        Shape::KeyedMap(keys) => format!("map of {}", word(&keys.shape)),
    }
}

fn table_of(object: &'static Object) -> BTreeMap<&'static str, BTreeMap<&'static str, String>> {
    fn add(
        shape: &'static Shape,
        into: &mut BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    ) {
        match shape {
            Shape::Object(object) => {
                if into.contains_key(object.name) {
                    return;
                }
                let fields =
                    object.fields.iter().map(|field| (field.name, word(&field.shape))).collect();
                into.insert(object.name, fields);
                object.fields.iter().for_each(|field| add(&field.shape, into));
            }
            Shape::List(inner) | Shape::Map(inner) => add(inner, into),
            _ => {}
        }
    }
    let mut table = BTreeMap::new();
    let mut root = BTreeMap::new();
    for field in object.fields {
        root.insert(field.name, word(&field.shape));
        add(&field.shape, &mut table);
    }
    table.insert(object.name, root);
    table
}

fn rows(table: &BTreeMap<&'static str, BTreeMap<&'static str, String>>) -> BTreeSet<String> {
    table
        .iter()
        .flat_map(|(object, fields)| {
            fields.iter().map(move |(field, word)| format!("{object}.{field}: {word}"))
        })
        .collect()
}

#[track_caller]
fn compare<T: Deserialize<'static>>(object: &'static Object) -> usize {
    let (types, table) = (rows(&trace::<T>()), rows(&table_of(object)));
    let missing: Vec<_> = types.difference(&table).collect();
    let too_many: Vec<_> = table.difference(&types).collect();
    assert!(missing.is_empty(), "not in the table: {missing:#?}");
    assert!(too_many.is_empty(), "only in the table: {too_many:#?}");
    types.len()
}

#[test]
fn every_field_of_a_pod_is_in_the_table_and_no_other() {
    let fields = compare::<Pod>(&POD);
    assert!(fields > 600, "the tracer saw only {fields} fields");
}

#[test]
fn the_other_objects_are_complete_too() {
    compare::<ConfigMap>(&CONFIG_MAP);
    compare::<Secret>(&SECRET);
}

#[test]
fn every_field_of_a_service_is_in_the_table_and_no_other() {
    let fields = compare::<Service>(&SERVICE);
    assert!(fields > 50, "the tracer saw only {fields} fields");
}

#[test]
fn a_claim_is_complete_but_for_its_status() {
    let mut types = trace::<PersistentVolumeClaim>();
    for status in [
        "PersistentVolumeClaimStatus",
        "PersistentVolumeClaimCondition",
        "ModifyVolumeStatus",
        "VolumeHealthStatus",
        "VolumeHealthCondition",
        "PersistentVolumeClaim",
    ] {
        types.remove(status);
    }
    let mut table = table_of(&PERSISTENT_VOLUME_CLAIM);
    table.remove("PersistentVolumeClaim");
    assert_eq!(rows(&types), rows(&table));
}

#[test]
fn the_specs_of_workloads_are_complete() {
    compare::<DeploymentSpec>(&workload::DEPLOYMENT_SPEC);
    compare::<DaemonSetSpec>(&workload::DAEMON_SET_SPEC);
    compare::<ReplicaSetSpec>(&workload::REPLICA_SET_SPEC);
    compare::<ReplicationControllerSpec>(&workload::REPLICATION_CONTROLLER_SPEC);
    compare_names::<JobSpec>(&workload::JOB_SPEC);
    compare_names::<CronJobSpec>(&workload::CRON_JOB_SPEC);
    compare_names::<StatefulSetSpec>(&workload::STATEFUL_SET_SPEC);
}

/// For types in which the table holds something for any value (a claim's status, empty types):
/// the fields of what the table does know.
#[track_caller]
fn compare_names<T: Deserialize<'static>>(object: &'static Object) {
    let types = trace::<T>();
    for (name, fields) in table_of(object) {
        let known: Vec<_> = fields.keys().collect();
        let expected: Vec<_> = types[name].keys().collect();
        assert_eq!(known, expected, "{name}");
    }
}

#[test]
fn rows_are_in_alphabetical_order_and_reasons_are_phrases() {
    fn visit(shape: &'static Shape, seen: &mut BTreeSet<&'static str>) {
        match shape {
            Shape::Object(object) => check(object, seen),
            Shape::List(inner) | Shape::Map(inner) => visit(inner, seen),
            _ => {}
        }
    }
    fn check(object: &'static Object, seen: &mut BTreeSet<&'static str>) {
        if !seen.insert(object.name) {
            return;
        }
        assert!(object.fields.is_sorted_by_key(|field| field.name), "{}", object.name);
        for field in object.fields {
            if let Support::Ignored(reason) | Support::Refused(reason) = field.support {
                assert!(!reason.is_empty() && !reason.ends_with('.'), "{reason}");
            }
            visit(&field.shape, seen);
        }
    }
    let mut seen = BTreeSet::new();
    for object in [
        &POD,
        &CONFIG_MAP,
        &SECRET,
        &PERSISTENT_VOLUME_CLAIM,
        &SERVICE,
        &CRON_JOB,
        &DAEMON_SET,
        &DEPLOYMENT,
        &JOB,
        &POD_TEMPLATE,
        &REPLICATION_CONTROLLER,
        &REPLICA_SET,
        &STATEFUL_SET,
    ] {
        check(object, &mut seen);
    }
}
