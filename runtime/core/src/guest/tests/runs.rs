//! Runs of containers, to their ends.

use super::*;

#[tokio::test]
async fn a_module_ends_with_the_code_it_gives() {
    let world = World::new();
    let returns = module(r#"(func (export "_start"))"#);
    assert_eq!(world.exit(&returns).await, Exit::completed());
    for (given, code) in [(0, 0), (7, 7), (127, 127), (255, 255), (256, 0), (-1, 255)] {
        let text = module(&format!(r#"(func (export "_start") (call $exit (i32.const {given})))"#));
        assert_eq!(world.exit(&text).await.code, code, "proc_exit({given})");
    }
}

#[tokio::test]
async fn a_component_ends_with_ok_or_err() {
    let world = World::new();
    assert_eq!(world.exit(&command("i32.const 0")).await, Exit::completed());
    assert_eq!(world.exit(&command("i32.const 1")).await, Exit::failed());
    assert_eq!(world.exit(&async_command("i32.const 0")).await, Exit::completed());
    assert_eq!(world.exit(&async_command("i32.const 1")).await, Exit::failed());
}

#[tokio::test]
async fn the_small_reservation_runs_too() {
    let world = World::with_reservation(Reservation::Small);
    assert_eq!(world.exit(&command("i32.const 1")).await, Exit::failed());
    let grows = module(
        r#"(func (export "_start")
            (call $exit (memory.grow (i32.const 100)))
            (i32.store (i32.const 6500000) (i32.const 1)))"#,
    );
    assert_eq!(world.exit(&grows).await.code, 1);
}

#[tokio::test]
async fn a_trap_says_what_and_where() {
    let world = World::new();
    let mut traps = Vec::new();
    for body in [
        r#"(func $inner unreachable) (func $main (export "_start") (call $inner))"#,
        r#"(func $deep (export "_start") (call $deep))"#,
        r#"(func $main (export "_start") (drop (i32.load (i32.const -1))))"#,
        r#"(func $main (export "_start") (drop (i32.div_s (i32.const 1) (i32.const 0))))"#,
    ] {
        let exit = world.exit(&module(body)).await;
        assert_eq!((exit.code, exit.reason), (134, ExitReason::Error));
        traps.push(exit.message.unwrap());
    }
    let exit = world.exit(&command("unreachable")).await;
    traps.push(exit.message.unwrap());
    let exit = world.exit(&async_command("unreachable")).await;
    traps.push(exit.message.unwrap());
    insta::assert_snapshot!(traps.join("\n\n"), @r"
    wasm trap: wasm `unreachable` instruction executed
      at guest!inner
      at guest!main

    wasm trap: call stack exhausted
      at guest!deep
      at guest!deep
      at guest!deep

    wasm trap: out of bounds memory access
      at guest!main

    wasm trap: integer divide by zero
      at guest!main

    wasm trap: wasm `unreachable` instruction executed
      at m!function 0

    wasm trap: wasm `unreachable` instruction executed
      at m!function 0
    ");
}

#[tokio::test]
async fn a_start_function_that_fails_is_a_trap_of_the_guest() {
    let world = World::new();
    let text = module(r#"(func $init unreachable) (start $init) (func (export "_start"))"#);
    assert_eq!(world.exit(&text).await.code, 134);
    let text =
        module(r#"(func $init (call $exit (i32.const 9))) (start $init) (func (export "_start"))"#);
    assert_eq!(world.exit(&text).await.code, 9);
}

#[tokio::test]
async fn what_nobody_provides_is_named() {
    let world = World::new();
    let mut errors = Vec::new();
    for text in [
        r#"(module (import "env" "foo" (func)) (func (export "_start")))"#,
        r#"(module (import "wasi_snapshot_preview1" "teleport" (func)) (func (export "_start")))"#,
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func)) (func (export "_start")))"#,
        r#"(module (import "env" "memory" (memory 1 1 shared)) (func (export "_start")))"#,
        r#"(component (import "my:own/thing@1.0.0" (instance (export "f" (func)))))"#,
        r#"(component (import "wasi:keyvalue/store@0.2.0-draft" (instance (export "f" (func)))))"#,
        r#"(component (import "wasi:cli/exit@0.2.0" (instance (export "leave" (func)))))"#,
        r#"(component (import "plain" (func)))"#,
        "(module)",
    ] {
        let error = match world.prepare(text).await {
            Err(PrepareError::Start(error)) => Exit::from(error),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it was linked: {text}"),
        };
        errors.push(format!("{} {}", error.code, error.message.unwrap()));
    }
    insta::assert_snapshot!(errors.join("\n"), @r"
    128 cannot link: unknown import: `env::foo` has not been defined
    128 cannot link: unknown import: `wasi_snapshot_preview1::teleport` has not been defined
    128 cannot link: incompatible import type for `wasi_snapshot_preview1::proc_exit`: types incompatible: expected type `(func)`, found type `(func (param i32))`
    128 cannot link: unknown import: `env::memory` has not been defined
    128 cannot link: component imports instance `my:own/thing@1.0.0`, but a matching implementation was not found in the linker: instance export `f` has the wrong type: function implementation is missing
    128 cannot link: component imports instance `wasi:keyvalue/store@0.2.0-draft`, but a matching implementation was not found in the linker: instance export `f` has the wrong type: function implementation is missing
    128 cannot link: component imports instance `wasi:cli/exit@0.2.0`, but a matching implementation was not found in the linker: instance export `leave` has the wrong type: function implementation is missing
    128 cannot link: component imports function `plain`, but a matching implementation was not found in the linker: function implementation is missing
    127 it exports nothing: neither `_start` nor a function that others could call
    ");
}

#[tokio::test]
async fn a_shared_memory_is_refused_at_the_start() {
    let world = World::new();
    let exit = world.exit(r#"(module (memory 1 2 shared) (func (export "_start")))"#).await;
    assert_eq!((exit.code, exit.reason), (128, ExitReason::StartError));
    insta::assert_snapshot!(exit.message.unwrap(), @"it has a shared memory, which is not supported: the container's memory limit would not hold for it; build it without threads");
}

#[tokio::test]
async fn the_memory_limit_holds_for_all_memories_together() {
    let mut world = World::new();
    world.memory_limit = Some(10 * 65_536);
    // Exits with the pages that it got from two memories.
    let text = module(
        r#"(memory $second 1)
        (func (export "_start") (local $pages i32)
            (block $full (loop $more
                (br_if $full (i32.eq (memory.grow 0 (i32.const 1)) (i32.const -1)))
                (br_if $full (i32.eq (memory.grow $second (i32.const 1)) (i32.const -1)))
                (br $more)))
            (call $exit (i32.add (memory.size 0) (memory.size $second))))"#,
    );
    assert_eq!(world.exit(&text).await.code, 10);

    let too_large = r#"(module (memory 11) (func (export "_start")))"#;
    let exit = world.exit(too_large).await;
    assert_eq!((exit.code, exit.reason), (128, ExitReason::StartError));
    insta::assert_snapshot!(exit.message.unwrap(), @"cannot instantiate: memory minimum size of 11 pages exceeds memory limits; memory limit of 655360 bytes exceeded: 0 bytes in use, 720896 more asked for");

    world.exceeded = Exceeded::Kill;
    let exit = world.exit(&text).await;
    assert_eq!((exit.code, exit.reason), (137, ExitReason::OomKilled));
    insta::assert_snapshot!(exit.message.unwrap(), @"memory limit of 655360 bytes exceeded: 655360 bytes in use, 65536 more asked for");
}

#[tokio::test]
async fn a_denied_allocation_explains_the_trap_after_it() {
    let mut world = World::new();
    world.memory_limit = Some(2 * 65_536);
    let text = module(
        r#"(func $main (export "_start")
            (if (i32.eq (memory.grow (i32.const 5)) (i32.const -1)) (then unreachable)))"#,
    );
    insta::assert_snapshot!(world.exit(&text).await.message.unwrap(), @r"
    wasm trap: wasm `unreachable` instruction executed
      at guest!main
    before: memory limit of 131072 bytes exceeded: 65536 bytes in use, 327680 more asked for
    ");
}

#[tokio::test]
async fn a_spinning_guest_ends_when_it_is_killed_and_others_run_beside_it() {
    let world = World::new();
    let spin = world.prepare(SPIN).await.unwrap();
    let spinning: Vec<_> = (0..3).map(|_| world.start(spin.clone())).collect();
    // Three spin on two workers: this one gets its turn all the same.
    assert_eq!(world.exit(&command("i32.const 0")).await, Exit::completed());
    for task in &spinning {
        task.abort();
    }
    for task in spinning {
        let ended = tokio::time::timeout(HANG, task).await.expect("a kill ends a spinning guest");
        assert_eq!(ended, Err(TaskError::Aborted));
    }
}

#[tokio::test]
async fn output_and_arguments_pass() {
    let world = World::new();
    let text = module(
        r#"(data (i32.const 8) "\00\01\00\00\06\00\00\00")
        (data (i32.const 256) "hello\n")
        (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
            (drop (call $write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 0))))"#,
    );
    assert_eq!(world.exit(&text).await, Exit::completed());
    assert_eq!(world.stdout.contents(), b"hello\n");
    assert_eq!(world.stderr.contents(), b"hello\n");
}

/// Exits with the number of bytes read, or waits for more until the input ends.
fn reads_to_the_end() -> String {
    module(
        r#"(data (i32.const 8) "\00\01\00\00\80\00\00\00")
        (func (export "_start") (local $sum i32)
            (block $end (loop $more
                (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)))
                (br_if $end (i32.eqz (i32.load (i32.const 0))))
                (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 0))))
                (br $more)))
            (call $exit (local.get $sum)))"#,
    )
}

