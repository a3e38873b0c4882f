//! Images of registries, against the registry that most of the world runs and tools that are not ours.

mod layouts;
mod pods;
mod policy;
mod registry;
mod verbs;

use std::process::Command;

use crate::harness::World;

/// A core module whose `_start` does nothing.
const TINY: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0a\x01\x06_start\0\0\x0a\x04\x01\x02\0\x0b";

/// Whether this machine has a tool; says so if not.
fn has(tool: &str) -> bool {
    let is_there = Command::new(tool).arg("--version").output().is_ok();
    if !is_there {
        eprintln!("skipped: {tool} is not installed (apt-get install {tool})");
    }
    is_there
}

/// Has another tool do something in the folder of a world; gives what it says.
#[track_caller]
fn tool(world: &World, name: &str, words: &[&str]) -> String {
    let output = Command::new(name)
        .args(words)
        .current_dir(world.path())
        .env("XDG_RUNTIME_DIR", world.path())
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {words:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A table with three spaces between columns, however wide an address makes them.
fn table(text: &str, registry: &str) -> String {
    let cells = |line: &str| {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join("   ") + "\n"
    };
    plain(&text.lines().map(cells).collect::<String>(), registry)
}

/// The text with `registry` for the address of a registry, and digests and IDs as such.
fn plain(text: &str, registry: &str) -> String {
    let is_hex = |letter: char| letter.is_ascii_hexdigit() && !letter.is_ascii_uppercase();
    let mut rest = text.replace(registry, "registry");
    let mut plain = String::new();
    while let Some(start) = rest.find(is_hex) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|letter| !is_hex(letter)).unwrap_or(from.len());
        plain += before;
        match end {
            64 => plain += "DIGEST",
            12 => plain += "ID__________",
            _ => plain += &from[..end],
        }
        rest = from[end..].to_owned();
    }
    plain + &rest
}
