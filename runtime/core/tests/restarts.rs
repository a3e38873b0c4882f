//! A container that starts again and again leaves no memory behind. A test of its own: it looks at the
//! whole process.
#![expect(clippy::unwrap_used, reason = "a test with helpers, which clippy does not know for one")]

use std::path::Path;

use wasmpod::manifest::{self, Source};
use wasmpod::pod::{Folders, Host, PodBuilder, VirtualTime};

const MIB: u64 = 1 << 20;

/// Writes to 8 MiB of its memory and ends with code 1, so that it is started again.
const CRASH: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 128)
    (func (export "_start")
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 8388608))
        (call $exit (i32.const 1))))"#;

/// How often the container started again in so many seconds of the Pod's time.
fn restarts(folder: &Path, seconds: u32) -> i32 {
    let text = format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: crash}}, spec: {{activeDeadlineSeconds: {seconds},
          containers: [{{name: crash, image: ./crash.wat, resources: {{limits: {{memory: 16Mi}}}}}}]}}}}"
    );
    let name = folder.join("pod.yaml").display().to_string();
    let mut manifest = manifest::load(&[Source { name, bytes: text.into() }]).unwrap();
    let host = Host::builder(Folders::find(Some(folder)).unwrap()).build().unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let finished = runtime.block_on(async {
        let pod = PodBuilder::new(&host, manifest.pods.remove(0));
        pod.virtual_time(VirtualTime::new(7)).build().unwrap().run().await
    });
    finished.status.container_statuses.unwrap_or_default()[0].restart_count
}

/// Bytes of memory that the process has now.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn fifty_restarts_leave_no_memory_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("crash.wat"), CRASH).unwrap();
    assert!(restarts(folder.path(), 300) >= 4);
    let before = resident();
    let many = restarts(folder.path(), 5 * 3600);
    assert!(many >= 50, "{many} restarts");
    let more = resident().saturating_sub(before);
    assert!(more < 8 * MIB, "{many} restarts left {} KiB", more >> 10);
}
