//! The rules of WASI for sockets, tried inside a Pod by a guest that knows nothing of Pods.

use crate::harness::{World, guest};

#[test]
fn a_pod_keeps_the_rules_of_wasi_0_2() {
    keeps_every_rule("socket-rules");
}

#[test]
fn a_pod_keeps_the_rules_of_wasi_0_3() {
    keeps_every_rule("socket_rules_p3");
}

#[track_caller]
fn keeps_every_rule(rules: &str) {
    let world = World::new();
    let pod = world.pod("rules", &[("rules", &guest(rules))]);
    let result = world.wasmpod(["run", &pod]).finish();
    let broken: Vec<&str> = result.stdout.lines().filter(|line| line.contains("BROKEN")).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let kept = result.stdout.lines().filter(|line| line.contains("ok ")).count();
    assert!(kept > 50, "only {kept} rules were tried\n{result}");
    assert_eq!(result.code, 0, "{result}");
}
