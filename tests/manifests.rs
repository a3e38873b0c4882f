//! What manifests ask for beside an image: each field that is called honoured is true at run time.

use rustix::process::Signal;

use crate::harness::{Finished, World, guest};

/// The manifest of a Pod; `TOOLBOX` in it is the guest of many words.
fn manifest(text: &str) -> String {
    text.replace("TOOLBOX", &guest("toolbox"))
}

#[track_caller]
fn run(world: &World, text: &str) -> Finished {
    world.wasmpod(["run", &world.file("pod.yaml", manifest(text))]).finish()
}

/// Each of these is a whole line, `CONTAINER | TEXT`, however wide the names are set.
#[track_caller]
fn has_lines(result: &Finished, lines: &[&str]) {
    let printed: Vec<String> = result
        .stdout
        .lines()
        .filter_map(|line| line.split_once('|'))
        .map(|(name, text)| format!("{} | {}", name.trim_end(), text.trim()))
        .collect();
    for line in lines {
        assert!(printed.iter().any(|found| found == line), "no line `{line}`\n{result}");
    }
}

#[test]
fn the_environment_comes_from_everywhere() {
    let result = run(
        &World::new(),
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {MODE: fast, SHARED: from the map}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
data: {TOKEN: czNjcjN0}
stringData: {SHARED: from the secret}
---
apiVersion: v1
kind: Pod
metadata:
  name: surroundings
  labels: {tier: front}
  annotations: {note: kept}
spec:
  restartPolicy: Never
  containers:
  - name: app
    image: TOOLBOX
    args: [env]
    resources:
      limits: {cpu: 1500m, memory: 64Mi}
    envFrom:
    - {prefix: MAP_, configMapRef: {name: settings}}
    - configMapRef: {name: settings}
    - secretRef: {name: keys}
    - configMapRef: {name: absent, optional: true}
    env:
    - {name: ONE, value: one}
    - {name: TWO, value: "$(ONE) and $(MODE), but $$(ONE) and $(LATER)"}
    - {name: LATER, value: later}
    - {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: TOKEN}}}
    - {name: NONE, valueFrom: {configMapKeyRef: {name: settings, key: gone, optional: true}}}
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: TIER, valueFrom: {fieldRef: {fieldPath: "metadata.labels['tier']"}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
"#,
    );
    assert_eq!(result.code, 0, "{result}");
    has_lines(
        &result,
        &[
            "app | MODE=fast",
            "app | MAP_MODE=fast",
            "app | SHARED=from the secret",
            "app | MAP_SHARED=from the map",
            "app | TOKEN=s3cr3t",
            "app | KEY=s3cr3t",
            "app | TWO=one and fast, but $(ONE) and $(LATER)",
            "app | POD=surroundings",
            "app | TIER=front",
            "app | MEMORY=64",
            "app | CPU=2",
            "app | HOSTNAME=surroundings",
        ],
    );
    assert!(!result.stdout.contains("NONE="), "{result}");
}

#[test]
fn an_init_container_writes_the_environment_of_the_next() {
    let result = run(
        &World::new(),
        r#"
apiVersion: v1
kind: Pod
metadata: {name: written}
spec:
  restartPolicy: Never
  volumes: [{name: config, emptyDir: {}}]
  initContainers:
  - name: prepare
    image: TOOLBOX
    args: [write, /config/app.env, "GREETING='good day'"]
    volumeMounts: [{name: config, mountPath: /config}]
  containers:
  - name: app
    image: TOOLBOX
    args: [out, $(GREETING)]
    env:
    - name: GREETING
      valueFrom: {fileKeyRef: {volumeName: config, path: app.env, key: GREETING}}
"#,
    );
    assert_eq!(result.code, 0, "{result}");
    has_lines(&result, &["app | good day"]);
}

#[test]
fn one_projected_volume_shows_every_source() {
    let result = run(
        &World::new(),
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {motd: "from the map\n", hidden: not shown}
binaryData: {bytes: aGVsbG8K}
---
apiVersion: v1
kind: Secret
metadata: {name: keys}
stringData: {token: "from the secret\n"}
---
apiVersion: v1
kind: Pod
metadata: {name: sources, labels: {tier: front}}
spec:
  restartPolicy: Never
  volumes:
  - name: all
    projected:
      defaultMode: 0440
      sources:
      - configMap:
          name: settings
          items: [{key: motd, path: etc/motd}, {key: bytes, path: bytes, mode: 0400}]
      - secret: {name: keys}
      - downwardAPI:
          items:
          - {path: labels, fieldRef: {fieldPath: metadata.labels}}
          - path: memory
            resourceFieldRef: {containerName: list, resource: limits.memory, divisor: 1Mi}
  - name: whole
    configMap: {name: settings}
  initContainers:
  - name: motd
    image: TOOLBOX
    args: [read, /all/etc/motd]
    volumeMounts: &mounts [{name: all, mountPath: /all}, {name: whole, mountPath: /whole}]
  - {name: bytes, image: TOOLBOX, args: [read, /all/bytes], volumeMounts: *mounts}
  - {name: token, image: TOOLBOX, args: [read, /all/token], volumeMounts: *mounts}
  - {name: labels, image: TOOLBOX, args: [read, /all/labels], volumeMounts: *mounts}
  - {name: memory, image: TOOLBOX, args: [read, /all/memory], volumeMounts: *mounts}
  - {name: hidden, image: TOOLBOX, args: [read, /whole/hidden], volumeMounts: *mounts}
  containers:
  - name: list
    image: TOOLBOX
    args: [list, /all]
    resources: {limits: {memory: 32Mi}}
    volumeMounts: *mounts
"#,
    );
    assert_eq!(result.code, 0, "{result}");
    has_lines(
        &result,
        &[
            "motd | from the map",
            "bytes | hello",
            "token | from the secret",
            "labels | tier=\"front\"",
            "memory | 32",
            "hidden | not shown",
        ],
    );
    let listed = result.stdout.lines().filter(|line| line.starts_with("list "));
    assert!(listed.clone().count() >= 5, "{result}");
    assert!(!listed.into_iter().any(|line| line.contains("hidden")), "{result}");
}

