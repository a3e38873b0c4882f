//! Real guests on virtual time: an hour in a moment, and each run the same.

use std::num::NonZeroU64;
use std::thread;
use std::time::{Duration, SystemTime};

use super::lives::{Life, assert_same, builder, paused, text_image};
use crate::image::digest::short;
use crate::pod::{PodError, PublishedPort, VirtualTime};

/// Slow processors, so that tests of guests that compute are fast.
fn slow(seed: u64) -> VirtualTime {
    VirtualTime::new(seed).instructions_per_millisecond(NonZeroU64::new(10_000).unwrap())
}

/// How often a life is repeated.
const RUNS: usize = 20;
/// Those of an hour: without optimisation it takes seconds.
const HOURS: usize = if cfg!(debug_assertions) { 4 } else { RUNS };

#[track_caller]
fn the_same_each_time(spec: &str, time: VirtualTime, runs: usize) -> Life {
    let first = Life::of(spec, time);
    let mut took = vec![first.took];
    // Beside each other, so that the machine is not the same for all.
    thread::scope(|scope| {
        let beside = |run| scope.spawn(move || (run, Life::of(spec, time)));
        let others: Vec<_> = (1..=runs / 2).map(beside).collect();
        for other in others {
            let (run, other) = other.join().unwrap();
            assert_same(&first, &other, format_args!("run {run}"));
        }
    });
    for run in runs / 2 + 1..runs {
        let again = Life::of(spec, time);
        assert_same(&first, &again, format_args!("run {run}"));
        took.push(again.took);
    }
    took.sort();
    let (trace, median) = (short(&first.trace), took[took.len() / 2]);
    println!("{runs} runs, one trace ({trace:x}), median {median:?} of real time");
    first
}

const HOUR: &str = "
  activeDeadlineSeconds: 3600
  terminationGracePeriodSeconds: 2
  containers:
  - name: server
    image: '{guest:toolbox}'
    args: [http-serve, '0.0.0.0:8080', 'well']
    ports: [{containerPort: 8080}]
    livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
  - name: client
    image: '{guest:toolbox}'
    args: [http-get, 'http://localhost:8080/', '100000']
";

#[test]
fn an_hour_of_two_containers_and_their_probes_is_the_same_each_time() {
    let life = the_same_each_time(HOUR, VirtualTime::new(7), HOURS);
    // Once a second, each a status line and a body, until the deadline.
    let answers = life.lines("client > well").len();
    assert!((3590..3600).contains(&answers), "{answers}");
    assert_eq!(life.container("server").restart_count, 0);
    assert_eq!(life.finished.status.reason.as_deref(), Some("DeadlineExceeded"));
    assert_eq!(
        life.finished.status.start_time.as_ref().unwrap().0.to_string(),
        "2026-01-01T00:00:00Z"
    );
}

#[test]
fn another_seed_is_another_life() {
    let spec = "
  restartPolicy: Never
  containers: [{name: chance, image: '{guest:toolbox}', args: [chance]}]";
    let (one, other) = (Life::of(spec, VirtualTime::new(1)), Life::of(spec, VirtualTime::new(2)));
    assert_ne!(one.output(), other.output());
    let ids = |life: &Life| life.container("chance").container_id.unwrap();
    assert_ne!(ids(&one), ids(&other));
    assert_ne!(one.finished.status.pod_ip, other.finished.status.pod_ip);
}

#[test]
fn chance_repeats_for_one_seed_and_differs_from_run_to_run() {
    for guest in ["toolbox", "p1/toolbox"] {
        let spec = format!(
            "
  activeDeadlineSeconds: 15
  containers: [{{name: chance, image: '{{guest:{guest}}}', args: [chance]}}]"
        );
        let life = Life::of(&spec, VirtualTime::new(3));
        let output = life.output();
        assert_eq!(output.len(), 3, "{output:?}");
        assert!(output[0] != output[1] && output[1] != output[2], "{output:?}");
        assert_same(&life, &Life::of(&spec, VirtualTime::new(3)), guest);
    }
}

const TIRED: &str = "
  activeDeadlineSeconds: 60
  terminationGracePeriodSeconds: 2
  containers:
  - name: web
    image: '{guest:toolbox}'
    args: [http-tire, '0.0.0.0:8080', '5']
    livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, failureThreshold: 3}
";

