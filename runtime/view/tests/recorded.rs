//! What kubectl has printed of the same objects, byte for byte.
//!
//! `recorded/kubectl` holds what kubectl 1.33 printed, each in a file with the arguments and the
//! time of the call before it; `recorded/objects` holds what its API server served. The API server
//! makes the cells of tables and kubectl only lays them out: for these, the cells are from this
//! crate.
#![expect(clippy::unwrap_used, reason = "a test with helpers, which clippy does not know for one")]

mod kubectl;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use kubectl::Server;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name)
}

#[test]
fn everything_reads_as_in_kubectl() {
    let server = Server::read(&folder("objects"), &folder("metrics.json"));
    let mut differing = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder("kubectl")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut parts = text.splitn(3, '\n');
        let args: Vec<String> = serde_json::from_str(parts.next().unwrap()).unwrap();
        let now: Timestamp = parts.next().unwrap().parse().unwrap();
        let (printed, expected) = (server.answer(&args, now), parts.next().unwrap());
        if printed != expected {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            differing.push(format!("{name}: {args:?}\n{}", difference(expected, &printed)));
        }
        count += 1;
    }
    assert!(count > 50, "only {count} files were found");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// The first lines that differ.
fn difference(expected: &str, printed: &str) -> String {
    let mut expected = expected.split('\n').map(Some).chain(std::iter::repeat(None));
    let mut printed = printed.split('\n').map(Some).chain(std::iter::repeat(None));
    let pairs = std::iter::from_fn(|| match (expected.next()?, printed.next()?) {
        (None, None) => None,
        pair => Some(pair),
    });
    let lines = pairs.filter(|(one, other)| one != other).take(5);
    lines.map(|(one, other)| format!("  kubectl: {one:?}\n  here:    {other:?}\n")).collect()
}
