//! Completion at a real bash, zsh and fish: what somebody types, and what the shell makes of it at a Tab.

use std::process::Command;

use crate::harness::{PodText, Running, World, guest};

/// How a shell is started, and given the completion.
struct Shell {
    name: &'static str,
    start: &'static str,
    /// Typed first; `source` reads what a child writes.
    setup: &'static str,
}

const BASH: Shell = Shell {
    name: "bash",
    start: "bash --norc --noprofile -i",
    setup: "PS1='$ '; stty columns 200; source <(wasmpod completion bash)",
};
const ZSH: Shell = Shell {
    name: "zsh",
    start: "zsh -f -i",
    setup: "PS1='$ '; stty columns 200; autoload -Uz compinit; compinit -u -D; source <(wasmpod completion zsh)",
};
const FISH: Shell = Shell {
    name: "fish",
    start: "fish --no-config -i",
    setup: "stty columns 200; wasmpod completion fish | source",
};

/// Somebody at the shell, if this machine has it.
fn at(world: &World, shell: &Shell) -> Option<Running> {
    let is_there = Command::new(shell.name).arg("--version").output().is_ok();
    let has_terminal = Command::new("script").arg("--version").output().is_ok();
    if !is_there || !has_terminal {
        eprintln!("skipped: this machine has no {} (or no `script`)", shell.name);
        return None;
    }
    let mut typing = world.shell(shell.start).start();
    // The words are split so that they are not found in what the terminal echoes.
    typing.type_in(&format!("{}; echo re''ady\r", shell.setup));
    typing.wait_for("ready");
    Some(typing)
}

/// Types `line`, in which a Tab completes, and has the shell print the words that it is then.
#[track_caller]
fn completed(typing: &mut Running, line: &str, expected: &[&str]) {
    let printed: String = expected.iter().map(|word| format!("[{word}]\r\n")).collect();
    // Ctrl-A goes to the front of the line.
    typing.type_in(&format!("{line}\x01printf '[%s]\\n' \r"));
    typing.wait_until(&format!("{line:?} as {expected:?}"), |stdout, _| {
        stdout.contains(&format!("[wasmpod]\r\n{printed}"))
    });
}

fn is_completed_at(shell: &Shell) {
    let world = World::new();
    let toolbox = guest("toolbox");
    let pod = PodText::new("web-server")
        .container("app", &toolbox, &["idle"])
        .with("ports: [{name: http, containerPort: 8080}]")
        .container("proxy", &toolbox, &["idle"]);
    let file = pod.write(&world);
    world.does(["apply", "-f", &file]);
    // Or `cp web` would mean this file as well.
    std::fs::remove_file(file).expect("it is there");
    let settings =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: staging}\n";
    world.does(["apply", "-f", &world.file("settings.yaml", settings)]);
    world.does(["image", "pack", &guest("toolbox"), "-t", "localhost:5000/tools:1.0"]);
    let Some(mut typing) = at(&world, shell) else { return };
    for (line, expected) in [
        ("wasmpod descr\tpo\tweb\t", vec!["describe", "pods", "web-server"]),
        ("wasmpod logs we\t", vec!["logs", "web-server"]),
        ("wasmpod logs web-server -c pro\t", vec!["logs", "web-server", "-c", "proxy"]),
        ("wasmpod exec web-s\t--container=pro\t", vec!["exec", "web-server", "--container=proxy"]),
        ("wasmpod get pod/w\t", vec!["get", "pod/web-server"]),
        ("wasmpod get pods,confi\t", vec!["get", "pods,configmaps"]),
        (
            "wasmpod get -n sta\tconfigmap se\t",
            vec!["get", "-n", "staging", "configmap", "settings"],
        ),
        ("wasmpod get --namespace=sta\t", vec!["get", "--namespace=staging"]),
        ("wasmpod port-forward web\t8080:ht\t", vec!["port-forward", "web-server", "8080:http"]),
        ("wasmpod cp web\t/data", vec!["cp", "web-server:/data"]),
        (
            "wasmpod apply -f settings.y\t--dry-\t",
            vec!["apply", "-f", "settings.yaml", "--dry-run"],
        ),
        ("wasmpod explain pod.spec.hostNet\t", vec!["explain", "pod.spec.hostNetwork"]),
        ("wasmpod rmi localhost:5000/to\t", vec!["rmi", "localhost:5000/tools:1.0"]),
        ("wasmpod logs nobody\t", vec!["logs", "nobody"]),
    ] {
        completed(&mut typing, line, &expected);
    }
    typing.type_in("exit\r");
    typing.finish();
}

#[test]
fn bash_completes_names() {
    is_completed_at(&BASH);
}

#[test]
fn zsh_completes_names() {
    is_completed_at(&ZSH);
}

#[test]
fn fish_completes_names() {
    is_completed_at(&FISH);
}

/// What a shell asks for at a Tab.
fn candidates(world: &World, words: &[&str]) -> Vec<String> {
    let asked = ["__complete", "--", "wasmpod"].into_iter().chain(words.iter().copied());
    let told = world.wasmpod(asked).finish();
    assert_eq!((told.code, told.stderr.as_str()), (0, ""), "{told}");
    let values = told.stdout.lines().map(|line| line.split('\t').next().unwrap_or_default());
    values.map(str::to_owned).collect()
}

#[test]
fn completion_makes_nothing_mends_nothing_and_never_fails_aloud() {
    let world = World::new();
    assert!(candidates(&world, &["get", "pods", ""]).is_empty());
    assert!(!world.root().exists(), "nothing was made");

    world.file("state/objects/objects.db", "this is no database, and long enough to be looked at");
    world.file("state/objects/objects.notify", "");
    assert!(candidates(&world, &["get", "pods", ""]).is_empty());
    let left = std::fs::read_dir(world.root().join("objects")).expect("it is there").count();
    assert_eq!(left, 2, "no copy of the damaged file");
    candidates(&world, &["nonsense", "--what", "'"]);
    let verbs = candidates(&world, &[""]);
    assert!(verbs.iter().any(|verb| verb == "describe"), "{verbs:?}");
    assert!(!verbs.iter().any(|verb| verb.starts_with(['-', '_'])), "{verbs:?}");
    assert!(candidates(&world, &["get", "--no-h"]).contains(&"--no-headers".to_owned()));
}
