//! Whole manifests: what they come to, or what is said about them.

use k8s_openapi::ByteString;

use crate::{Manifest, Origin, ProblemKind, Source, WorkloadKind, load};

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

#[track_caller]
fn manifest(text: &str) -> Manifest {
    load(&[source("pod.yaml", text)]).unwrap_or_else(|errors| panic!("refused:\n{errors}"))
}

#[track_caller]
fn errors(text: &str) -> String {
    load(&[source("pod.yaml", text)]).expect_err("refused").to_string()
}

fn notes(manifest: &Manifest) -> String {
    manifest.notes.iter().map(|note| format!("{note}\n")).collect()
}

fn names(manifest: &Manifest) -> Vec<&str> {
    manifest.pods.iter().filter_map(|pod| pod.pod.metadata.name.as_deref()).collect()
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
"#;

#[test]
fn the_kuard_pod_loads_and_gets_its_defaults() {
    let manifest = manifest(KUARD);
    let [loaded] = manifest.pods.as_slice() else { panic!("one Pod") };
    let spec = loaded.pod.spec.as_ref().unwrap();
    assert_eq!((loaded.source.as_str(), loaded.line), ("pod.yaml", 1));
    assert_eq!(loaded.origin, Origin::Pod);
    assert_eq!(loaded.pod.metadata.namespace.as_deref(), Some("default"));
    assert_eq!(spec.restart_policy.as_deref(), Some("Always"));
    assert_eq!(spec.containers[0].ports.as_ref().unwrap()[0].container_port, 8080);
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

#[test]
fn a_file_of_several_kinds_comes_apart() {
    let manifest = manifest(
        "apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast, motd: |
  hello
  }
binaryData: {logo: aGk=}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
data: {a: YQ==, both: YQ==}
stringData: {b: b, both: c}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: a, image: a}]}
",
    );
    assert_eq!(names(&manifest), ["web"]);
    assert_eq!(manifest.config_maps[0].data.as_ref().unwrap()["mode"], "fast");
    let secret = manifest.secrets[0].data.as_ref().unwrap();
    assert_eq!(secret["a"], ByteString(b"a".to_vec()));
    assert_eq!(secret["both"], ByteString(b"c".to_vec()), "stringData wins");
    assert_eq!(manifest.persistent_volume_claims[0].metadata.name.as_deref(), Some("disk"));
}

#[test]
fn workloads_become_one_pod_with_a_note() {
    let manifest = manifest(
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: a}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  backoffLimit: 4
  template:
    spec: {restartPolicy: Never, containers: [{name: a, image: a}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: \"0 3 * * *\"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: OnFailure, containers: [{name: a, image: a}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: a, image: a}]}
",
    );
    assert_eq!(names(&manifest), ["web", "once", "nightly", "agent"]);
    let web = &manifest.pods[0];
    assert_eq!(web.pod.metadata.namespace.as_deref(), Some("shop"));
    assert_eq!(web.pod.metadata.labels.as_ref().unwrap()["app"], "web");
    assert_eq!(
        web.origin,
        Origin::Workload { kind: WorkloadKind::Deployment, name: "web".to_owned() }
    );
    insta::assert_snapshot!(notes(&manifest), @r#"
    pod.yaml:1:1: Deployment "web" is run as one Pod of its template, not as 3 replicas
    pod.yaml:12:1: Job "once" is run as one Pod of its template
    pod.yaml:20:1: CronJob "nightly" is run as one Pod of its template, now and once: its schedule is not kept
    pod.yaml:30:1: DaemonSet "agent" is run as one Pod of its template
    "#);
}

#[test]
fn a_stateful_set_brings_its_first_pod_and_its_claims() {
    let manifest = manifest(
        "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - {name: a, image: a, volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
",
    );
    let pod = &manifest.pods[0].pod;
    let spec = pod.spec.as_ref().unwrap();
    assert_eq!(pod.metadata.name.as_deref(), Some("db-0"));
    assert_eq!((spec.hostname.as_deref(), spec.subdomain.as_deref()), (Some("db-0"), Some("db")));
    let volume = &spec.volumes.as_ref().unwrap()[0];
    assert_eq!(volume.name, "data");
    assert_eq!(volume.persistent_volume_claim.as_ref().unwrap().claim_name, "data-db-0");
    let claim = &manifest.persistent_volume_claims[0];
    assert_eq!(claim.metadata.name.as_deref(), Some("data-db-0"));
}

#[test]
fn paths_in_a_template_begin_at_the_workload() {
    insta::assert_snapshot!(
        errors(
            "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      restartPolicy: Never
      containers:
      - name: a
        image: a
        port: 80
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      containers: [{name: a, image: a}]
",
        ),
        @r#"
    pod.yaml:9:22: spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"
    pod.yaml:13:9: unknown field "spec.template.spec.containers[0].port"
        hint: did you mean `ports`?
    pod.yaml:20:5: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"
    "#
    );
}

#[test]
fn nothing_is_run_of_a_workload_that_asks_for_nothing() {
    let manifest = manifest(
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: a, image: a}]}
",
    );
    assert_eq!(names(&manifest), ["other"]);
    assert_eq!(
        notes(&manifest),
        "pod.yaml:1:1: Deployment \"web\": nothing is run: `replicas` is 0\n"
    );
}