#[tokio::test]
async fn standard_input_arrives_and_a_stop_ends_it() {
    let mut world = World::new();
    assert_eq!(world.exit(&reads_to_the_end()).await.code, 0, "closed by default");

    let (writer, pipe) = input_pipe();
    world.stdin = Stdin::Pipe(pipe);
    let program = world.prepare(&reads_to_the_end()).await.unwrap();
    let run = world.start(program);
    writer.write_all(b"twelve bytes").await;
    world.stop.ask(HANG);
    let exit = tokio::time::timeout(HANG, run).await.expect("a stop ends the input").unwrap();
    assert_eq!(exit.code, 12);
}

#[tokio::test]
async fn a_reactor_stays_until_it_is_stopped() {
    let world = World::new();
    let module = module(
        r#"(data (i32.const 8) "\00\01\00\00\03\00\00\00")
        (data (i32.const 256) "up\n")
        (func (export "_initialize")
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))
        (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1)))"#,
    );
    let component = "(component (core module (func (export \"f\"))))";
    for text in [module.as_str(), component] {
        let program = world.prepare(text).await.unwrap();
        assert!(program.kind().is_reactor());
        let mut run = world.start(program);
        // Only a reactor that ended too early makes this ready.
        let early = tokio::time::timeout(Duration::from_millis(20), &mut run).await;
        assert!(early.is_err(), "{early:?}");
    }
    assert_eq!(world.stdout.contents(), b"up\n");
    let program = world.prepare(component).await.unwrap();
    let run = world.start(program);
    world.stop.ask(HANG);
    assert_eq!(tokio::time::timeout(HANG, run).await.unwrap(), Ok(Exit::stopped()));
}