#[test]
fn last_words_come_from_the_file_or_from_the_log() {
    let world = World::new();
    let file = world.file(
        "pod.yaml",
        manifest(
            r#"
apiVersion: v1
kind: Pod
metadata: {name: words}
spec:
  restartPolicy: Never
  containers:
  - name: file
    image: TOOLBOX
    args: [write, /dev/termination-log, said in the file]
    securityContext: {readOnlyRootFilesystem: true}
  - name: elsewhere
    image: TOOLBOX
    args: [write, /tmp/said/last, said elsewhere]
    terminationMessagePath: /tmp/said/last
  - name: log
    image: TOOLBOX
    args: [read, /no/such/file]
    terminationMessagePolicy: FallbackToLogsOnError
"#,
        ),
    );
    let result = world.wasmpod(["run", "-o", "json", &file]).finish();
    assert_eq!(result.code, 1, "{result}");
    for words in ["said in the file\\n", "said elsewhere\\n", "error: No such file or directory"] {
        assert!(result.stdout.contains(&format!("\"message\":\"{words}")), "`{words}`\n{result}");
    }
}

#[test]
fn a_read_only_root_takes_no_files() {
    let result = run(
        &World::new(),
        r#"
apiVersion: v1
kind: Pod
metadata: {name: sealed}
spec:
  restartPolicy: Never
  volumes: [{name: scratch, emptyDir: {}}]
  initContainers:
  - name: scratch
    image: TOOLBOX
    args: [write, /scratch/file, x]
    securityContext: {readOnlyRootFilesystem: true}
    volumeMounts: [{name: scratch, mountPath: /scratch}]
  containers:
  - name: app
    image: TOOLBOX
    args: [write, /tmp/file, x]
    securityContext: {readOnlyRootFilesystem: true}
"#,
    );
    assert_eq!(result.code, 1, "{result}");
    assert!(result.stderr.contains("| error: Operation not permitted"), "{result}");
}

#[test]
fn a_pod_past_its_deadline_fails() {
    let result = run(
        &World::new(),
        r#"
apiVersion: v1
kind: Pod
metadata: {name: late}
spec:
  activeDeadlineSeconds: 1
  terminationGracePeriodSeconds: 1
  containers: [{name: app, image: TOOLBOX, args: [idle]}]
"#,
    );
    assert_ne!(result.code, 0, "{result}");
    assert!(result.stderr.contains("DeadlineExceeded"), "{result}");
}

#[test]
fn the_names_of_the_pod_are_in_its_hosts_file() {
    let result = run(
        &World::new(),
        r#"
apiVersion: v1
kind: Pod
metadata: {name: web-0}
spec:
  restartPolicy: Never
  hostname: front
  subdomain: web
  hostAliases: [{ip: 10.9.8.7, hostnames: [db.local, db]}]
  initContainers:
  - {name: hosts, image: TOOLBOX, args: [read, /etc/hosts]}
  - {name: alias, image: TOOLBOX, args: [resolve, db.local]}
  containers:
  - {name: hostname, image: TOOLBOX, args: [read, /etc/hostname]}
"#,
    );
    assert_eq!(result.code, 0, "{result}");
    assert!(result.stdout.contains("front.web.default.svc.cluster.local\tfront"), "{result}");
    assert!(result.stdout.contains("10.9.8.7\tdb.local\tdb"), "{result}");
    has_lines(&result, &["alias | 10.9.8.7", "hostname | front"]);
}

#[test]
fn a_claim_keeps_its_files_from_run_to_run() {
    let world = World::new();
    let pod = |arguments: &str| {
        format!(
            r#"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: keeper}}
spec:
  restartPolicy: Never
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
  containers:
  - name: app
    image: TOOLBOX
    args: {arguments}
    volumeMounts: [{{name: data, mountPath: /data, subPath: inner}}]
"#
        )
    };
    for (arguments, line) in
        [("[write, /data/file, kept]", None), ("[read, /data/file]", Some("app | kept"))]
    {
        let result = run(&world, &pod(arguments));
        assert_eq!(result.code, 0, "{result}");
        has_lines(&result, line.as_slice());
    }
}

/// The sidecar fails once, which restarts all, the init container included.
#[test]
fn a_sidecar_can_restart_the_whole_pod() {
    let world = World::new();
    let file = world.file(
        "pod.yaml",
        manifest(
            r#"
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  volumes: [{name: count, emptyDir: {}}]
  initContainers:
  - {name: prepare, image: TOOLBOX, args: [out, prepared]}
  - name: watcher
    image: TOOLBOX
    args: [fail-until, /count/file, "2"]
    volumeMounts: [{name: count, mountPath: /count}]
    restartPolicy: Always
    restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [1]}}]
  containers:
  - {name: app, image: TOOLBOX, args: [idle]}
"#,
        ),
    );
    let pod = world.wasmpod(["run", "--verbose", &file]).start();
    pod.wait_for_line(&["watcher", "run 2 succeeds"]);
    pod.signal(Signal::INT);
    let result = pod.finish();
    assert_eq!(result.code, 130, "{result}");
    assert_eq!(result.stdout.matches("prepared").count(), 2, "{result}");
}