#[test]
fn lists_are_opened() {
    let manifest = manifest(
        "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
  spec: {containers: [{name: a, image: a}]}
- apiVersion: v1
  kind: PodList
  items:
  - metadata: {name: b}
    spec: {containers: [{name: a, image: a}]}
  - apiVersion: ''
    kind:
    metadata: {name: c}
    spec: {containers: [{name: a, image: a}]}
",
    );
    assert_eq!(names(&manifest), ["a", "b", "c"]);
    insta::assert_snapshot!(
        errors("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {x: 1}}\n"),
        @r#"
    pod.yaml:4:59: unknown field "items[0].spec.x"
    "#
    );
}

#[test]
fn other_kinds_are_skipped() {
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: web}\n";
    let custom = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: a}]}\n";
    let manifest = manifest(&format!("{role}---\n{custom}---\n{pod}"));
    insta::assert_snapshot!(notes(&manifest), @r#"
    pod.yaml:1:1: Role "web" is skipped: objects of this kind have no effect here
    pod.yaml:5:1: Widget "w" is skipped: objects of this kind have no effect here
    "#);
    // Nor does anything else of these groups, whatever a release calls it.
    for (kind, version) in [
        ("Component", "kustomize.config.k8s.io/v1alpha1"),
        ("Workload", "scheduling.k8s.io/v1alpha1"),
        ("PodGroup", "scheduling.k8s.io/v1alpha1"),
        ("DeviceTaintRule", "resource.k8s.io/v1alpha3"),
        ("PodCertificateRequest", "certificates.k8s.io/v1alpha1"),
        ("LeaseCandidate", "coordination.k8s.io/v1beta1"),
    ] {
        let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n");
        assert!(notes(&self::manifest(&text)).contains("is skipped"), "{text}");
    }
    // A Role alone is a right manifest; that there is nothing to run is another question.
    assert_eq!(names(&self::manifest(&format!("{role}---\n{custom}"))), [] as [&str; 0]);
}

#[test]
fn a_wrong_kind_or_version_names_the_right_one() {
    insta::assert_snapshot!(
        [
            "apiVersion: apps/v1\nkind: Pod\n",
            "apiVersion: extensions/v1beta1\nkind: Deployment\n",
            "apiVersion: v1\nkind: pod\n",
            "apiVersion: apps/v1\nkind: Deploymnet\n",
            "apiVersion: v1\nkind: Frobnicator\n",
            "kind: Job\n",
            "apiVersion: v1\n",
            "apiVersion: v1\nkind: [Pod]\n",
            "services: {web: {image: web}}\n",
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClas\n",
            "just some text\n",
            "- apiVersion: v1\n",
        ]
        .map(errors)
        .join("\n"),
        @r#"
    pod.yaml:1:13: no matches for kind "Pod" in version "apps/v1"
        hint: Pod is `apiVersion: v1`
    pod.yaml:1:13: no matches for kind "Deployment" in version "extensions/v1beta1"
        hint: Deployment is `apiVersion: apps/v1`
    pod.yaml:2:7: no matches for kind "pod" in version "v1"
        hint: did you mean `Pod`?
    pod.yaml:2:7: no matches for kind "Deploymnet" in version "apps/v1"
        hint: did you mean `Deployment`?
    pod.yaml:2:7: no matches for kind "Frobnicator" in version "v1"
    pod.yaml:1:1: apiVersion: Required value
        hint: write `apiVersion: batch/v1`
    pod.yaml:1:1: kind: Required value
        hint: name what this is, such as `kind: Pod`
    pod.yaml:2:7: kind: expected a string, found a list
    pod.yaml:1:1: this is no Kubernetes object: it has neither `apiVersion` nor `kind`
    pod.yaml:2:7: no matches for kind "PriorityClas" in version "scheduling.k8s.io/v1"
        hint: did you mean `PriorityClass`?
    pod.yaml:1:1: a document must be an object with `apiVersion` and `kind`, found a string
    pod.yaml:1:1: a document must be an object with `apiVersion` and `kind`, found a list
    "#
    );
}