#[tokio::test]
async fn damaged_code_is_compiled_again() {
    let world = World::new();
    let text = module(r#"(func (export "_start") (call $exit (i32.const 5)))"#);
    let image = world.image(&text);
    let code = world.cache.code(&image, || {}).await.unwrap();
    let whole = std::fs::read(&code.file).unwrap();
    for damaged in [&whole[..whole.len() / 2], &[0; 4096][..], b""] {
        std::fs::write(&code.file, damaged).unwrap();
        assert_eq!(world.exit(&text).await.code, 5);
        assert_eq!(std::fs::read(&code.file).unwrap().len(), whole.len());
    }
}

#[tokio::test]
async fn a_directory_that_is_gone_is_a_start_error() {
    let world = World::new();
    let program = world.prepare(&command("i32.const 0")).await.unwrap();
    let mut spec = world.spec();
    spec.mounts = vec![Mount::at("/data", world.folder.path().join("gone"), false)];
    let exit = run(program, world.host(), spec, world.stop.clone()).await;
    assert_eq!((exit.code, exit.reason), (128, ExitReason::StartError));
}

#[tokio::test]
async fn a_module_that_accepts_gets_its_declared_ports() {
    let world = World::new();
    // Accepts once on the first descriptor after the standard streams.
    let text = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "sock_accept"
            (func $accept (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (call $exit (call $accept (i32.const 3) (i32.const 0) (i32.const 0)))))"#;
    let program = world.prepare(text).await.unwrap();
    let mut spec = world.spec();
    spec.ports = vec![ListenPort { number: 8080, name: None }];
    let other = world.network.endpoint();
    let taken = other.listen_any(8080).unwrap();
    let exit = run(program.clone(), world.host(), spec, world.stop.clone()).await;
    assert_eq!((exit.code, exit.reason), (128, ExitReason::StartError));
    insta::assert_snapshot!(exit.message.unwrap(), @"cannot listen on containerPort 8080 for the module: address in use");
    drop(taken);

    let mut spec = world.spec();
    spec.ports = vec![ListenPort { number: 8080, name: None }];
    let account = world.executor.account("test", Weight::MIN, None);
    let running = account.spawn(run(program, world.host(), spec, world.stop.clone()));
    let connected = async {
        loop {
            match world.network.connect(8080).await {
                Ok(stream) => return stream,
                Err(NetworkError::ConnectionRefused) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let _stream = tokio::time::timeout(HANG, connected).await.expect("it listens");
    assert_eq!(tokio::time::timeout(HANG, running).await.unwrap(), Ok(Exit::completed()));
}

#[tokio::test]
async fn a_guest_that_opens_files_without_end_ends_alone() {
    let world = World::new();
    let text = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) ".")
        (func (export "_start") (local $left i32)
            (local.set $left (i32.const 100000))
            (loop $more
                (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1)
                        (i32.const 2) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))
                    (then unreachable))
                (br_if $more
                    (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"#;
    let program = world.prepare(text).await.unwrap();
    let mut spec = world.spec();
    spec.mounts = vec![Mount::at("/", world.folder.path().to_owned(), true)];
    let account = world.executor.account("test", Weight::MIN, None);
    let running = account.spawn(run(program, world.host(), spec, world.stop.clone()));
    let exit = tokio::time::timeout(HANG, running).await.unwrap().unwrap();
    assert_eq!(exit.code, 134, "{exit:?}");
    assert_eq!(world.exit(&command("i32.const 0")).await, Exit::completed());
}
