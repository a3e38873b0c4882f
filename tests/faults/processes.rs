//! The processes of the Pods of one world.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::World;

/// Those that there are now.
pub(super) fn of(world: &World) -> Vec<Pid> {
    let root = format!("WASMPOD_ROOT={}\0", world.root().display());
    let entries = std::fs::read_dir("/proc").expect("it is mounted").filter_map(Result::ok);
    let ids = entries.filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        is_of_a_pod(&entry.path(), root.as_bytes()).then(|| Pid::from_raw(id)).flatten()
    });
    ids.collect()
}

fn is_of_a_pod(process: &Path, root: &[u8]) -> bool {
    let contains = |file: &str, part: &[u8]| {
        std::fs::read(process.join(file))
            .is_ok_and(|bytes| bytes.windows(part.len()).any(|window| window == part))
    };
    contains("cmdline", b"\0background-pod\0") && contains("environ", root)
}

pub(super) fn kill(process: Pid) {
    // It may have ended by itself.
    let _ = kill_process(process, Signal::KILL);
}
