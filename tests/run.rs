//! `wasmpod run`: one Pod and its output.

use crate::harness::{World, guest};

#[test]
fn a_hello_pod_prints_and_succeeds() {
    let world = World::new();
    let pod = world.pod("greeter", &[("hello", &guest("hello"))]);
    let result = world.wasmpod(["run", &pod]).finish();
    assert_eq!(result.code, 0, "{result}");
    assert!(result.stdout.starts_with("hello | Hello"), "{result}");
}
