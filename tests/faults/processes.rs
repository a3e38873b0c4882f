//! The processes of the Pods of one world, and that of its Services.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::World;

/// Those of Pods that there are now.
pub(super) fn of(world: &World) -> Vec<Pid> {
    called(world, b"\0background-pod\0")
}

/// That of Services, if there is one; never are there two.
pub(super) fn of_services(world: &World) -> Vec<Pid> {
    called(world, b"\0service-process\0")
}

fn called(world: &World, verb: &[u8]) -> Vec<Pid> {
    let root = format!("WASMPOD_ROOT={}\0", world.root().display());
    let entries = std::fs::read_dir("/proc").expect("it is mounted").filter_map(Result::ok);
    let ids = entries.filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        is_called(&entry.path(), verb, root.as_bytes()).then(|| Pid::from_raw(id)).flatten()
    });
    ids.collect()
}

fn is_called(process: &Path, verb: &[u8], root: &[u8]) -> bool {
    let contains = |file: &str, part: &[u8]| {
        std::fs::read(process.join(file))
            .is_ok_and(|bytes| bytes.windows(part.len()).any(|window| window == part))
    };
    contains("cmdline", verb) && contains("environ", root)
}

pub(super) fn kill(process: Pid) {
    // It may have ended by itself.
    let _ = kill_process(process, Signal::KILL);
}