#[test]
fn settings_of_kustomize_are_told_from_an_object() {
    let refused = load(&[source("base/kustomization.yaml", "resources: [a.yaml]\n")]).unwrap_err();
    insta::assert_snapshot!(
        refused,
        @r"
    base/kustomization.yaml:1:1: this is no Kubernetes object: it has neither `apiVersion` nor `kind`
        hint: build it first with `kubectl kustomize`
    "
    );
}

#[test]
fn the_status_of_a_claim_and_the_type_of_its_template_are_not_read() {
    let manifest = manifest(
        "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
status: {phase: 3, x: []}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - {name: a, image: a, volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates:
  - apiVersion: ''
    metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
    status: {phase: 3}
",
    );
    let claims: Vec<_> = manifest
        .persistent_volume_claims
        .iter()
        .map(|claim| claim.metadata.name.as_deref().unwrap())
        .collect();
    assert_eq!(claims, ["disk", "data-db-0"]);
}

#[test]
fn a_source_without_objects_is_named() {
    for text in ["", "---\n", "# nothing\n", "---\n---\n"] {
        assert_eq!(errors(text), "pod.yaml: there is no object in it", "{text:?}");
    }
}

#[test]
fn two_objects_of_one_name_are_refused() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: a}]}\n";
    let refused = load(&[source("a.yaml", pod), source("b.yaml", pod)]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "b.yaml:1:1: Pod \"web\" in namespace \"default\" stands twice: first at a.yaml:1"
    );
    assert_eq!(refused.problems[0].kind, ProblemKind::DuplicateObject);
    let elsewhere = pod.replace("{name: web}", "{name: web, namespace: other}");
    assert!(load(&[source("a.yaml", pod), source("b.yaml", &elsewhere)]).is_ok());
}

#[test]
fn pods_of_namesakes_get_names_of_their_own() {
    let manifest = manifest(
        "apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: a, image: a}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: web}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
",
    );
    assert_eq!(names(&manifest), ["web", "web-job"]);
}

#[test]
fn a_generated_name_is_the_same_in_each_run() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {generateName: web-}\nspec: {containers: [{name: a, image: a}]}\n";
    let (first, second) = (manifest(text), manifest(text));
    assert_eq!(names(&first), names(&second));
    let name = names(&first)[0];
    assert!(name.starts_with("web-") && name.len() == 9, "{name}");
    let both = manifest(&format!("{text}---\n{text}"));
    assert_ne!(names(&both)[0], names(&both)[1]);
}

#[test]
fn workloads_and_what_pods_draw_on_get_generated_names_too() {
    let job = "apiVersion: batch/v1
kind: Job
metadata: {generateName: pi-}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
";
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: pi-}\n";
    let manifest = manifest(&[job, job, settings, settings].join("---\n"));
    let [first, second] = &manifest.pods[..] else { panic!("two Jobs") };
    assert_ne!(first.pod.metadata.name, second.pod.metadata.name);
    let name = first.pod.metadata.name.as_deref().unwrap();
    assert!(name.starts_with("pi-") && name.len() == 8, "{name}");
    assert_eq!(first.pod.metadata.labels.as_ref().unwrap()["job-name"], name);
    assert_eq!(first.origin, Origin::Workload { kind: WorkloadKind::Job, name: name.to_owned() });
    let name = manifest.config_maps[0].metadata.name.as_deref().unwrap();
    assert!(name.starts_with("pi-") && name.len() == 8, "{name}");
}

