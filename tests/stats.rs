//! `wasmpod stats`: what Pods use, as others see it.

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{PodText, Running, World, eventually, guest, guest_of_0_1};

const MIB: u64 = 1 << 20;

/// The figures of one Pod.
struct Figures(Value);

impl Figures {
    /// The figure `group.name` of `container`; 0 where it is not there.
    fn of(&self, container: &str, group: &str, name: &str) -> u64 {
        let containers = self.0["containers"].as_array().expect("a list");
        let mut found = containers.iter().filter(|figures| figures["name"] == container);
        found.next().map_or(0, |figures| number(&figures[group][name]))
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// One reading of the Pod `name`; none before it can be asked.
fn read(world: &World, name: &str) -> Option<Figures> {
    let told = world.wasmpod(["stats", "--no-stream", "-o", "json", name]).finish();
    if told.code != 0 {
        assert!(told.stderr.contains(&format!("pods {name:?} not found")), "{told}");
        return None;
    }
    let line = told.stdout.lines().next()?;
    Some(Figures(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}\n{told}"))))
}

/// Waits for figures for which `holds`.
#[track_caller]
fn wait_for(world: &World, name: &str, what: &str, holds: impl Fn(&Figures) -> bool) -> Figures {
    eventually(what, || read(world, name).filter(&holds))
}

fn stop(pod: Running) {
    pod.signal(Signal::INT);
    assert_eq!(pod.finish().code, 130);
}

#[test]
fn each_container_has_figures_of_its_own() {
    let world = World::new();
    let pod = PodText::new("busy")
        .spec("volumes: [{name: data, emptyDir: {}}]")
        .container("echo", &guest("toolbox"), &["tcp-echo", "0.0.0.0:7000"])
        .container("client", &guest("toolbox"), &["tcp-send", "127.0.0.1:7000", "hello"])
        .container("udp", &guest("toolbox"), &["udp-echo", "0.0.0.0:7001"])
        .container("old-disk", &guest_of_0_1("toolbox"), &["fill", "/data/old", "2"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .container("disk", &guest("toolbox"), &["fill", "/data/new", "3"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .container("reader", &guest("toolbox"), &["await", "/data/new"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .container("memory", &guest("toolbox"), &["hold", "8"])
        .with("resources: {limits: {memory: 64Mi}}")
        .container("spin", &guest("toolbox"), &["spin"])
        .with("resources: {limits: {cpu: 100m}}")
        .write(&world);
    let pod = world.wasmpod(["run", &pod]).discard_stdout().start();

    let figures = wait_for(&world, "busy", "all that the containers do", |figures| {
        figures.of("client", "network", "rxBytes") == 5
            && figures.of("old-disk", "fs", "writtenBytes") == 2 * MIB
            && figures.of("disk", "fs", "writtenBytes") == 3 * MIB
            && figures.of("reader", "fs", "readBytes") > 0
            && figures.of("memory", "memory", "workingSetBytes") > 8 * MIB
            && number(&figures.0["containers"][7]["cpu"]["throttling"]["throttledPeriods"]) > 0
    });
    for (container, counter, expected) in [
        ("echo", "rxBytes", 5),
        ("echo", "txBytes", 5),
        ("echo", "acceptedConnections", 1),
        ("client", "txBytes", 5),
        ("client", "openedConnections", 1),
        ("udp", "rxBytes", 0),
        ("disk", "rxBytes", 0),
    ] {
        assert_eq!(figures.of(container, "network", counter), expected, "{container} {counter}");
    }
    assert_eq!(figures.of("echo", "fs", "writtenBytes"), 0);
    assert_eq!(figures.of("memory", "memory", "limitBytes"), 64 * MIB);
    assert!(figures.of("memory", "memory", "maxUsageBytes") > 8 * MIB);
    assert_eq!(figures.of("spin", "cpu", "limitMilliCores"), 100);
    let all = number(&figures.0["cpu"]["usageCoreNanoSeconds"]);
    let spinner = figures.of("spin", "cpu", "usageCoreNanoSeconds");
    assert!(spinner > 0 && all >= spinner);
    assert!(number(&figures.0["process"]["rssBytes"]) > 8 * MIB, "{}", figures.0);
    assert!(number(&figures.0["process"]["usageCoreNanoSeconds"]) >= spinner);
    assert_eq!(number(&figures.0["fs"]["writtenBytes"]), 5 * MIB);
    stop(pod);
}

#[test]
fn figures_go_on_when_a_container_starts_again() {
    let world = World::new();
    let pod = PodText::new("again")
        .restart_policy("OnFailure")
        .spec("volumes: [{name: data, emptyDir: {}}]")
        .container("fails", &guest("toolbox"), &["fail-until", "/data/count", "2"])
        .with("volumeMounts: [{name: data, mountPath: /data}]")
        .container("stays", &guest("toolbox"), &["idle"])
        .write(&world);
    let pod = world.wasmpod(["run", &pod]).discard_stdout().start();
    // A digit in each of its two runs.
    let figures = wait_for(&world, "again", "the end of the second run", |figures| {
        figures.of("fails", "fs", "writtenBytes") == 2
    });
    assert_eq!(figures.of("fails", "fs", "readBytes"), 1);
    let restarts = number(&figures.0["containers"][0]["restartCount"]);
    assert_eq!(restarts, 1, "{}", figures.0);
    stop(pod);
}

#[test]
fn a_pipe_gets_one_table_and_no_terminal_codes() {
    let world = World::new();
    let web = world.pod("web", &[("main", &guest("kuard"))]);
    let pod = world.wasmpod(["run", &web]).discard_stdout().start();
    wait_for(&world, "web", "the Pod", |_| true);
    let told = world.wasmpod(["stats"]).finish();
    assert_eq!(told.code, 0, "{told}");
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].starts_with("POD   CONTAINER   CPU"), "{told}");
    assert!(lines[1].starts_with("web   main "), "{told}");
    assert!(!told.stdout.contains('\x1b'), "{told}");

    let all = world.wasmpod(["stats", "-A", "--no-stream"]).finish();
    assert!(all.stdout.lines().nth(1).is_some_and(|line| line.starts_with("default ")), "{all}");
    let elsewhere = world.wasmpod(["stats", "-n", "elsewhere"]).finish();
    assert_eq!((elsewhere.code, elsewhere.stdout.lines().count()), (0, 1), "{elsewhere}");
    stop(pod);
}

#[test]
fn json_goes_on_line_by_line_until_the_pod_is_over() {
    let world = World::new();
    let web = world.pod("web", &[("main", &guest("kuard"))]);
    let pod = world.wasmpod(["run", &web]).discard_stdout().start();
    wait_for(&world, "web", "the Pod", |_| true);
    let stats = world.wasmpod(["stats", "web", "-o", "json"]).start();
    stats.wait_until("two readings", |stdout, _| stdout.lines().count() >= 2);
    stop(pod);
    let told = stats.finish();
    assert_eq!(told.code, 0, "{told}");
    let mut lines = told.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert!(lines.all(|line| line["podRef"]["name"] == "web"), "{told}");
}

#[test]
fn a_pod_that_is_not_there_is_an_error() {
    let world = World::new();
    let told = world.wasmpod(["stats", "nobody"]).finish();
    assert_eq!(told.code, 125, "{told}");
    assert!(told.stderr.contains("pods \"nobody\" not found"), "{told}");
}
