//! How guests of each kind learn of their stop.

use super::*;
use crate::executor::Task;

/// The grace of these stops; nobody waits for its end.
const GRACE: Duration = Duration::from_secs(3600);

impl World {
    /// A run of a guest of `guest-examples`, with these arguments.
    async fn start_built(&self, file: &str, arguments: &[&str]) -> Task<Exit> {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-examples/target");
        let file = guests.join(file);
        assert!(file.exists(), "{} is missing: run `cargo xtask guests`", file.display());
        let program = Program::prepare(&self.engines, &self.cache, &file, || {}).await.unwrap();
        let argv = ["guest"].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        let spec = RunSpec { argv, ..self.spec() };
        let host = self.host();
        let account = host.account.clone();
        account.spawn(run(program, host, spec, self.stop.clone()))
    }

    async fn stopped(&self, run: Task<Exit>) -> Exit {
        self.stop.ask(GRACE);
        self.ended(run).await
    }

    async fn ended(&self, run: Task<Exit>) -> Exit {
        tokio::time::timeout(HANG, run).await.expect("a stop ends it").unwrap()
    }

    fn output(&self) -> String {
        String::from_utf8(self.stdout.contents()).unwrap()
    }

    async fn until_it_says(&self, text: &str) {
        let said = async {
            while !self.output().contains(text) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANG, said).await.expect(text);
    }
}

#[tokio::test]
async fn a_guest_that_waits_for_its_stop_is_told_signal_and_grace() {
    for (file, told) in [
        ("wasm32-wasip1/release/toolbox.wasm", "stop, 60 min"),
        ("wasm32-wasip2/release/toolbox.wasm", "SIGQUIT, 60 min"),
        ("wasm32-wasip2/release/stoppable_p3.wasm", "SIGQUIT, 60 min"),
    ] {
        for early in [false, true] {
            let mut world = World::new();
            world.stop = Stop::new("SIGQUIT");
            if early {
                world.stop.ask(GRACE);
            }
            let run = world.start_built(file, &["await-stop"]).await;
            world.until_it_says("waiting").await;
            assert_eq!(world.stopped(run).await, Exit::completed(), "{file}");
            assert_eq!(world.output(), format!("waiting\n{told}\n"), "{file}");
        }
    }
}

#[tokio::test]
async fn a_module_may_ask_whether_its_stop_has_come() {
    let world = World::new();
    let text = r#"(module
        (import "wasmpod:lifecycle/stop" "requested" (func $requested (result i64)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $grace i64)
            (if (i64.ne (call $requested) (i64.const -1)) (then (call $exit (i32.const 9))))
            (loop $again
                (local.set $grace (call $requested))
                (br_if $again (i64.eq (local.get $grace) (i64.const -1))))
            ;; So many minutes are left.
            (call $exit (i32.wrap_i64 (i64.div_u
                (i64.add (local.get $grace) (i64.const 59_999_999_999))
                (i64.const 60_000_000_000))))))"#;
    let program = world.prepare(text).await.unwrap();
    let mut run = world.start(program);
    let early = tokio::time::timeout(Duration::from_millis(20), &mut run).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(world.stopped(run).await.code, 60);
}

/// A component that exports `stop` beside `more`: it traps unless it is asked by SIGTERM and has an
/// hour at most.
fn stoppable_component(version: &str, more: &str) -> String {
    format!(
        r#"(component
            (import "wasmpod:lifecycle/stop@0.2.0" (instance $stop
                (type $record (record (field "signal" string) (field "grace" u64)))
                (export "stop-request" (type (eq $record)))))
            (alias export $stop "stop-request" (type $request))
            (core module $m
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 256)
                (func (export "run") (result i32) i32.const 0)
                (func (export "stop") (param $text i32) (param $length i32) (param $grace i64)
                    (if (i32.ne (local.get $length) (i32.const 7)) (then unreachable))
                    (if (i64.ne (i64.load (local.get $text)) (i64.const 0x4d_52_45_54_47_49_53))
                        (then unreachable))
                    (if (i64.gt_u (local.get $grace) (i64.const 3_600_000_000_000))
                        (then unreachable))))
            (core instance $i (instantiate $m))
            (func $stop-me (param "request" $request) (canon lift (core func $i "stop")
                (memory $i "memory") (realloc (func $i "realloc"))))
            (instance $stoppable (export "stop" (func $stop-me)))
            (export "wasmpod:lifecycle/stoppable@{version}" (instance $stoppable))
            {more})"#
    )
}

#[tokio::test]
async fn a_reactor_is_called_when_it_is_to_stop_and_ends_well() {
    let module = r#"(module
        (global $ready (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $ready (i32.const 1)))
        (func (export "wasmpod:lifecycle/stoppable#stop") (param $grace i64)
            (if (i32.eqz (global.get $ready)) (then unreachable))
            (if (i64.gt_u (local.get $grace) (i64.const 3_600_000_000_000)) (then unreachable))))"#;
    for text in [module, &stoppable_component("0.2.0", ""), &stoppable_component("0.3.1", "")] {
        let world = World::new();
        let program = world.prepare(text).await.unwrap();
        assert!(program.kind().is_reactor());
        assert_eq!(program.note(), None);
        let mut run = world.start(program);
        let early = tokio::time::timeout(Duration::from_millis(20), &mut run).await;
        assert!(early.is_err(), "{early:?}");
        assert_eq!(world.stopped(run).await, Exit::completed());
    }
}