#[test]
fn what_a_cluster_printed_runs_here() {
    // As `kubectl get pod -o yaml` prints it: with what the API server and the scheduler put in.
    let manifest = manifest(
        "apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: \"2026-01-05T10:00:00Z\"
  generateName: web-5d4b-
  labels: {app: web, pod-template-hash: 5d4b}
  managedFields:
  - {apiVersion: v1, fieldsType: FieldsV1, manager: kubelet, operation: Update, subresource: status, time: \"2026-01-05T10:00:02Z\", fieldsV1: {f:status: {f:conditions: {.: {}}}}}
  name: web-5d4b-x7x2p
  namespace: default
  ownerReferences:
  - {apiVersion: apps/v1, blockOwnerDeletion: true, controller: true, kind: ReplicaSet, name: web-5d4b, uid: 7b7c}
  resourceVersion: \"123456\"
  uid: 0a1b
spec:
  containers:
  - image: web:1
    imagePullPolicy: IfNotPresent
    name: web
    resources: {}
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
    volumeMounts:
    - {mountPath: /data, name: data}
    - {mountPath: /var/run/secrets/kubernetes.io/serviceaccount, name: kube-api-access-abcde, readOnly: true}
  dnsPolicy: ClusterFirst
  enableServiceLinks: true
  nodeName: node-1
  preemptionPolicy: PreemptLowerPriority
  priority: 0
  restartPolicy: Always
  schedulerName: default-scheduler
  securityContext: {}
  serviceAccount: default
  serviceAccountName: default
  terminationGracePeriodSeconds: 30
  tolerations:
  - {effect: NoExecute, key: node.kubernetes.io/not-ready, operator: Exists, tolerationSeconds: 300}
  volumes:
  - {name: data, emptyDir: {}}
  - name: kube-api-access-abcde
    projected:
      defaultMode: 420
      sources:
      - serviceAccountToken: {expirationSeconds: 3607, path: token}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]}
status:
  conditions:
  - {lastProbeTime: null, lastTransitionTime: \"2026-01-05T10:00:02Z\", status: \"True\", type: Ready}
  containerStatuses:
  - {containerID: containerd://1, image: web:1, imageID: x, lastState: {}, name: web, ready: true, restartCount: 0, started: true, state: {running: {startedAt: \"2026-01-05T10:00:01Z\"}}}
  hostIP: 10.0.0.1
  phase: Running
  podIP: 10.1.0.7
  podIPs: [{ip: 10.1.0.7}]
  qosClass: BestEffort
  startTime: \"2026-01-05T10:00:00Z\"
",
    );
    let pod = &manifest.pods[0].pod;
    assert_eq!(pod.status, None);
    assert_eq!(pod.metadata.uid, None);
    let spec = pod.spec.as_ref().unwrap();
    assert_eq!(spec.volumes.as_ref().unwrap().len(), 1);
    assert_eq!(spec.containers[0].volume_mounts.as_ref().unwrap().len(), 1);
    insta::assert_snapshot!(notes(&manifest), @r"
    pod.yaml:1:1: the volume `kube-api-access-…` is left out: it was put in by an API server, and there is none here to be reached with its token
    pod.yaml:11:3: metadata.ownerReferences: accepted without effect: objects are not collected when their owner goes
    pod.yaml:28:3: spec.nodeName: accepted without effect: every Pod runs on this machine: nothing is scheduled
    pod.yaml:29:3: spec.preemptionPolicy: accepted without effect: no Pod is preempted for another
    pod.yaml:37:3: spec.tolerations: accepted without effect: every Pod runs on this machine: nothing is scheduled
    ");
}

#[test]
fn a_token_that_somebody_asked_for_is_refused() {
    insta::assert_snapshot!(
        errors(
            "apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: a, image: a, volumeMounts: [{name: t, mountPath: /t}]}]
  volumes:
  - name: t
    projected: {sources: [{serviceAccountToken: {path: token}}]}
",
        ),
        @"pod.yaml:8:28: spec.volumes[0].projected.sources[0].serviceAccountToken: not supported: there is no API server to issue a token"
    );
}
