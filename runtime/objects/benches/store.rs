//! What a request to the store costs with 1,000 Pods in it.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tempfile::TempDir;
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Create, Namespaces, Origin, Persist, Store, Update};

const BY_NODE: Update = Update { origin: Origin::Node, persist: Persist::Yes };

/// A Pod of three containers with the status that it has when it runs: about 5 KB.
fn pod(index: usize) -> Value {
    let names = ["web", "log", "proxy"];
    let containers = names.map(|name| {
        json!({
            "name": name, "image": format!("registry.example.com/team/{name}:1.2.3"),
            "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }],
            "ports": [{ "containerPort": 8080, "name": "http" }],
            "resources": { "limits": { "cpu": "500m", "memory": "64Mi" } },
            "readinessProbe": { "httpGet": { "path": "/ready", "port": 8080 } },
        })
    });
    json!({ "metadata": { "name": format!("pod-{index}"), "labels": { "app": format!("app-{}", index % 10) } },
        "spec": { "containers": containers } })
}

fn status() -> Value {
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(|kind| {
        json!({
            "type": kind, "status": "True", "lastTransitionTime": "2026-11-30T20:00:00Z",
        })
    });
    let statuses = ["web", "log", "proxy"].map(|name| {
        json!({
            "name": name, "ready": true, "restartCount": 0, "started": true,
            "image": format!("registry.example.com/team/{name}:1.2.3"),
            "imageID": format!("sha256:{}", "a".repeat(64)),
            "containerID": format!("wasmpod://{}", "b".repeat(64)),
            "state": { "running": { "startedAt": "2026-11-30T20:00:00Z" } },
        })
    });
    json!({ "phase": "Running", "podIP": "10.0.0.1", "podIPs": [{ "ip": "10.0.0.1" }],
        "hostIP": "127.0.0.1", "qosClass": "Burstable", "startTime": "2026-11-30T20:00:00Z",
        "conditions": conditions, "containerStatuses": statuses })
}

/// What a table shows of a Pod.
#[derive(Deserialize)]
#[expect(dead_code, reason = "to read it is all that is measured")]
struct Row {
    metadata: Named,
    status: Phase,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "to read it is all that is measured")]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "to read it is all that is measured")]
struct Phase {
    phase: String,
}

fn filled(folder: &Path) -> Store {
    let store = Store::open(folder).expect("a folder of its own");
    for index in 0..1_000 {
        store.create(PODS, "default", pod(index), &Create::default()).expect("a valid Pod");
        let key = Key::new(PODS, "default", &format!("pod-{index}"));
        store.update_status(&key, json!({ "status": status() }), BY_NODE).expect("a Pod is there");
    }
    store
}

fn requests(criterion: &mut Criterion) {
    let folder = TempDir::new().expect("a temporary folder");
    let root = folder.path().join("store");
    let store = filled(&root);
    let key = Key::new(PODS, "default", "pod-500");
    let bytes = store.get(&key).expect("it is there").to_string().len();
    let title = format!("list 1,000 Pods of {bytes} bytes");
    criterion.bench_function(&title, |bencher| {
        bencher.iter(|| {
            black_box(store.list(PODS, Namespaces::All, &Selection::default()).expect("a list"))
        });
    });
    criterion.bench_function("list 1,000 Pods as text", |bencher| {
        bencher.iter(|| {
            let all = Selection::default();
            let list = store.list_as::<Box<RawValue>>(PODS, Namespaces::All, &all);
            black_box(list.expect("a list"))
        });
    });
    criterion.bench_function("list 1,000 Pods as name and phase", |bencher| {
        bencher.iter(|| {
            let all = Selection::default();
            let list = store.list_as::<Row>(PODS, Namespaces::All, &all);
            black_box(list.expect("a list"))
        });
    });
    let one_app = Selection { labels: "app=app-3".parse().expect("valid"), ..Selection::default() };
    criterion.bench_function("list 100 of 1,000 Pods by label", |bencher| {
        bencher.iter(|| black_box(store.list(PODS, Namespaces::All, &one_app).expect("a list")));
    });
    criterion.bench_function("get", |bencher| {
        bencher.iter(|| black_box(store.get(&key).expect("it is there")));
    });
    criterion.bench_function("open and get beside others", |bencher| {
        bencher.iter(|| black_box(Store::open(&root).and_then(|store| store.get(&key))));
    });
    let mut count = 0_u64;
    criterion.bench_function("update a status", |bencher| {
        bencher.iter(|| {
            count += 1;
            let mut status = status();
            status["message"] = count.to_string().into();
            store.update_status(&key, json!({ "status": status }), BY_NODE).expect("it is there")
        });
    });
    drop(store);
    criterion.bench_function("open and get alone", |bencher| {
        bencher.iter(|| black_box(Store::open(&root).and_then(|store| store.get(&key))));
    });
    criterion.bench_function("open, update a status, and leave, alone", |bencher| {
        bencher.iter(|| {
            count += 1;
            let mut status = status();
            status["message"] = count.to_string().into();
            let store = Store::open(&root).expect("it is there");
            store.update_status(&key, json!({ "status": status }), BY_NODE).expect("it is there")
        });
    });
}

fn in_short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = store; config = in_short(); targets = requests }
criterion_main!(store);
