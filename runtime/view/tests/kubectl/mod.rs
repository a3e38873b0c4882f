//! The few commands of kubectl that were recorded, made of this crate.

mod get;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasmpod_manifest::quantity::Quantity;
use wasmpod_view::describe::{Surroundings, describe};
use wasmpod_view::events::{self, EventFilter, EventOptions};
use wasmpod_view::resource_args::{
    ArgsOptions, Asked, BUILT_IN, Named, NoName, ResourceType, parse,
};
use wasmpod_view::top::{self, ContainerUsage, PodUsage, SortBy, TopOptions};

const WIDGET: ResourceType = ResourceType {
    group: "example.com",
    kind: "Widget",
    plural: "widgets",
    singular: "widget",
    short_names: &["wi"],
    categories: &[],
    ..BUILT_IN[0]
};

/// All that the API server has.
pub(crate) struct Server {
    objects: Vec<Value>,
    usage: Vec<PodUsage>,
    types: Vec<ResourceType>,
}

/// Arguments and flags.
struct Line {
    args: Vec<String>,
    flags: Vec<(String, Option<String>)>,
}

impl Line {
    fn parse(args: &[String]) -> Self {
        let (mut rest, mut flags) = (Vec::new(), Vec::new());
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match (arg.as_str(), arg.split_once('=')) {
                ("-o" | "-L", _) => flags.push((arg.clone(), args.next().cloned())),
                (_, Some((flag, value))) if arg.starts_with("--") => {
                    flags.push((flag.to_owned(), Some(value.to_owned())));
                }
                (flag, _) if flag.starts_with('-') => flags.push((arg.clone(), None)),
                (_, _) => rest.push(arg.clone()),
            }
        }
        Self { args: rest, flags }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|(name, _)| name == flag)
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.flags.iter().find(|(name, _)| name == flag)?.1.as_deref()
    }
}

impl Server {
    pub(crate) fn read(objects: &Path, metrics: &Path) -> Self {
        let json = |path: &Path| -> Value {
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        let mut objects: Vec<Value> =
            fs::read_dir(objects).unwrap().map(|entry| json(&entry.unwrap().path())).collect();
        objects.sort_by_key(|object| object["metadata"]["name"].as_str().unwrap().to_owned());
        let usage = json(metrics)["items"].as_array().unwrap().iter().map(usage).collect();
        Self { objects, usage, types: BUILT_IN.iter().copied().chain([WIDGET]).collect() }
    }

    pub(crate) fn answer(&self, args: &[String], now: Timestamp) -> String {
        let (verb, rest) = args.split_first().unwrap();
        let line = Line::parse(rest);
        match verb.as_str() {
            "get" => self.get(&line, now),
            "describe" => self.describe(&line, now),
            "events" => self.events(&line, now),
            "top" => self.top(&line),
            other => panic!("no such command: {other}"),
        }
    }

    fn asked(&self, line: &Line) -> Asked<'_> {
        let options = ArgsOptions { selector: false, all_namespaces: false, no_name: NoName::All };
        parse(&line.args, &self.types, options).unwrap()
    }

    fn of_type(&self, type_: &ResourceType) -> Vec<Value> {
        let is_of = |object: &&Value| {
            object["kind"] == type_.kind && object["apiVersion"] == *type_.api_version()
        };
        self.objects.iter().filter(is_of).cloned().collect()
    }

    fn named(&self, named: &Named<'_>) -> Value {
        let mut objects = self.of_type(named.type_).into_iter();
        objects.find(|object| object["metadata"]["name"] == *named.name).unwrap()
    }

    fn all<Object: DeserializeOwned>(&self, kind: &str) -> Vec<Object> {
        let objects = self.objects.iter().filter(|object| object["kind"] == kind);
        objects.map(|object| Object::deserialize(object).unwrap()).collect()
    }

    fn describe(&self, line: &Line, now: Timestamp) -> String {
        let objects = match self.asked(line) {
            Asked::Types(types) => types.iter().flat_map(|type_| self.of_type(type_)).collect(),
            Asked::Named(named) => named.iter().map(|named| self.named(named)).collect::<Vec<_>>(),
        };
        let events = (!line.has("--show-events")).then(|| self.all("Event"));
        let around = Surroundings {
            events,
            pods: self.all("Pod"),
            endpoint_slices: self.all("EndpointSlice"),
            lease: self.all("Lease").pop(),
            ..Surroundings::new(now, TimeZone::UTC)
        };
        let texts = objects.iter().map(|object| describe(object, &around).unwrap());
        texts.collect::<Vec<_>>().join("\n\n")
    }

    fn events(&self, line: &Line, now: Timestamp) -> String {
        let types: Vec<String> = line.value("--types").into_iter().map(str::to_owned).collect();
        let mut filter = EventFilter::default().with_types(&types).unwrap();
        if let Some(object) = line.value("--for") {
            filter = filter.with_object(object, &self.types).unwrap();
        }
        let mut events = self.all("Event");
        events.retain(|event| filter.takes(event));
        events::sort(&mut events);
        let (namespace, no_headers) = (line.has("-A"), line.has("--no-headers"));
        events::to_text(&events, EventOptions { namespace, no_headers }, now)
    }

    fn top(&self, line: &Line) -> String {
        let options = TopOptions {
            containers: line.has("--containers"),
            namespace: line.has("-A"),
            no_headers: line.has("--no-headers"),
            sort_by: line.value("--sort-by").map(|by| match by {
                "cpu" => SortBy::Cpu,
                _ => SortBy::Memory,
            }),
            sum: line.has("--sum"),
        };
        top::to_text(&self.usage, options)
    }
}

fn usage(pod: &Value) -> PodUsage {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let amount = |value: &Value| -> Quantity { value.as_str().unwrap().parse().unwrap() };
    let nano: Quantity = "1n".parse().unwrap();
    let container = |container: &Value| ContainerUsage {
        name: text(&container["name"]),
        cpu_nanocores: amount(&container["usage"]["cpu"]).div_ceil(nano).unsigned_abs(),
        memory_bytes: amount(&container["usage"]["memory"]).bytes(),
    };
    PodUsage {
        namespace: text(&pod["metadata"]["namespace"]),
        name: text(&pod["metadata"]["name"]),
        containers: pod["containers"].as_array().unwrap().iter().map(container).collect(),
    }
}