#[tokio::test]
async fn a_reactor_that_fails_in_its_stop_has_failed() {
    let world = World::new();
    let text =
        r#"(module (func (export "wasmpod:lifecycle/stoppable#stop") (param i64) unreachable))"#;
    let run = world.start(world.prepare(text).await.unwrap());
    assert_eq!(world.stopped(run).await.code, 134);
}

#[tokio::test]
async fn a_command_of_0_3_is_called_beside_its_run() {
    let world = World::new();
    let mut run = world.start_built("wasm32-wasip2/release/stoppable_p3.wasm", &[]).await;
    let early = tokio::time::timeout(Duration::from_millis(50), &mut run).await;
    assert!(early.is_err(), "{early:?}");
    assert_eq!(world.stopped(run).await, Exit::completed());
    assert_eq!(world.output(), "SIGTERM, 60 min\n");
}

#[tokio::test]
async fn a_guest_that_is_never_called_is_told_so() {
    let world = World::new();
    let module = r#"(module
        (func (export "_start"))
        (func (export "wasmpod:lifecycle/stoppable#stop") (param i64) unreachable))"#;
    let component = stoppable_component(
        "0.2.0",
        r#"(func $run (result (result)) (canon lift (core func $i "run")))
           (instance $entry (export "run" (func $run)))
           (export "wasi:cli/run@0.2.3" (instance $entry))"#,
    );
    let mut notes = Vec::new();
    for text in [module, &component] {
        let program = world.prepare(text).await.unwrap();
        notes.push(program.note().expect("it is told"));
        assert_eq!(world.ended(world.start(program)).await, Exit::completed());
    }
    insta::assert_snapshot!(notes.join("\n"), @r"
    it exports `wasmpod:lifecycle/stoppable`, which is not called in a guest of its kind (command-0.1): to learn of a stop it has to import `wasmpod:lifecycle/stop`
    it exports `wasmpod:lifecycle/stoppable`, which is not called in a guest of its kind (command-0.2): to learn of a stop it has to import `wasmpod:lifecycle/stop`
    ");
}

#[tokio::test]
async fn an_export_for_the_stop_that_nobody_could_call_is_an_error_of_the_start() {
    let world = World::new();
    let mut errors = Vec::new();
    match world.prepare(&stoppable_component("1.0.0", "")).await {
        Err(error) => errors.push(error.to_string()),
        Ok(_) => panic!("it was linked"),
    }
    for text in [
        r#"(module (func (export "wasmpod:lifecycle/stoppable#stop") (param i32)))"#,
        r#"(component
            (core module $m (func (export "stop")))
            (core instance $i (instantiate $m))
            (func $stop (canon lift (core func $i "stop")))
            (instance $stoppable (export "stop" (func $stop)))
            (export "wasmpod:lifecycle/stoppable@0.2.0" (instance $stoppable)))"#,
    ] {
        let run = world.start(world.prepare(text).await.unwrap());
        let exit = world.ended(run).await;
        assert_eq!(exit.code, 128, "{exit:?}");
        errors.push(exit.message.unwrap());
    }
    insta::assert_snapshot!(errors.join("\n"), @r"
    cannot link: component exports `wasmpod:lifecycle/stoppable@1.0.0`, which is not known: it would have to be `wasmpod:lifecycle/stoppable` 0.2.x or 0.3.x with its function `stop`
    cannot instantiate: failed to convert function `wasmpod:lifecycle/stoppable#stop` to given type: type mismatch with parameters: type mismatch: expected i32, found i64
    cannot instantiate: its export `wasmpod:lifecycle/stoppable`: failed to convert function to given type: type mismatch with parameters: expected 1-tuple, found 0-tuple
    ");
}

#[tokio::test]
async fn what_the_host_calls_by_itself_is_no_command() {
    let world = World::new();
    let text = stoppable_component("0.2.0", "");
    let program = world.prepare(&text).await.unwrap();
    let task = world.host().account.spawn(exec(
        program,
        world.loader(),
        world.host(),
        world.spec(),
        vec!["wasmpod:lifecycle/stoppable".to_owned()],
        Interrupts::default(),
    ));
    let exit = world.ended(task).await;
    assert_eq!(exit.code, 127);
    insta::assert_snapshot!(exit.message.unwrap(), @r#""wasmpod:lifecycle/stoppable": not found; the program exports no functions that can be called"#);
}

#[tokio::test(start_paused = true)]
async fn on_virtual_time_the_stop_is_told_when_the_pods_clock_says() {
    for (file, told) in [
        ("wasm32-wasip1/release/toolbox.wasm", "stop, 30 min"),
        ("wasm32-wasip2/release/toolbox.wasm", "SIGTERM, 30 min"),
        ("wasm32-wasip2/release/stoppable_p3.wasm", "SIGTERM, 30 min"),
    ] {
        let world = World::with(Reservation::Whole, PodExecutor::inline());
        let living = async {
            let run = world.start_built(file, &["await-stop"]).await;
            let begun = tokio::time::Instant::now();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(world.output(), "waiting\n", "{file}");
            world.stop.ask(Duration::from_secs(1800));
            let exit = run.await.unwrap();
            (exit, begun.elapsed().as_secs())
        };
        let lived = world.executor.run_until(living).await;
        assert_eq!(lived, (Exit::completed(), 60), "{file}");
        assert_eq!(world.output(), format!("waiting\n{told}\n"), "{file}");
    }
}
