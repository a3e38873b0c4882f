//! Many processes write to one store at once, and some are killed in the middle of it.

#![expect(clippy::unwrap_used, reason = "a test: what cannot be done fails it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::status::Reason;
use wasmpod_objects::store::{
    Change, Create, Delete, Namespaces, Origin, Persist, Revision, Store, Update,
};

const FOLDER: &str = "WASMPOD_TEST_STORE";
const NUMBER: &str = "WASMPOD_TEST_WORKER";
/// What each worker does if nobody kills it.
const ROUNDS: usize = 150;
const WORKERS: usize = 6;

const BY_NODE: Update = Update { origin: Origin::Node, persist: Persist::Yes };

/// A process of the test below, which tells of each write that was acknowledged.
#[test]
#[ignore = "is a process of the test beside it"]
fn worker() {
    let (Ok(folder), Ok(number)) = (std::env::var(FOLDER), std::env::var(NUMBER)) else { return };
    let store = Store::open(Path::new(&folder)).unwrap();
    let told = |what: &str, object: &Value| {
        let name = object["metadata"]["name"].as_str().unwrap();
        let revision = object["metadata"]["resourceVersion"].as_str().unwrap();
        let line = format!("ACK {what} {name} {revision}\n");
        // One write, straight to the file: a line is there as a whole or not at all.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let make = |name: &str| {
        let options = Create { origin: Origin::Node, ..Create::default() };
        let pod = json!({ "metadata": { "name": name, "annotations": { "count": "0" } } });
        store.create(PODS, "default", pod, &options)
    };
    match make("shared") {
        Ok(object) => told("create", &object),
        Err(error) => assert_eq!(error.reason(), Some(Reason::AlreadyExists), "{error}"),
    }
    for round in 0..ROUNDS {
        let name = format!("pod-{number}-{round}");
        told("create", &make(&name).unwrap());
        for key in ["shared", &name] {
            let key = Key::new(PODS, "default", key);
            let counted = store.modify(&key, BY_NODE, |mut object| {
                let count = &mut object["metadata"]["annotations"]["count"];
                *count = (count_of(count) + 1).to_string().into();
                Ok(object)
            });
            told("count", &counted.unwrap());
        }
        if round % 2 == 0 {
            let options = Delete { grace_period_seconds: Some(0), ..Delete::default() };
            let key = Key::new(PODS, "default", &name);
            told("delete", store.delete(&key, &options).unwrap().object());
        }
    }
}

fn count_of(count: &Value) -> u64 {
    count.as_str().unwrap().parse().unwrap()
}

fn start(folder: &Path, number: usize) -> (Child, std::path::PathBuf) {
    let log = folder.join(format!("worker-{number}"));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--ignored", "--nocapture"])
        .env(FOLDER, folder.join("store"))
        .env(NUMBER, number.to_string())
        .stdout(Stdio::null())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    (child, log)
}

/// What a worker was told to be written: what, of which object, with which revision.
fn acknowledged(log: &Path) -> Vec<(String, String, i64)> {
    let text = fs::read_to_string(log).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("ACK "));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.split(' ').collect();
            (parts[0].to_owned(), parts[1].to_owned(), parts[2].parse().unwrap())
        })
        .collect()
}

/// The whole log of the store.
fn history(store: &Store, first_known: i64) -> Vec<Change> {
    let read = |since| store.changes_since(since, PODS, Namespaces::All, &Selection::default());
    // The store began a few writes before the first one that was acknowledged, at most.
    let mut at = (first_known - 100..first_known)
        .map(Revision)
        .find(|since| read(*since).is_ok())
        .expect("the log reaches back to its begin");
    let mut all = Vec::new();
    loop {
        let part = read(at).unwrap();
        if part.revision == at {
            return all;
        }
        at = part.revision;
        all.extend(part.changes);
    }
}

fn revision_of(object: &Value) -> i64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

#[test]
fn no_acknowledged_write_is_lost_and_none_is_done_twice() {
    let folder = TempDir::new().unwrap();
    let mut workers: Vec<_> = (0..WORKERS).map(|number| start(folder.path(), number)).collect();
    // Every other one dies, each at a moment of its own.
    for (number, (child, log)) in workers.iter_mut().enumerate().skip(1).step_by(2) {
        let enough = 7 + 23 * number;
        for _ in 0..60_000 {
            if acknowledged(log).len() >= enough || child.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
    }
    let mut acks = Vec::new();
    let mut killed = 0;
    for (number, (mut child, log)) in workers.into_iter().enumerate() {
        let ended = child.wait().unwrap();
        let own = acknowledged(&log);
        if number % 2 == 0 {
            assert!(ended.success(), "{}", fs::read_to_string(&log).unwrap());
            assert!(own.len() >= ROUNDS * 3, "{}", own.len());
        }
        killed += usize::from(own.len() < ROUNDS * 3);
        assert!(own.is_sorted_by(|one, next| one.2 < next.2), "the order of one writer");
        acks.extend(own);
    }

    assert!(killed > 0, "all have come to their end");
    let store = Store::open(&folder.path().join("store")).unwrap();
    store.verify().unwrap();
    let first_known = acks.iter().map(|(_, _, revision)| *revision).min().unwrap();
    let history = history(&store, first_known);
    let revisions: Vec<i64> = history.iter().map(|change| revision_of(&change.object)).collect();
    assert!(revisions.is_sorted_by(|one, next| *next == one + 1), "no gap and no double");

    let by_revision: BTreeMap<i64, &Change> = revisions.iter().copied().zip(&history).collect();
    let mut seen = BTreeSet::new();
    for (what, name, revision) in &acks {
        assert!(seen.insert(revision), "two writes of one revision: {revision}");
        let change = by_revision[revision];
        assert_eq!(change.object["metadata"]["name"], name.as_str());
        let kind = match what.as_str() {
            "create" => "ADDED",
            "count" => "MODIFIED",
            _ => "DELETED",
        };
        assert_eq!(change.kind.as_str(), kind, "{name} at {revision}");
    }

    // Each count is one more than the one before, whoever has counted.
    let counts: Vec<u64> = history
        .iter()
        .filter(|change| change.object["metadata"]["name"] == "shared")
        .map(|change| count_of(&change.object["metadata"]["annotations"]["count"]))
        .collect();
    assert!(counts.len() > ROUNDS * WORKERS / 2);
    assert!(counts.iter().copied().eq(0..counts.len() as u64), "{counts:?}");

    // The log and the objects say the same.
    let mut replayed = BTreeMap::new();
    for change in history {
        let name = change.object["metadata"]["name"].as_str().unwrap().to_owned();
        match change.kind.as_str() {
            "ADDED" => assert!(replayed.insert(name, change.object).is_none()),
            "MODIFIED" => assert!(replayed.insert(name, change.object).is_some()),
            _ => assert!(replayed.remove(&name).is_some()),
        }
    }
    let listed = store.list(PODS, Namespaces::All, &Selection::default()).unwrap().items;
    assert_eq!(replayed.into_values().collect::<Vec<_>>(), listed);
}
