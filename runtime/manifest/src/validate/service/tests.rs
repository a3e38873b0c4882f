//! Rules that no manifest can show: defaults fill in what is missing, or drop it.
//! The others are tested by the manifests in `tests/invalid`.

use k8s_openapi::api::core::v1::Service;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::defaults;

fn read(spec: Value) -> Service {
    let service = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
    serde_json::from_value(service).unwrap()
}

#[test]
fn nothing_that_defaults_fill_in_may_be_missing() {
    let wrong =
        |spec| service(&read(spec)).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(
        wrong(json!({"ports": [{"port": 80}], "clusterIP": "10.96.0.5"})),
        @r"
    spec.ports[0].protocol: Required value
    spec.sessionAffinity: Required value
    spec.clusterIPs: Required value
    spec.type: Required value
    "
    );
    insta::assert_snapshot!(
        wrong(json!({
            "type": "NodePort",
            "ports": [{"port": 80, "protocol": "TCP"}],
            "sessionAffinity": "None",
            "sessionAffinityConfig": {},
        })),
        @r"
    spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None
    spec.externalTrafficPolicy: Required value
    "
    );
    for config in [json!(null), json!({}), json!({"clientIP": {}})] {
        let spec = json!({
            "type": "ExternalName", "externalName": "a",
            "sessionAffinity": "ClientIP", "sessionAffinityConfig": config,
        });
        let said = wrong(spec);
        assert!(
            said.ends_with("Required value: when session affinity type is ClientIP"),
            "{config}: {said}"
        );
    }
}

#[test]
fn who_comes_first_has_it() {
    let ask = |address: &str, node_port: u16| {
        let mut service = read(json!({
            "type": "NodePort",
            "clusterIP": address,
            "selector": {"app": "web"},
            "ports": [{"port": 80, "nodePort": node_port}],
        }));
        defaults::service(&mut service);
        service
    };
    let mut allocated = Allocated::default();
    assert_eq!(allocated.allocate(&ask("10.96.0.5", 30_080), "first"), []);
    assert_eq!(allocated.allocate(&ask("10.96.0.6", 30_081), "second"), []);
    let refused = allocated.allocate(&ask("10.96.0.5", 30_081), "third");
    let hints: Vec<_> = refused.iter().filter_map(|error| error.hint.as_deref()).collect();
    assert_eq!(hints, ["first has it", "second has it"]);
    // What is refused takes nothing, and what is none is nobody's.
    assert_eq!(allocated.allocate(&ask("", 0), "fourth"), []);
    assert_eq!(allocated.allocate(&ask("", 0), "fifth"), []);
    assert_eq!(allocated.allocate(&ask("nonsense", 30_082), "sixth"), []);
}

proptest! {
    /// Whatever is asked for: defaults are filled in once, and nothing panics.
    #[test]
    fn no_service_panics(
        kind in prop::sample::select(vec!["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "X"]),
        address in prop::sample::select(vec!["", "None", "10.96.0.5", "::1", "x"]),
        addresses in prop::collection::vec("(None|10\\.96\\.0\\.[0-9]|fd00::[0-9]|x)", 0..4),
        families in prop::collection::vec("IPv[46]", 0..3),
        affinity in prop::sample::select(vec!["", "None", "ClientIP", "X"]),
        ports in prop::collection::vec((any::<i32>(), any::<i32>(), "(TCP|UDP|X)?", "[a-z-]{0,3}"), 0..4),
        external in prop::collection::vec("(192\\.0\\.2\\.1|fe80::1|x)", 0..2),
    ) {
        let ports: Vec<Value> = ports
            .iter()
            .map(|(port, node_port, protocol, target)| json!({
                "port": port, "nodePort": node_port, "protocol": protocol, "targetPort": target,
            }))
            .collect();
        let mut read = read(json!({
            "type": kind, "clusterIP": address, "clusterIPs": addresses, "ipFamilies": families,
            "sessionAffinity": affinity, "ports": ports, "externalIPs": external,
        }));
        let _ = service(&read);
        defaults::service(&mut read);
        let once = read.clone();
        defaults::service(&mut read);
        prop_assert_eq!(&read, &once);
        let _ = service(&read);
        let _ = Allocated::default().allocate(&read, "web");
    }
}
