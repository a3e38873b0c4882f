//! Whole manifests: what they come to, or what is said about them.

use crate::{Manifest, Source, load};

fn manifest(text: &str) -> Manifest {
    let source = Source {
        name: "pod.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    load(&[source]).unwrap_or_else(|errors| panic!("refused:\n{errors}"))
}

fn errors(text: &str) -> String {
    let source = Source {
        name: "pod.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    load(&[source]).expect_err("refused").to_string()
}

fn notes(manifest: &Manifest) -> String {
    manifest
        .notes
        .iter()
        .map(|note| format!("{note}\n"))
        .collect()
}

const KUARD: &str = r#"apiVersion: v1
kind: Pod
metadata:
  name: kuard
spec:
  volumes:
    - name: "kuard-data"
      hostPath:
        path: "/var/lib/kuard"
        type: DirectoryOrCreate
  containers:
    - image: gcr.io/kuard-demo/kuard-amd64:blue
      name: kuard
      ports:
        - containerPort: 8080
          name: http
          protocol: TCP
      volumeMounts:
        - mountPath: "/data"
          name: "kuard-data"
      resources:
        requests:
          cpu: "500m"
          memory: "128Mi"
        limits:
          cpu: "1000m"
          memory: "256Mi"
      livenessProbe:
        httpGet:
          path: /healthy
          port: 8080
        initialDelaySeconds: 5
      readinessProbe:
        httpGet:
          path: /ready
          port: 8080
"#;

#[test]
fn the_kuard_pod_loads_and_says_what_has_no_effect() {
    let manifest = manifest(KUARD);
    let pod = &manifest.pods[0].pod;
    let spec = pod.spec.as_ref().unwrap();
    assert_eq!(pod.metadata.namespace.as_deref(), Some("default"));
    assert_eq!(spec.restart_policy.as_deref(), Some("Always"));
    assert_eq!(
        spec.containers[0].ports.as_ref().unwrap()[0].container_port,
        8080
    );
    insta::assert_snapshot!(notes(&manifest), @r"
    pod.yaml:23:11: spec.containers[0].resources.requests[cpu]: accepted without effect: not yet acted upon
    pod.yaml:24:11: spec.containers[0].resources.requests[memory]: accepted without effect: not yet acted upon
    pod.yaml:26:11: spec.containers[0].resources.limits[cpu]: accepted without effect: not yet acted upon
    pod.yaml:28:7: spec.containers[0].livenessProbe: accepted without effect: not yet acted upon
    pod.yaml:33:7: spec.containers[0].readinessProbe: accepted without effect: not yet acted upon
    ");
}

#[test]
fn all_problems_are_told_at_once_each_with_its_place_and_a_way_out() {
    insta::assert_snapshot!(
        errors(
            "apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  hostNetwork: true
  containers:
  - {name: 5, imagee: a, image: no}
  restartpolicy: x
",
        ),
        @r#"
    pod.yaml:5:3: spec.hostNetwork: not supported: a Pod has a network of its own; ports[].hostPort opens a port of the host
    pod.yaml:7:12: spec.containers[0].name: expected a string, found the number 5
        hint: put it in quotes: without them it is a number
    pod.yaml:7:15: unknown field "spec.containers[0].imagee"
        hint: did you mean `image`?
    pod.yaml:7:33: spec.containers[0].image: expected a string, found the boolean false
        hint: put it in quotes; without them yes, no, on, off, y, n, true and false are booleans
    pod.yaml:8:3: unknown field "spec.restartpolicy"
        hint: did you mean `restartPolicy`?
    "#
    );
}
