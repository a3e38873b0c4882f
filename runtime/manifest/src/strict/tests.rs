//! Fields against the table: spelling, types, verdicts.

use crate::{Source, load};

/// The problems of a Pod with this spec in flow style, each with its hint.
fn problems(spec: &str) -> String {
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {spec}\n");
    let source = Source { name: "pod.yaml".to_owned(), bytes: text.into_bytes() };
    match load(&[source]) {
        Ok(_) => "accepted".to_owned(),
        Err(errors) => errors.to_string(),
    }
}

/// What is noted about a Pod with these fields of spec beside one container.
fn notes(fields: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers: [{{name: a, image: a}}]\n  {fields}\n"
    );
    let source = Source { name: "pod.yaml".to_owned(), bytes: text.into_bytes() };
    let manifest = load(&[source]).unwrap_or_else(|errors| panic!("{errors}"));
    manifest.notes.into_iter().map(|note| note.message).collect()
}

#[test]
fn an_unknown_field_is_told_where_it_belongs() {
    insta::assert_snapshot!(
        [
            // One level too deep.
            "{containers: [{name: a, image: a, restartpolicy: Never, hostname: x}]}",
            // One level too high.
            "{containers: [{name: a, image: a, containerPort: 80, limits: {}}]}",
            // The word of another tool.
            "{containers: [{name: a, image: a, entrypoint: [x], environment: []}]}",
            // A slip, of letters or of case.
            "{containers: [{name: a, image: a, volumeMount: [], Args: []}]}",
            // Nothing near.
            "{containers: [{name: a, image: a, frobnicate: 1}]}",
        ]
        .map(problems)
        .join("\n"),
        @r#"
    pod.yaml:4:41: unknown field "spec.containers[0].restartpolicy"
        hint: did you mean `restartPolicy`?
    pod.yaml:4:63: unknown field "spec.containers[0].hostname"
        hint: `hostname` belongs in `spec`; is it indented too far?
    pod.yaml:4:41: unknown field "spec.containers[0].containerPort"
        hint: `containerPort` belongs in `ports`
    pod.yaml:4:60: unknown field "spec.containers[0].limits"
        hint: `limits` belongs in `resources`
    pod.yaml:4:41: unknown field "spec.containers[0].entrypoint"
        hint: did you mean `command`?
    pod.yaml:4:58: unknown field "spec.containers[0].environment"
        hint: did you mean `env`?
    pod.yaml:4:41: unknown field "spec.containers[0].volumeMount"
        hint: did you mean `volumeMounts`?
    pod.yaml:4:58: unknown field "spec.containers[0].Args"
        hint: did you mean `args`?
    pod.yaml:4:41: unknown field "spec.containers[0].frobnicate"
    "#
    );
}

#[test]
fn a_wrong_type_says_what_belongs_there() {
    insta::assert_snapshot!(
        [
            "{containers: {name: a, image: a}}",
            "{containers: [{name: a, image: a, command: sh -c x}]}",
            "{containers: [{name: a, image: a, args: [1, yes, 1.5]}]}",
            "{containers: [{name: a, image: a, ports: [{containerPort: http}, {containerPort: '80'}, {containerPort: 4294967296}, {containerPort: 80.5}]}]}",
            "{containers: [{name: a, image: a, env: [{name: A, value: 5}]}], hostAliases: x}",
            "{containers: [{name: a, image: a, stdin: 'true', resources: []}], activeDeadlineSeconds: 1e30}",
            "{containers: [{name: a, image: a, livenessProbe: {httpGet: {port: true}}}]}",
            "[a]",
            "{containers: [a, [b]]}",
        ]
        .map(problems)
        .join("\n"),
        @r#"
    pod.yaml:4:20: spec.containers: expected a list, found a mapping
        hint: each item of a list begins with `- `
    pod.yaml:4:50: spec.containers[0].command: expected a list, found the string "sh -c x"
        hint: write a list, one string a word: ["a", "b"]
    pod.yaml:4:48: spec.containers[0].args[0]: expected a string, found the number 1
        hint: put it in quotes: without them it is a number
    pod.yaml:4:51: spec.containers[0].args[1]: expected a string, found the boolean true
        hint: put it in quotes; without them yes, no, on, off, y, n, true and false are booleans
    pod.yaml:4:56: spec.containers[0].args[2]: expected a string, found the number 1.5
        hint: put it in quotes: without them it is a number
    pod.yaml:4:65: spec.containers[0].ports[0].containerPort: expected a 32-bit integer, found the string "http"
    pod.yaml:4:88: spec.containers[0].ports[1].containerPort: expected a 32-bit integer, found the string "80"
        hint: write it without quotes
    pod.yaml:4:111: spec.containers[0].ports[2].containerPort: expected a 32-bit integer, found the number 4294967296
    pod.yaml:4:140: spec.containers[0].ports[3].containerPort: expected a 32-bit integer, found the number 80.5
    pod.yaml:4:64: spec.containers[0].env[0].value: expected a string, found the number 5
        hint: put it in quotes: without them it is a number
    pod.yaml:4:84: spec.hostAliases: expected a list, found the string "x"
    pod.yaml:4:48: spec.containers[0].stdin: expected a boolean, found the string "true"
        hint: write it without quotes
    pod.yaml:4:67: spec.containers[0].resources: expected a mapping, found a list
        hint: a mapping has no `- ` before its keys
    pod.yaml:4:96: spec.activeDeadlineSeconds: expected a 64-bit integer, found the number 1000000000000000000000000000000
    pod.yaml:4:73: spec.containers[0].livenessProbe.httpGet.port: expected a 32-bit integer or a string, found the boolean true
    pod.yaml:4:7: spec: expected a mapping, found a list
        hint: a mapping has no `- ` before its keys
    pod.yaml:4:21: spec.containers[0]: expected a mapping, found the string "a"
    pod.yaml:4:24: spec.containers[1]: expected a mapping, found a list
        hint: a mapping has no `- ` before its keys
    "#
    );
}