#[test]
fn a_guest_that_computes_misses_its_probe_and_is_restarted() {
    let life = the_same_each_time(TIRED, slow(7), RUNS);
    let times = |text: &str| -> Vec<String> {
        let lines = life.lines(text).into_iter();
        lines.map(|line| line.split_once(' ').unwrap().0.to_owned()).collect()
    };
    insta::assert_snapshot!(format!(
        "tired {:?}\nunhealthy {:?}\nrestarted {:?}",
        times("web > tired"),
        times("Warning Unhealthy"),
        times("failed liveness probe, will be restarted"),
    ), @r#"
    tired ["6s", "17s", "38s"]
    unhealthy ["7s", "8s", "9s", "18s", "19s", "20s", "39s", "40s", "41s"]
    restarted ["9s", "20s", "41s"]
    "#);
}

#[test]
fn a_sleep_takes_its_hour_on_both_clocks() {
    for guest in ["toolbox", "p1/toolbox"] {
        let spec = format!(
            "
  restartPolicy: Never
  containers: [{{name: sleeper, image: '{{guest:{guest}}}', args: [clocks, '3600']}}]"
        );
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let life = Life::of(&spec, VirtualTime::new(1).starting_at(begin));
        assert_eq!(life.output(), ["1000000000 s", "3600s and 3600s later"], "{guest}");
    }
    let life = Life::of(
        "
  restartPolicy: Never
  containers: [{name: sleeper, image: '{guest:toolbox_p3}', args: [sleep, '3600']}]",
        VirtualTime::new(1),
    );
    assert!(life.lines("sleeper > slept")[0].starts_with("3600s "), "{}", life.trace);
}

#[test]
fn a_module_from_before_the_first_snapshot_sleeps_too() {
    // A relative monotonic clock of an hour; then whether there was one event, as the exit code.
    let text = r#"(module
        (import "wasi_unstable" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i64.store (i32.const 0) (i64.const 42))
            (i32.store (i32.const 24) (i32.const 1))
            (i64.store (i32.const 32) (i64.const 3600000000000))
            (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
            (if (i64.eq (i64.load (i32.const 64)) (i64.const 42))
                (then (call $exit (i32.add (i32.const 10) (i32.load (i32.const 128))))))))"#;
    let spec = format!(
        "
  restartPolicy: Never
  containers: [{{name: old, image: '{}'}}]",
        text_image("old", text)
    );
    let life = Life::of(&spec, VirtualTime::new(1));
    let ended = life.container("old").state.unwrap().terminated.unwrap();
    assert_eq!(ended.exit_code, 11);
    let ran = ended.finished_at.unwrap().0.duration_since(ended.started_at.unwrap().0);
    assert_eq!(ran.as_secs(), 3600);
}

#[test]
fn a_call_for_the_stop_that_never_returns_ends_with_the_grace() {
    let reactor = r#"(module
        (func (export "wasmpod:lifecycle/stoppable#stop") (param i64) (loop $l (br $l))))"#;
    // Its `run` waits for nothing at all.
    let command = r#"(component
        (import "wasmpod:lifecycle/stop@0.3.0" (instance $stop
            (type $record (record (field "signal" string) (field "grace" u64)))
            (export "stop-request" (type (eq $record)))))
        (alias export $stop "stop-request" (type $request))
        (core func $set (canon waitable-set.new))
        (core module $m
            (import "" "set" (func $set (result i32)))
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 256)
            (func (export "run") (result i32)
                (i32.or (i32.const 2) (i32.shl (call $set) (i32.const 4))))
            (func (export "woken") (param i32 i32 i32) (result i32) unreachable)
            (func (export "stop") (param i32 i32 i64) (loop $l (br $l))))
        (core instance $i (instantiate $m (with "" (instance (export "set" (func $set))))))
        (func $run async (result (result))
            (canon lift (core func $i "run") async (callback (func $i "woken"))))
        (func $stop-me (param "request" $request) (canon lift (core func $i "stop")
            (memory $i "memory") (realloc (func $i "realloc"))))
        (instance $entry (export "run" (func $run)))
        (export "wasi:cli/run@0.3.0" (instance $entry))
        (instance $stoppable (export "stop" (func $stop-me)))
        (export "wasmpod:lifecycle/stoppable@0.3.0" (instance $stoppable)))"#;
    for (name, text) in [("deaf-reactor", reactor), ("deaf-command", command)] {
        let spec = format!(
            "
  restartPolicy: Never
  activeDeadlineSeconds: 10
  terminationGracePeriodSeconds: 3
  containers: [{{name: deaf, image: '{}'}}]",
            text_image(name, text)
        );
        let life = Life::of(&spec, slow(1));
        let ended = life.container("deaf").state.unwrap().terminated.unwrap();
        assert_eq!(ended.exit_code, 137, "{name}: {ended:?}");
        let ran = ended.finished_at.unwrap().0.duration_since(ended.started_at.unwrap().0);
        assert_eq!(ran.as_secs(), 13, "{name}");
    }
}

