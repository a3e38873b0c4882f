use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, Secret};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::downward::{Allocatable, DownwardStatus};

/// One namespace with a ConfigMap `settings`, a Secret `keys` and a file in volume `config`.
struct Cluster {
    settings: ConfigMap,
    keys: Secret,
    services: Vec<ServiceAddress>,
}

impl Cluster {
    fn new() -> Self {
        let settings = json!({
            "metadata": {"name": "settings", "namespace": "ns"},
            "data": {"COLOR": "blue", "log.level": "debug"},
        });
        let keys = json!({
            "metadata": {"name": "keys", "namespace": "ns"},
            "data": {"TOKEN": "czNjcmV0", "BINARY": "/w=="},
        });
        Self {
            settings: serde_json::from_value(settings).unwrap(),
            keys: serde_json::from_value(keys).unwrap(),
            services: Vec::new(),
        }
    }

    /// With a Service `web` on port 80.
    fn with_service() -> Self {
        let port = serde_json::from_value(json!({"name": "http", "port": 80})).unwrap();
        let cluster_ip = [10, 96, 0, 5].into();
        let web = ServiceAddress { name: "web".to_owned(), cluster_ip, ports: vec![port] };
        Self { services: vec![web], ..Self::new() }
    }
}

impl Objects for Cluster {
    fn config_map(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        (namespace == "ns" && name == "settings").then_some(&self.settings)
    }

    fn secret(&self, namespace: &str, name: &str) -> Option<&Secret> {
        (namespace == "ns" && name == "keys").then_some(&self.keys)
    }

    fn services(&self, namespace: &str) -> Vec<ServiceAddress> {
        if namespace == "ns" { self.services.clone() } else { Vec::new() }
    }

    fn volume_file(&self, volume: &str, path: &str) -> Result<Vec<u8>, FileError> {
        match (volume, path) {
            ("config", "env") => Ok(b"PORT='8080'".to_vec()),
            ("config", "broken") => Ok(b"PORT".to_vec()),
            _ => Err(FileError::NotFound),
        }
    }
}

fn status() -> DownwardStatus {
    DownwardStatus {
        pod_ips: vec!["10.88.0.2".parse().unwrap()],
        host_ips: vec!["192.0.2.1".parse().unwrap()],
        node_name: "node-a".into(),
        allocatable: Allocatable { cpu: "4".parse().unwrap(), ..Allocatable::default() }.into(),
    }
}

fn resolved(container: Value) -> Result<Environment, ConfigError> {
    resolved_in(&Cluster::new(), json!({"containers": []}), container)
}

fn resolved_in(
    cluster: &Cluster,
    spec: Value,
    container: Value,
) -> Result<Environment, ConfigError> {
    let mut container = container;
    container["name"] = json!("app");
    let container: Container = serde_json::from_value(container).unwrap();
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "ns", "labels": {"app": "web"}},
        "spec": spec,
    }))
    .unwrap();
    resolve(&pod, &container, cluster, &status())
}

fn variables(container: Value) -> BTreeMap<String, String> {
    resolved(container).unwrap().variables.into_iter().collect()
}

fn error(container: Value) -> String {
    resolved(container).unwrap_err().to_string()
}

#[test]
fn later_wins_and_each_name_stands_once() {
    let environment = resolved(json!({
        "envFrom": [
            {"configMapRef": {"name": "settings"}},
            {"prefix": "S_", "configMapRef": {"name": "settings"}},
        ],
        "env": [
            {"name": "A", "value": "1"},
            {"name": "COLOR", "value": "red"},
            {"name": "A", "value": "$(A)2"},
        ],
    }))
    .unwrap();
    let expected = [
        ("HOSTNAME", "web"),
        ("COLOR", "red"),
        ("log.level", "debug"),
        ("S_COLOR", "blue"),
        ("S_log.level", "debug"),
        ("A", "12"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(environment.variables, expected);
}

#[test]
fn a_value_sees_only_what_stands_before_it() {
    let variables = variables(json!({
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "env": [
            {"name": "EARLY", "value": "$(LATE)"},
            {"name": "LATE", "value": "late $(COLOR) $(HOSTNAME) $$(COLOR)"},
            {"name": "EMPTY"},
        ],
    }));
    assert_eq!(variables["EARLY"], "$(LATE)");
    assert_eq!(variables["LATE"], "late blue $(HOSTNAME) $(COLOR)");
    assert_eq!(variables["EMPTY"], "");
}

#[test]
fn the_spec_may_set_hostname() {
    let variables = variables(json!({"env": [{"name": "HOSTNAME", "value": "own"}]}));
    assert_eq!(variables["HOSTNAME"], "own");
}

#[test]
fn services_are_told_of_and_everything_else_wins() {
    let cluster = Cluster::with_service();
    let container = json!({
        "envFrom": [{"prefix": "WEB_SERVICE_", "configMapRef": {"name": "settings"}}],
        "env": [
            {"name": "URL", "value": "http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT_HTTP)"},
            {"name": "WEB_SERVICE_HOST", "value": "was $(WEB_SERVICE_HOST)"},
            {"name": "WEB_PORT", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k", "optional": true}}},
        ],
        "args": ["$(WEB_PORT_80_TCP_ADDR)", "$(WEB_SERVICE_COLOR)"],
    });
    let environment = resolved_in(&cluster, json!({"containers": []}), container.clone()).unwrap();
    let names: Vec<_> = environment.variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..4],
        ["HOSTNAME", "WEB_SERVICE_HOST", "WEB_SERVICE_PORT", "WEB_SERVICE_PORT_HTTP"]
    );
    assert_eq!(environment.get("URL"), Some("http://10.96.0.5:80"));
    assert_eq!(environment.get("WEB_SERVICE_HOST"), Some("was 10.96.0.5"));
    assert_eq!(environment.get("WEB_PORT"), Some("tcp://10.96.0.5:80"));
    assert_eq!(environment.args, ["10.96.0.5", "blue"]);

    let unlinked = json!({"containers": [], "enableServiceLinks": false});
    let environment = resolved_in(&cluster, unlinked, container).unwrap();
    assert_eq!(environment.get("URL"), Some("http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT_HTTP)"));
    assert_eq!(environment.get("WEB_PORT"), None);
}

#[test]
fn values_come_from_everywhere() {
    let variables = variables(json!({
        "resources": {"limits": {"cpu": "500m"}},
        "env": [
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "COLOR"}}},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "TOKEN"}}},
            {"name": "PORT", "valueFrom": {"fileKeyRef": {"volumeName": "config", "path": "env", "key": "PORT"}}},
        ],
    }));
    let expected = [
        ("POD", "web"),
        ("APP", "web"),
        ("IP", "10.88.0.2"),
        ("CPU", "1"),
        ("COLOR", "blue"),
        ("TOKEN", "s3cret"),
        ("PORT", "8080"),
    ];
    for (name, value) in expected {
        assert_eq!(variables[name], value, "{name}");
    }
}