#[test]
fn null_asks_for_nothing() {
    let spec = "{containers: [{name: a, image: a, ports: null, resources: {limits: null}, env: ~}], hostNetwork: null, volumes: }";
    assert_eq!(problems(spec), "accepted");
}

#[test]
fn what_would_be_a_lie_is_refused_by_name() {
    for (spec, path) in [
        ("{containers: [{name: a, image: a}], hostNetwork: true}", "spec.hostNetwork"),
        ("{containers: [{name: a, image: a}], hostPID: true}", "spec.hostPID"),
        (
            "{containers: [{name: a, image: a}], shareProcessNamespace: true}",
            "spec.shareProcessNamespace",
        ),
        (
            "{containers: [{name: a, image: a}], schedulingGates: [{name: a.b/c}]}",
            "spec.schedulingGates",
        ),
        ("{containers: [{name: a, image: a}], os: {name: windows}}", "spec.os.name"),
        (
            "{containers: [{name: a, image: a}], volumes: [{name: v, nfs: {server: s, path: /}}]}",
            "spec.volumes[0].nfs",
        ),
        (
            "{containers: [{name: a, image: a}], volumes: [{name: v, emptyDir: {medium: HugePages-2Mi}}]}",
            "spec.volumes[0].emptyDir.medium",
        ),
        (
            "{containers: [{name: a, image: a, securityContext: {privileged: true}}]}",
            "spec.containers[0].securityContext.privileged",
        ),
        (
            "{containers: [{name: a, image: a, ports: [{containerPort: 1, protocol: SCTP}]}]}",
            "spec.containers[0].ports[0].protocol",
        ),
        (
            "{containers: [{name: a, image: a, resources: {limits: {nvidia.com/gpu: 1}}}]}",
            "spec.containers[0].resources.limits[nvidia.com/gpu]",
        ),
        (
            "{containers: [{name: a, image: a}], ephemeralContainers: [{name: d, image: d}]}",
            "spec.ephemeralContainers",
        ),
    ] {
        let told = problems(spec);
        assert!(told.contains(&format!("{path}: not supported: ")), "{spec}\n{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    // The same fields, asking for what is the case anyway.
    assert_eq!(
        problems(
            "{containers: [{name: a, image: a, securityContext: {privileged: false}}], hostNetwork: false, os: {name: linux}, schedulingGates: []}"
        ),
        "accepted"
    );
}

#[test]
fn what_has_no_effect_is_said_once() {
    let said = notes(
        "nodeSelector: {a: b}\n  tolerations: [{operator: Exists}]\n  initContainers: [{name: b, image: a, securityContext: {runAsUser: 1}}, {name: c, image: a, securityContext: {runAsUser: 2}}]",
    );
    insta::assert_snapshot!(said.join("\n"), @r"
    spec.nodeSelector: accepted without effect: every Pod runs on this machine: nothing is scheduled
    spec.tolerations: accepted without effect: every Pod runs on this machine: nothing is scheduled
    spec.initContainers[0].securityContext.runAsUser: accepted without effect: WASI knows no users: a guest has no user or group id
    ");
    assert_eq!(notes("dnsPolicy: ClusterFirst\n  serviceAccountName: default"), [""; 0]);
    assert_eq!(notes("affinity: {}\n  hostUsers: true"), [""; 0]);
}

#[test]
fn below_a_field_without_effect_spelling_still_counts() {
    assert_eq!(
        problems("{containers: [{name: a, image: a}], affinity: {nodeAffinty: {}}}"),
        "pod.yaml:4:54: unknown field \"spec.affinity.nodeAffinty\"\n    hint: did you mean `nodeAffinity`?"
    );
}

#[test]
fn an_echo_of_a_problem_is_not_told() {
    // `image` is missing because it was misspelt, the port is invalid because it was no number.
    let told = problems("{containers: [{name: a, imag: a, ports: [{containerPort: x}]}]}");
    assert_eq!(told.matches("pod.yaml:").count(), 2, "{told}");
}

#[test]
fn times_and_base64_are_checked_with_their_place() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, creationTimestamp: yesterday}\ndata:\n  good: aGk=\n  wrapped: |\n    aGVsbG8g\n    d29ybGQ=\n  bad: '%%%'\n";
    let source = Source { name: "s.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
    insta::assert_snapshot!(load(&[source]).unwrap_err(), @r#"
    s.yaml:3:40: metadata.creationTimestamp: expected a time such as "2006-01-02T15:04:05Z", found the string "yesterday"
    s.yaml:9:8: data[bad]: expected a string in base64, found the string "%%%"
    "#);
}