/// A loop of so many rounds of eight instructions.
fn computes(name: &str, rounds: u64) -> String {
    text_image(
        name,
        &format!(
            r#"(module (func (export "_start") (local $left i64)
        (local.set $left (i64.const {rounds}))
        (loop $round
            (local.set $left (i64.sub (local.get $left) (i64.const 1)))
            (br_if $round (i64.ne (local.get $left) (i64.const 0))))))"#
        ),
    )
}

#[test]
fn computing_takes_time_and_more_of_it_below_a_limit() {
    let image = computes("computes", 12_600_000);
    let seconds = |limits: &str| {
        let spec = format!(
            "
  restartPolicy: Never
  containers: [{{name: busy, image: '{image}', resources: {{limits: {limits}}}}}]"
        );
        let life = Life::of(&spec, slow(1));
        let ended = life.container("busy").state.unwrap().terminated.unwrap();
        ended.finished_at.unwrap().0.duration_since(ended.started_at.unwrap().0).as_secs()
    };
    let whole = seconds("{}");
    assert_eq!(whole, 10, "to give way is free");
    assert_eq!(seconds("{cpu: 2}"), whole);
    let half = seconds("{cpu: 500m}");
    assert!(half.abs_diff(2 * whole) <= 1, "{half} s for {whole} s");
}

const FILES: &str = "
  restartPolicy: OnFailure
  volumes: [{name: work, emptyDir: {}}]
  containers:
  - name: writer
    image: '{guest:toolbox}'
    args: [append-often, /work/lines, '200']
    volumeMounts: [{name: work, mountPath: /work}]
  - name: old-writer
    image: '{guest:p1/toolbox}'
    args: [append-often, /work/lines, '200']
    volumeMounts: [{name: work, mountPath: /work}]
  - name: reader
    image: '{guest:toolbox}'
    args: [await, /work/end]
    volumeMounts: [{name: work, mountPath: /work}]
  - name: again
    image: '{guest:p1/toolbox}'
    args: [fail-until, /work/end, '4']
    volumeMounts: [{name: work, mountPath: /work}]
  - name: big
    image: '{guest:toolbox}'
    args: [fill, /work/big, '3']
    volumeMounts: [{name: work, mountPath: /work}]
  - name: newest
    image: '{guest:toolbox_p3}'
    args: [write, /work/newest, text]
    volumeMounts: [{name: work, mountPath: /work}]
  - name: lister
    image: '{guest:toolbox_p3}'
    args: [list, /etc]
  - name: shower
    image: '{guest:toolbox}'
    args: [read, /etc/hosts]
";

#[test]
fn a_pod_with_files_is_the_same_twenty_times() {
    let life = the_same_each_time(FILES, VirtualTime::new(5), RUNS);
    assert_eq!(life.finished.outcome.exit_code(), 0, "{}", life.trace);
    assert_eq!(life.container("again").restart_count, 3);
    life.lines("big > wrote 3 MiB");
    life.lines("lister > hosts");
}

const HANDLERS: &str = "
  activeDeadlineSeconds: 40
  terminationGracePeriodSeconds: 2
  containers:
  - name: two
    image: '{guest:http_toolbox}'
    ports: [{containerPort: 8080}]
    livenessProbe: {httpGet: {path: /hello, port: 8080}, periodSeconds: 1}
  - name: three
    image: '{guest:http_toolbox_p3}'
    ports: [{containerPort: 8081}]
    livenessProbe: {httpGet: {path: /hello, port: 8081}, periodSeconds: 1}
  - name: busy
    image: '{guest:http_toolbox}'
    ports: [{containerPort: 8082}]
    livenessProbe: {httpGet: {path: /spin, port: 8082}, periodSeconds: 2}
  - name: client
    image: '{guest:toolbox}'
    args: [http-get, 'http://localhost:8080/headers', '30']
";

#[test]
fn handlers_and_their_probes_are_the_same_twenty_times() {
    let life = the_same_each_time(HANDLERS, slow(9), RUNS);
    assert_eq!(life.container("two").restart_count, 0);
    assert_eq!(life.container("three").restart_count, 0);
    assert!(life.container("busy").restart_count >= 2, "{}", life.trace);
    life.lines("client > HTTP/1.1 200 OK");
}

const COMMANDS: &str = "
  activeDeadlineSeconds: 120
  terminationGracePeriodSeconds: 2
  containers:
  - name: app
    image: '{guest:toolbox}'
    args: [idle]
    lifecycle:
      postStart: {exec: {command: [toolbox.wasm, sleep, '3']}}
      preStop: {sleep: {seconds: 1}}
    livenessProbe: {exec: {command: [toolbox.wasm, spin]}, periodSeconds: 10, timeoutSeconds: 4}
    readinessProbe: {exec: {command: [toolbox.wasm, out, ready]}, periodSeconds: 1}