#[test]
fn what_is_missing_is_an_error_with_the_kubelets_text() {
    let table = [
        (json!({"envFrom": [{"configMapRef": {"name": "x"}}]}), r#"configmap "x" not found"#),
        (json!({"envFrom": [{"secretRef": {"name": "x"}}]}), r#"secret "x" not found"#),
        (
            json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k"}}}]}),
            r#"configmap "x" not found"#,
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k"}}}]}),
            "couldn't find key k in ConfigMap ns/settings",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}]}),
            "couldn't find key k in Secret ns/keys",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "BINARY"}}}]}),
            "value of key BINARY in Secret ns/keys is not valid UTF-8",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]}),
            "unsupported fieldPath: spec.x",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.x"}}}]}),
            "unsupported container resource : limits.x",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}}]}),
            r#"environment variable A: file "p" of volume "v": no such file"#,
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "config", "path": "env", "key": "k"}}}]}),
            r#"environment variable key "k" not found in file "env""#,
        ),
    ];
    for (container, text) in table {
        assert_eq!(error(container.clone()), text, "{container}");
    }
}

#[test]
fn what_is_optional_may_be_missing() {
    let variables = variables(json!({
        "envFrom": [
            {"configMapRef": {"name": "x", "optional": true}},
            {"secretRef": {"name": "x", "optional": true}},
        ],
        "env": [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "k", "optional": true}}},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "k", "optional": true}}},
            {"name": "C", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k", "optional": true}}},
            {"name": "D", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k", "optional": true}}},
            {"name": "E", "valueFrom": {"fileKeyRef": {"volumeName": "config", "path": "env", "key": "k", "optional": true}}},
        ],
    }));
    assert_eq!(variables.into_keys().collect::<Vec<_>>(), ["HOSTNAME"]);
}

#[test]
fn command_and_args_meet_the_image() {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let table: [(Value, &[&str]); 4] = [
        (json!({}), &["E", "C"]),
        (json!({"command": ["c"]}), &["c"]),
        (json!({"args": ["$(A)"]}), &["E", "1"]),
        (json!({"command": ["c"], "args": ["a", "$(NO)"]}), &["c", "a", "$(NO)"]),
    ];
    for (mut container, argv) in table {
        container["env"] = json!([{"name": "A", "value": "1"}]);
        let environment = resolved(container.clone()).unwrap();
        assert_eq!(environment.argv(&owned(&["E"]), &owned(&["C"])), owned(argv), "{container}");
        assert_eq!(environment.get("A"), Some("1"));
    }
}

#[test]
fn values_of_values_cannot_fill_the_machine() {
    let laughs = (1..64).map(|level| {
        let before = format!("$(A{})", level - 1);
        json!({"name": format!("A{level}"), "value": before.repeat(10)})
    });
    let first = json!({"name": "A0", "value": "ha"});
    let env: Vec<Value> = std::iter::once(first).chain(laughs).collect();
    let text = r#"environment and arguments of container "app" are larger than 2 MiB"#;
    assert_eq!(error(json!({"env": env})), text);

    let env = [json!({"name": "A", "value": "a".repeat(1_000_000)})];
    assert_eq!(error(json!({"env": env, "args": ["$(A)", "$(A)"]})), text);
}

proptest! {
    #[test]
    fn no_environment_panics(entries in proptest::collection::vec(("[A-C]", "[$()A-C]{0,8}"), 0..6)) {
        let env: Vec<Value> =
            entries.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let args: Vec<&String> = entries.iter().map(|(_, value)| value).collect();
        let outcome = resolved(json!({"env": env, "args": args}));
        prop_assert!(outcome.is_ok());
    }
}
