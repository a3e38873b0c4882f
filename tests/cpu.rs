//! CPU between Pods: by what each asks for.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::harness::{PodText, Running, World, eventually};

/// Computes for ever.
const SPINNER: &str =
    r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;

/// What is measured, in ticks of the kernel: three seconds of CPU time on most.
const ENOUGH: u64 = 300;

/// Binds this test, and what it starts, to one core.
fn bind_to_one_core() {
    let allowed = sched_getaffinity(None).expect("the kernel says where we may run");
    let core = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).expect("we run somewhere");
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).expect("it is one of ours");
}

fn start(world: &World, name: &str, request: &str) -> Running {
    let image = world.file("spin.wat", SPINNER);
    let pod = PodText::new(name)
        .container("spinner", &image, &[])
        .with(&format!("resources: {{requests: {{cpu: {request}}}}}"))
        .write(world);
    world.wasmpod(["run", &pod]).start()
}

/// Ticks of CPU time that a Pod has used.
fn used(pod: &Running) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pod.id())).unwrap_or_default();
    let (_, fields) = stat.rsplit_once(')').expect("the process is there");
    fields.split_ascii_whitespace().skip(11).take(2).map(|field| field.parse().unwrap_or(0)).sum()
}

#[test]
fn busy_pods_share_a_core_by_their_requests() {
    bind_to_one_core();
    let world = World::new();
    let (small, large) = (start(&world, "small", "250m"), start(&world, "large", "750m"));
    let after = |before: [u64; 2], ticks: u64| {
        eventually("CPU time", || {
            let used = [used(&small) - before[0], used(&large) - before[1]];
            (used[0] + used[1] >= ticks).then_some(used)
        })
    };
    // Both have started, and have met.
    let start = after([0, 0], ENOUGH / 3);
    let [small, large] = after(start, ENOUGH);
    assert!(large > 2 * small && large < 4 * small, "{small} and {large} ticks");
}
