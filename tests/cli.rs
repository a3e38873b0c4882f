//! The command line itself: what it checks, prints and refuses without running anything.

use insta::assert_snapshot;

use crate::harness::World;

const WRONG: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: a
    imagee: x
    ports:
    - containerPort: 99999
  restartPolicy: always
";

#[test]
fn validate_tells_all_that_is_wrong_at_once() {
    let world = World::new();
    world.file("pod.yaml", WRONG);
    let result = world.wasmpod(["validate", "pod.yaml"]).finish();
    assert_eq!(result.code, 125);
    assert_eq!(result.stdout, "");
    assert_snapshot!(result.stderr, @r#"
    error: pod.yaml:8:5: unknown field "spec.containers[0].imagee"
      hint: did you mean `image`?
    error: pod.yaml:10:22: spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive
    error: pod.yaml:11:18: spec.restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure"
      hint: did you mean "Always"?
    3 errors
    "#);
}

#[test]
fn validate_names_what_is_fine() {
    let world = World::new();
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n---\n\
                    apiVersion: v1\nkind: Service\nmetadata: {name: web}\n\
                    spec: {selector: {app: web}, ports: [{port: 80}]}\n---\n\
                    apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n\
                    spec: {containers: [{name: a, image: a.wasm}]}\n";
    let result = world.wasmpod(["validate", "-"]).input(manifest).finish();
    assert_eq!(result.code, 0, "{result}");
    assert_snapshot!(result.stdout, @r"
    pod/web valid
    service/web valid
    configmap/settings valid
    ");
}

#[test]
fn validate_speaks_json_to_programs() {
    let world = World::new();
    world.file("pod.yaml", WRONG);
    let result = world.wasmpod(["validate", "-f", "pod.yaml", "-o", "json"]).finish();
    assert_eq!(result.code, 125);
    let problems: Vec<serde_json::Value> =
        result.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(problems.len(), 3, "{result}");
    assert_eq!(problems[0]["line"], 8);
    assert_eq!(problems[0]["path"], "spec.containers[0].imagee");
    assert_eq!(problems[0]["hint"], "did you mean `image`?");
}

#[test]
fn run_without_a_manifest_shows_one() {
    let result = World::new().wasmpod(["run"]).finish();
    assert_eq!(result.code, 125);
    assert!(result.stderr.contains("kind: Pod"), "{result}");
    assert!(result.stderr.contains("wasmpod run pod.yaml"), "{result}");
}

#[test]
fn a_dry_run_prints_the_manifest_that_kubectl_would() {
    let words = "run web --image=./web.wasm --port 8080 --env A=yes -l app=web,tier=x \
                 --dry-run=client -o yaml -- -v 0400";
    let result = World::new().wasmpod(words.split_whitespace()).finish();
    assert_eq!(result.code, 0, "{result}");
    assert_snapshot!(result.stdout, @r#"
    apiVersion: v1
    kind: Pod
    metadata:
      labels:
        app: web
        tier: x
      name: web
    spec:
      containers:
      - args:
        - -v
        - "0400"
        env:
        - name: A
          value: "yes"
        image: ./web.wasm
        name: web
        ports:
        - containerPort: 8080
        resources: {}
      dnsPolicy: ClusterFirst
      restartPolicy: Always
    status: {}
    "#);
}

#[test]
fn what_a_dry_run_prints_can_be_run() {
    let world = World::new();
    let typed = "run web --image=./web.wasm --dry-run=client -o yaml -- ~ on 1e3 0x1f";
    let printed = world.wasmpod(typed.split_whitespace()).finish();
    let again = world
        .wasmpod("run - --dry-run=client -o json".split_whitespace())
        .input(printed.stdout.clone())
        .finish();
    let pod: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    let args = &pod["spec"]["containers"][0]["args"];
    assert_eq!(*args, serde_json::json!(["~", "on", "1e3", "0x1f"]), "{printed}");
}

#[test]
fn mistakes_on_the_command_line_are_our_own_errors() {
    let world = World::new();
    for (words, part) in [
        ("run missing.yaml", "missing.yaml: cannot be read: no such file or folder"),
        ("run web --image=a --env A", "--env A: expected NAME=VALUE"),
        ("run web --image=a.wasm --publish x", "--publish x: not a pair of ports"),
        ("run web --image=a --image-map x", "--image-map x: expected NAME=PATH"),
        ("run ./nothere.wasm", "./nothere.wasm: No such file or directory"),
        ("run web --image=a.wasm --allow-net a/b", "`a/b` is no network rule"),
        ("run pod.yaml --env A=b", "`--env` is for a Pod without a manifest"),
        ("run pod.yaml -- word", "what follows `--` is for a Pod without a manifest"),
        ("run a.wasm -f pod.yaml", "a program and `--filename` exclude each other"),
        ("run --nonsense", "unexpected argument '--nonsense'"),
        ("validate", "no manifest is named"),
    ] {
        let result = world.wasmpod(words.split_whitespace()).finish();
        assert_eq!(result.code, 125, "{words}: {result}");
        assert!(result.stderr.contains(part), "{words}: {result}");
    }
}

#[test]
fn every_shell_gets_its_completion() {
    for (shell, part) in [
        ("bash", "complete -F _wasmpod wasmpod"),
        ("zsh", "#compdef wasmpod"),
        ("fish", "complete --command wasmpod"),
        ("elvish", "validate"),
        ("powershell", "validate"),
    ] {
        let result = World::new().wasmpod(["completion", shell]).finish();
        assert_eq!(result.code, 0, "{result}");
        assert!(result.stdout.contains(part), "{shell}: {result}");
    }
}

#[test]
fn a_field_is_explained_as_kubectl_explains_it() {
    let world = World::new();
    let page = world.does(["explain", "pod.spec.containers.livenessProbe"]);
    assert!(
        page.starts_with(
            "KIND:       Pod\nVERSION:    v1\n\nFIELD: livenessProbe <Probe>\nSUPPORT: honoured\n\n\
         DESCRIPTION:\n    Periodic probe of container liveness."
        ),
        "{page}"
    );
    assert!(
        page.contains("\n  periodSeconds\t<integer>\thonoured\n    How often (in seconds)"),
        "{page}"
    );
    let tree = world.does(["explain", "deployment.spec", "--recursive"]);
    assert!(tree.starts_with("GROUP:      apps\nKIND:       Deployment\n"), "{tree}");
    assert!(tree.contains("\n      containers\t<[]Container> -required-\thonoured\n"), "{tree}");
    let told = world.wasmpod(["explain", "pod.spec.contaners"]).finish();
    assert!(told.code == 125 && told.stderr.contains("pod.spec.containers"), "{told}");
}

#[test]
fn version_tells_of_all_that_has_one() {
    let world = World::new();
    let own = env!("CARGO_PKG_VERSION");
    let text = world.does(["version"]);
    assert!(text.starts_with(&format!("Client Version: v{own}")), "{text}");
    assert!(text.contains("\nKubernetes API Version: v1.37\nWasmtime Version: v48."), "{text}");
    let json = world.does(["version", "--client", "--output=json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["clientVersion"]["gitVersion"], format!("v{own}"));
    assert_eq!(json["kubernetesVersion"]["minor"], "37");
    let yaml = world.does(["version", "--client=true", "-o", "yaml"]);
    assert!(yaml.contains("kubernetesVersion:\n  major: \"1\"\n"), "{yaml}");
}
