//! What must be true when nothing is on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpStream;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use wasmpod_objects::Resource;
use wasmpod_objects::resource::{Deletion, Generation, Scope, StatusSubresource};
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, Store};

use super::model::State;
use super::processes;
use crate::harness::World;

/// How the node writes down what it needs to start a Pod again.
const LAUNCHES: Resource = Resource {
    group: "node.wasmpod.dev",
    version: "v1",
    plural: "launches",
    kind: "Launch",
    scope: Scope::Namespaced,
    status: StatusSubresource::None,
    generation: Generation::None,
    deletion: Deletion::Immediate,
};

/// What is not as it should be about Services: each is announced as its object says, by one process, and none
/// has what another has.
fn services(world: &World, faults: &mut Vec<String>) {
    let list: Value =
        serde_json::from_str(&world.does(["get", "services", "-o", "json"])).expect("JSON");
    let services = list["items"].as_array().expect("a list");
    let mut given = BTreeSet::new();
    let mut announced = BTreeMap::new();
    let folder = world.root().join("network/services");
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let record =
            fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let name = entry.file_name().display().to_string();
        announced.insert(name, record.unwrap_or(Value::Null));
    }
    for service in services {
        let (spec, metadata) = (&service["spec"], &service["metadata"]);
        let (address, port) = (&spec["clusterIP"], &spec["ports"][0]["nodePort"]);
        if !given.insert(address.to_string()) || !given.insert(port.to_string()) {
            faults.push(format!("another Service has {address} or {port}, too: {metadata}"));
        }
        let name = format!("{}.json", metadata["uid"].as_str().unwrap_or_default());
        let record = announced.remove(&name).unwrap_or_default();
        let told = (&record["kind"]["ClusterIp"][0], &record["ports"][0]["node_port"]);
        if told != (address, port) {
            faults.push(format!("{metadata} with {address} and {port} is announced as {record}"));
        }
        let listens = port
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .is_some_and(|port| TcpStream::connect(("127.0.0.1", port)).is_ok());
        if !listens {
            faults.push(format!("nobody listens at {port}"));
        }
    }
    for (name, record) in announced {
        faults.push(format!("{name} announces no Service: {record}"));
    }
    let processes = processes::of_services(world).len();
    if processes != usize::from(!services.is_empty()) {
        faults.push(format!("{processes} processes for {} Services", services.len()));
    }
    let files = fs::read_dir(world.root().join("processes")).into_iter().flatten();
    let names = files.filter_map(Result::ok).map(|file| file.file_name().display().to_string());
    let left: Vec<String> = names.filter(|name| name.starts_with("services.")).collect();
    if services.is_empty() && !left.is_empty() {
        faults.push(format!("no Services, and {left:?}"));
    }
}

/// The Pods that are shown, by their names.
pub(super) struct Seen(BTreeMap<String, Value>);

impl Seen {
    pub(super) fn of(world: &World) -> Self {
        let list: Value =
            serde_json::from_str(&world.does(["get", "pods", "-o", "json"])).expect("JSON");
        let pods = list["items"].as_array().expect("a list").iter();
        let name = |pod: &Value| pod["metadata"]["name"].as_str().expect("a name").to_owned();
        Self(pods.map(|pod| (name(pod), pod.clone())).collect())
    }

    pub(super) fn state(&self, name: &str) -> State {
        let Some(pod) = self.0.get(name) else { return State::Absent };
        let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        let metadata = &pod["metadata"];
        if !metadata["deletionTimestamp"].is_null() {
            return State::Going;
        }
        State::There {
            applied: number(&metadata["annotations"]["applied"]),
            labelled: number(&metadata["labels"]["labelled"]),
        }
    }

    /// What is not as it should be: nothing where all is well. Cgroups tell only where no other test has
    /// Pods at the same time.
    pub(super) fn faults(&self, world: &World, is_alone: bool) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, pod) in &self.0 {
            let status = &pod["status"]["containerStatuses"][0]["state"];
            let is_at_rest = !status["running"].is_null()
                || status["waiting"]["reason"].as_str() == Some("CrashLoopBackOff");
            if !is_at_rest {
                faults
                    .push(format!("{name} is neither running nor waiting its back-off: {status}"));
            }
        }
        let processes = processes::of(world).len();
        if processes != self.0.len() {
            faults.push(format!("{processes} processes for {} Pods", self.0.len()));
        }
        let root = world.root();
        for folder in ["processes", "pods", "network/pods", "node/pods", "logs/pods"] {
            self.strangers(&root.join(folder), folder, &mut faults);
        }
        services(world, &mut faults);
        self.addresses(&root.join("addresses"), &mut faults);
        self.strangers(&world.path().join("wasmpod"), "sockets", &mut faults);
        if is_alone {
            self.cgroups(Path::new("/sys/fs/cgroup"), &mut faults);
        }
        let store = Store::open(&root.join("objects")).expect("the store opens");
        store.verify().expect("the store is whole");
        let all = Selection::default();
        let launches = store.list(LAUNCHES, Namespaces::All, &all).expect("the store reads");
        for launch in launches.items {
            if !self.knows(launch["metadata"]["name"].as_str().unwrap_or_default()) {
                faults.push(format!("what a Pod is started with, and no Pod: {launch}"));
            }
        }
        faults
    }

    fn uids(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter_map(|pod| pod["metadata"]["uid"].as_str())
    }

    /// Whether something of this name belongs to a Pod that is there: it has its uid or its address in it.
    fn knows(&self, name: &str) -> bool {
        let addresses = self.0.values().filter_map(|pod| pod["status"]["podIP"].as_str());
        self.uids().chain(addresses).any(|part| name.contains(part))
    }

    fn strangers(&self, folder: &Path, what: &str, faults: &mut Vec<String>) {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        for name in entries.map(|entry| entry.file_name().display().to_string()) {
            // Locks of folders, files ready for the next Pod, what Pods that compute share, and the logs of
            // Pods in the foreground.
            let is_kept = name.starts_with('.')
                || ["busy", "lock"].contains(&name.as_str())
                || name.starts_with("services.")
                || name.contains("_sweeper_");
            if !is_kept && !self.knows(&name) {
                faults.push(format!("{what}/{name} belongs to no Pod"));
            }
        }
    }

    /// Addresses that somebody holds; the file of one that is free stays.
    fn addresses(&self, folder: &Path, faults: &mut Vec<String>) {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        for entry in entries {
            let file = fs::File::open(entry.path()).expect("it can be read");
            let is_held = flock(&file, FlockOperation::NonBlockingLockShared).is_err();
            let address = entry.file_name().display().to_string();
            if is_held && !self.knows(&address) {
                faults.push(format!("somebody holds {address}, and no Pod has it"));
            }
        }
    }

    /// Cgroups of Pods that are gone; one that somebody is in may be another test's.
    fn cgroups(&self, folder: &Path, faults: &mut Vec<String>) {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let name = entry.file_name().display().to_string();
            let uid = name.strip_prefix("pod").filter(|uid| uid.len() == 36);
            match uid {
                Some(uid) if !self.knows(uid) && is_empty(&entry.path()) => {
                    faults.push(format!("{} belongs to no Pod", entry.path().display()));
                }
                Some(_) => {}
                None => self.cgroups(&entry.path(), faults),
            }
        }
    }
}

fn is_empty(cgroup: &Path) -> bool {
    fs::read_to_string(cgroup.join("cgroup.procs")).is_ok_and(|processes| processes.is_empty())
}
