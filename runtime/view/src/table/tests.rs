//! The cells of each kind. How they are laid out is among the recordings.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{IncludeObject, Table, TextOptions, table};

fn now() -> Timestamp {
    "2026-11-30T08:00:00Z".parse().unwrap()
}

fn text(kind: &str, objects: &[Value]) -> String {
    let options = TextOptions { wide: true, ..TextOptions::default() };
    table("", kind, objects, now()).to_text(&options)
}

#[test]
fn a_pod_that_has_ended_says_so_in_its_row() {
    let pod = json!({ "metadata": { "name": "job", "labels": { "a": "b" } },
        "status": { "phase": "Succeeded" } });
    let table = table("", "Pod", std::slice::from_ref(&pod), now());
    let json = table.to_json(IncludeObject::Metadata, "7");
    assert_eq!(json["metadata"]["resourceVersion"], "7");
    assert_eq!(json["columnDefinitions"][0]["format"], "name");
    assert_eq!(json["columnDefinitions"][5]["priority"], 1);
    let row = &json["rows"][0];
    assert_eq!(row["cells"][2], "Succeeded");
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(row["object"]["metadata"]["labels"]["a"], "b");
    assert_eq!(row["conditions"][0]["type"], "Completed");
    assert_eq!(table.to_json(IncludeObject::Object, "7")["rows"][0]["object"], pod);
    assert_eq!(table.to_json(IncludeObject::None, "7")["rows"][0]["object"], Value::Null);
}

#[test]
fn services_show_how_they_are_reached() {
    let service = |name: &str, spec: Value, status: Value| json!({ "metadata": { "name": name }, "spec": spec, "status": status });
    let balancer =
        json!({ "loadBalancer": { "ingress": [{ "hostname": "b" }, { "ip": "1.1.1.1" }] } });
    let services = [
        service("a", json!({ "type": "ClusterIP", "clusterIPs": ["10.0.0.1"] }), json!({})),
        service("b", json!({ "type": "LoadBalancer", "externalIPs": ["2.2.2.2"] }), balancer),
        service("c", json!({ "type": "LoadBalancer" }), json!({})),
        service("d", json!({ "type": "ExternalName", "externalName": "x.example" }), json!({})),
    ];
    insta::assert_snapshot!(text("Service", &services), @r"
    NAME   TYPE           CLUSTER-IP   EXTERNAL-IP         PORT(S)   AGE         SELECTOR
    a      ClusterIP      10.0.0.1     <none>              <none>    <unknown>   <none>
    b      LoadBalancer   <none>       1.1.1.1,b,2.2.2.2   <none>    <unknown>   <none>
    c      LoadBalancer   <none>       <pending>           <none>    <unknown>   <none>
    d      ExternalName   <none>       x.example           <none>    <unknown>   <none>
    ");
}

#[test]
fn nodes_say_whether_they_are_ready() {
    let node = |name: &str, ready: &str| {
        json!({ "metadata": { "name": name },
            "status": { "conditions": [{ "type": "Ready", "status": ready }] } })
    };
    let nodes = [node("a", "True"), node("b", "Unknown"), json!({ "metadata": { "name": "c" } })];
    let table = table("", "Node", &nodes, now());
    let states: Vec<&Value> = table.rows.iter().map(|row| &row.cells[1]).collect();
    assert_eq!(states, ["Ready", "NotReady", "Unknown"]);
}

#[test]
fn a_claim_without_a_volume_has_no_capacity() {
    let claim = json!({ "metadata": { "name": "c", "deletionTimestamp": "2026-11-30T07:00:00Z" },
        "spec": { "resources": { "requests": { "storage": "1Gi" } } },
        "status": { "phase": "Pending", "capacity": { "storage": "1Gi" } } });
    insta::assert_snapshot!(text("PersistentVolumeClaim", &[claim]), @r"
    NAME   STATUS        VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   VOLUMEATTRIBUTESCLASS   AGE         VOLUMEMODE
    c      Terminating                                                     <unset>                 <unknown>   <unset>
    ");
}

#[test]
fn what_does_not_read_as_its_kind_still_has_its_name() {
    let broken = json!({ "metadata": { "name": "odd" }, "spec": 3 });
    assert_eq!(
        text("Pod", &[broken]).lines().nth(1).unwrap().split_whitespace().next(),
        Some("odd")
    );
    assert_eq!(table("", "Pod", &[json!(3)], now()).rows.len(), 1);
    assert_eq!(text("Widget", &[]), "");
}

#[test]
fn cells_stay_on_their_line() {
    let mut table: Table = table("", "Event", &[json!({})], now());
    table.rows[0].cells[6] = json!("one\ntwo");
    table.rows[0].cells[2] = json!("\u{1b}[31m");
    let text = table.to_text(&TextOptions::default());
    insta::assert_snapshot!(text, @r"
    LAST SEEN   TYPE   REASON   OBJECT   MESSAGE
    <unknown>          ^[[31m            one...
    ");
}
