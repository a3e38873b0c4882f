use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};
use serde_json::{Value, json};

use super::*;

fn filled_in(spec: Value) -> Value {
    let pod = json!({"metadata": {"name": "web"}, "spec": spec});
    let mut pod: Pod = serde_json::from_value(pod).unwrap();
    apply(&mut pod);
    let once = serde_json::to_value(&pod).unwrap();
    apply(&mut pod);
    assert_eq!(serde_json::to_value(&pod).unwrap(), once, "a second time changes nothing");
    once["spec"].clone()
}

#[test]
fn the_smallest_pod_is_filled_in() {
    let spec = filled_in(json!({"containers": [{"name": "app", "image": "app.wasm"}]}));
    insta::assert_snapshot!(serde_json::to_string_pretty(&spec).unwrap(), @r#"
    {
      "containers": [
        {
          "image": "app.wasm",
          "imagePullPolicy": "Always",
          "name": "app",
          "terminationMessagePath": "/dev/termination-log",
          "terminationMessagePolicy": "File"
        }
      ],
      "dnsPolicy": "ClusterFirst",
      "enableServiceLinks": true,
      "restartPolicy": "Always",
      "schedulerName": "default-scheduler",
      "securityContext": {},
      "terminationGracePeriodSeconds": 30
    }
    "#);
}

#[test]
fn probes_hooks_and_ports_are_filled_in() {
    let spec = filled_in(json!({
        "hostNetwork": true,
        "containers": [{
            "name": "app",
            "image": "app:v1",
            "ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}],
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "livenessProbe": {"httpGet": {"port": 80}, "timeoutSeconds": 0},
            "readinessProbe": {"grpc": {"port": 80}, "periodSeconds": 1},
            "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
        }],
    }));
    let container = &spec["containers"][0];
    assert_eq!(container["imagePullPolicy"], "IfNotPresent");
    assert_eq!(
        container["ports"],
        json!([
            {"containerPort": 80, "hostPort": 80, "protocol": "TCP"},
            {"containerPort": 81, "hostPort": 81, "protocol": "TCP"},
        ])
    );
    assert_eq!(container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
    assert_eq!(
        container["livenessProbe"],
        json!({
            "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
            "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
        })
    );
    assert_eq!(
        container["readinessProbe"],
        json!({
            "grpc": {"port": 80, "service": ""},
            "timeoutSeconds": 1, "periodSeconds": 1, "successThreshold": 1, "failureThreshold": 3,
        })
    );
    assert_eq!(container["lifecycle"]["preStop"]["httpGet"]["path"], "/");
}

#[test]
fn volumes_are_filled_in() {
    let spec = filled_in(json!({
        "containers": [],
        "volumes": [
            {"name": "none"},
            {"name": "map", "configMap": {"name": "a"}},
            {"name": "keys", "secret": {"secretName": "a", "defaultMode": 256}},
            {"name": "self", "downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "a"}}]}},
            {"name": "host", "hostPath": {"path": "/a"}},
            {"name": "image", "image": {"reference": "a:v1"}},
            {"name": "claim", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        ],
    }));
    let volumes = &spec["volumes"];
    assert_eq!(volumes[0], json!({"name": "none", "emptyDir": {}}));
    assert_eq!(volumes[1]["configMap"]["defaultMode"], 0o644);
    assert_eq!(volumes[2]["secret"]["defaultMode"], 256);
    assert_eq!(volumes[3]["downwardAPI"]["defaultMode"], 0o644);
    assert_eq!(volumes[3]["downwardAPI"]["items"][0]["fieldRef"]["apiVersion"], "v1");
    assert_eq!(volumes[4]["projected"]["defaultMode"], 0o644);
    assert_eq!(
        volumes[4]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"],
        3600
    );
    assert_eq!(volumes[5]["hostPath"]["type"], "");
    assert_eq!(volumes[6]["image"]["pullPolicy"], "IfNotPresent");
    assert_eq!(volumes[7]["ephemeral"]["volumeClaimTemplate"]["spec"]["volumeMode"], "Filesystem");
}

#[test]
fn requests_follow_limits_in_canonical_form() {
    let resources = json!({
        "limits": {"cpu": "0.5", "memory": "1024Mi"},
        "requests": {"memory": "0.0001"},
    });
    let container = json!({"name": "app", "resources": resources});
    let spec = filled_in(json!({"initContainers": [container], "containers": [container]}));
    let expected = json!({
        "limits": {"cpu": "500m", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1m"},
    });
    assert_eq!(spec["initContainers"][0]["resources"], expected);
    assert_eq!(spec["containers"][0]["resources"], expected);
}

#[test]
fn a_quantity_that_is_none_is_left_to_be_refused() {
    let container = json!({"name": "app", "resources": {"limits": {"memory": "1Gb"}}});
    let spec = filled_in(json!({"containers": [container]}));
    assert_eq!(spec["containers"][0]["resources"]["limits"]["memory"], "1Gb");
}

#[test]
fn resources_of_the_pod_follow_its_containers() {
    let requests = |cpu: &str| json!({"name": cpu, "resources": {"requests": {"cpu": cpu}}});
    // While the init container runs, only the sidecar before it runs too.
    let mut sidecar = requests("100m");
    sidecar["restartPolicy"] = json!("Always");
    let spec = filled_in(json!({
        "resources": {"limits": {"cpu": "4", "memory": "1Gi"}},
        "initContainers": [sidecar, requests("2")],
        "containers": [requests("1"), requests("500m")],
    }));
    assert_eq!(spec["resources"]["requests"], json!({"cpu": "2100m", "memory": "1Gi"}));

    let limited =
        |memory: &str| json!({"name": memory, "resources": {"limits": {"memory": memory}}});
    let spec = filled_in(json!({
        "resources": {"requests": {"cpu": "1"}},
        "containers": [limited("1Gi"), limited("512Mi")],
    }));
    assert_eq!(spec["resources"]["limits"], json!({"memory": "1536Mi"}));
}

#[test]
fn other_objects_are_filled_in() {
    let secret = json!({"metadata": {"name": "a"}, "data": {"a": "b2xk", "b": "Yg=="}, "stringData": {"a": "new"}});
    let mut secret: Secret = serde_json::from_value(secret).unwrap();
    super::secret(&mut secret);
    let data = secret.data.unwrap();
    assert_eq!((data["a"].0.as_slice(), data["b"].0.as_slice()), (&b"new"[..], &b"b"[..]));
    assert_eq!((secret.type_.as_deref(), secret.string_data), (Some("Opaque"), None));
    assert_eq!(secret.metadata.namespace.as_deref(), Some("default"));

    let mut config_map = ConfigMap::default();
    super::config_map(&mut config_map);
    assert_eq!(config_map.metadata.namespace.as_deref(), Some("default"));

    let claim = json!({"metadata": {}, "spec": {"resources": {"requests": {"storage": "1024Mi"}}}});
    let mut claim: PersistentVolumeClaim = serde_json::from_value(claim).unwrap();
    persistent_volume_claim(&mut claim);
    let spec = claim.spec.unwrap();
    assert_eq!(spec.volume_mode.as_deref(), Some("Filesystem"));
    assert_eq!(spec.resources.unwrap().requests.unwrap()["storage"].0, "1Gi");
}

fn service_filled_in(spec: Value) -> Value {
    let service = json!({"metadata": {"name": "web"}, "spec": spec});
    let mut service: Service = serde_json::from_value(service).unwrap();
    super::service(&mut service);
    let once = serde_json::to_value(&service).unwrap();
    super::service(&mut service);
    assert_eq!(serde_json::to_value(&service).unwrap(), once, "a second time changes nothing");
    assert_eq!(once["metadata"]["namespace"], "default");
    once["spec"].clone()
}

#[test]
fn services_are_filled_in() {
    let spec = service_filled_in(json!({
        "ports": [{"port": 80}, {"port": 81, "targetPort": "http", "protocol": "UDP"}],
    }));
    assert_eq!(
        spec,
        json!({
            "internalTrafficPolicy": "Cluster",
            "ports": [
                {"port": 80, "protocol": "TCP", "targetPort": 80},
                {"port": 81, "protocol": "UDP", "targetPort": "http"},
            ],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        })
    );
    // Also where nothing is behind it by itself.
    let headless =
        service_filled_in(json!({"clusterIP": "None", "ports": [{"port": 80, "targetPort": ""}]}));
    assert_eq!(headless["ports"][0]["targetPort"], 80);
    assert_eq!(headless["clusterIPs"], json!(["None"]));
    let fixed = service_filled_in(json!({"clusterIP": "10.96.0.5", "clusterIPs": ["10.96.0.6"]}));
    assert_eq!(fixed["clusterIPs"], json!(["10.96.0.6"]));
}

#[test]
fn what_a_service_is_filled_in_with_depends_on_its_type() {
    let table = [
        ("ClusterIP", json!(null), json!("Cluster"), json!(null)),
        ("NodePort", json!("Cluster"), json!("Cluster"), json!(null)),
        ("LoadBalancer", json!("Cluster"), json!("Cluster"), json!(true)),
        ("ExternalName", json!(null), json!(null), json!(null)),
    ];
    for (kind, external, internal, allocate) in table {
        let spec = service_filled_in(json!({"type": kind}));
        assert_eq!(spec["externalTrafficPolicy"], external, "{kind}");
        assert_eq!(spec["internalTrafficPolicy"], internal, "{kind}");
        assert_eq!(spec["allocateLoadBalancerNodePorts"], allocate, "{kind}");
    }
    let spec = service_filled_in(json!({"externalIPs": ["192.0.2.1"]}));
    assert_eq!(spec["externalTrafficPolicy"], "Cluster");
    let own = json!({
        "type": "LoadBalancer", "externalTrafficPolicy": "Local",
        "internalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": false,
    });
    let spec = service_filled_in(own.clone());
    for (field, value) in own.as_object().unwrap() {
        assert_eq!(spec[field], *value);
    }
}

#[test]
fn affinity_lasts_three_hours() {
    let seconds = |affinity: &str, config: Value| {
        let spec = json!({"sessionAffinity": affinity, "sessionAffinityConfig": config});
        service_filled_in(spec)["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"].clone()
    };
    let minute = json!({"clientIP": {"timeoutSeconds": 60}});
    for config in [json!(null), json!({}), json!({"clientIP": {}})] {
        assert_eq!(seconds("ClientIP", config), 10_800);
    }
    assert_eq!(seconds("ClientIP", minute.clone()), 60);
    assert_eq!(seconds("None", minute.clone()), json!(null));
    assert_eq!(seconds("", minute), json!(null));
}