";

#[test]
fn commands_of_probes_and_hooks_live_on_virtual_time() {
    let life = the_same_each_time(COMMANDS, slow(2), RUNS);
    let told = life.lines("failed liveness probe, will be restarted");
    assert_eq!(told.len(), 2, "{}", life.trace);
}

#[test]
fn a_real_guest_crashes_for_a_day() {
    let spec = "
  activeDeadlineSeconds: 86400
  containers: [{name: crash, image: '{guest:toolbox}', args: [exit, '3']}]";
    let life = Life::of(spec, VirtualTime::new(1));
    let again = Life::of(spec, VirtualTime::new(1));
    assert_same(&life, &again, "the second day");
    println!("a day in {:?} of real time", again.took);
    // 0, 10, 20, 40, 80 and 160 s, then 300 s each.
    assert_eq!(life.container("crash").restart_count, 292);
}

#[test]
fn the_outside_is_refused_by_name() {
    let runtime = paused();
    runtime.block_on(async {
        let spec = "  containers: [{name: web, image: '{guest:toolbox}'}]";
        let refused = |builder: crate::pod::PodBuilder| {
            builder.virtual_time(VirtualTime::new(1)).build().map(|_| ()).unwrap_err().to_string()
        };
        let port = PublishedPort { host_ip: None, host_port: 0, pod_port: 80, udp: false };
        insta::assert_snapshot!(refused(builder(spec).publish([port])), @"a published port cannot be on virtual time: the outside world does not wait for its clock");
        insta::assert_snapshot!(refused(builder(spec).allow_net(["all".to_owned()])), @"a way out to the network cannot be on virtual time: the outside world does not wait for its clock");
        assert!(builder(spec).virtual_time(VirtualTime::new(1)).build().is_ok());
    });
    let spec = "
  restartPolicy: Never
  containers:
  - name: web
    image: '{guest:toolbox}'
    args: [tcp-connect, '192.0.2.1:80']
    ports: [{containerPort: 80, hostPort: 18080}]";
    let mut asked = builder(spec);
    let rules = ("wasmpod.dev/allow-net".to_owned(), "all".to_owned());
    asked.pod.pod.metadata.annotations = Some([rules].into());
    let life = Life::of_builder(asked, VirtualTime::new(1));
    life.lines("note: hostPort 18080 is not opened");
    life.lines("note: wasmpod.dev/allow-net opens no way out");
    insta::assert_snapshot!(life.output().join("\n"), @"error: Permission denied (os error 2)");
}

#[test]
fn a_clock_that_runs_is_refused() {
    let running = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let spec = "  containers: [{name: web, image: '{guest:toolbox}'}]";
    let error = running.block_on(async {
        builder(spec).virtual_time(VirtualTime::new(1)).build().map(|_| ()).unwrap_err()
    });
    assert!(matches!(error, PodError::VirtualTime(_)), "{error}");
}

#[test]
fn a_pod_that_is_run_elsewhere_than_built_is_rejected() {
    let (here, elsewhere) = (paused(), paused());
    let spec = "  containers: [{name: web, image: '{guest:toolbox}', args: [idle]}]";
    let pod =
        here.block_on(async { builder(spec).virtual_time(VirtualTime::new(1)).build().unwrap() });
    let finished = elsewhere.block_on(pod.run());
    assert_eq!(finished.status.reason.as_deref(), Some("UnexpectedAdmissionError"));
    let message = finished.status.message.unwrap();
    assert!(message.contains("the Pod was built in another runtime"), "{message}");
}

#[test]
fn messages_are_waited_for_by_the_time_of_the_pod() {
    let spec = "
  restartPolicy: Never
  containers:
  - name: receiver
    image: '{guest:toolbox}'
    args: [ipc, 'queue q /jobs missing', 'receive q 1800000', 'receive q endless', 'receive q 1']
  - name: sender
    image: '{guest:p1/toolbox}'
    args: [ipc, 'queue q /jobs missing', 'sleep 3600000', 'send q 0 late none', 'queue r /r always', 'receive r 1800000']
";
    let life = the_same_each_time(spec, VirtualTime::new(5), 4);
    let said = life.lines("receive");
    let expected = [
        "receiver > receive q 1800000: TimedOut",
        "receiver > receive q endless: 0 late",
        "receiver > receive q 1: TimedOut",
        "sender > receive r 1800000: TimedOut",
    ];
    for line in expected {
        assert!(said.iter().any(|said| said.ends_with(line)), "`{line}` is missing in {said:?}");
    }
}
