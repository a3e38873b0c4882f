//! Commands beside a run.

use std::time::SystemTime;

use super::*;
use crate::image::{ChildProgram, FileIdentity};

impl World {
    /// What comes of `command` in a container of the guest in `text`.
    async fn exec(&self, text: &str, command: &[&str]) -> Exit {
        let program = self.prepare(text).await.unwrap();
        self.exec_in(program, self.spec(), command).await
    }

    async fn exec_in(&self, program: Program, spec: RunSpec, command: &[&str]) -> Exit {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let running =
            exec(program, self.loader(), self.host(), spec, command, Interrupts::default());
        let task = self.host().account.spawn(running);
        tokio::time::timeout(HANG, task).await.expect("it ends").unwrap()
    }
}

/// A component with a function for each kind of answer, one of them in an interface.
const ANSWERS: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (data (i32.const 100) "no disk")
        (data (i32.const 80) "\64\00\00\00\07\00\00\00")
        (func (export "zero") (result i32) i32.const 0)
        (func (export "one") (result i32) i32.const 1)
        (func (export "many") (result i32) i32.const 256)
        (func (export "nothing"))
        (func (export "failed") (result i32)
            (i32.store (i32.const 64) (i32.const 1))
            (i32.store (i32.const 68) (i32.const 100))
            (i32.store (i32.const 72) (i32.const 7))
            i32.const 64)
        (func (export "takes") (param i32) (result i32) i32.const 0)
        (func (export "trap") (result i32) unreachable))
    (core instance $i (instantiate $m))
    (func $yes (result bool) (canon lift (core func $i "one")))
    (func (export "healthy") (result bool) (canon lift (core func $i "one")))
    (func (export "unwell") (result bool) (canon lift (core func $i "zero")))
    (func (export "done") (canon lift (core func $i "nothing")))
    (func (export "fine") (result (result)) (canon lift (core func $i "zero")))
    (func (export "failed") (result (result (error string)))
        (canon lift (core func $i "failed") (memory $i "memory")))
    (func (export "code") (result u32) (canon lift (core func $i "many")))
    (func (export "takes") (param "x" u32) (result u32) (canon lift (core func $i "takes")))
    (func (export "trap") (result bool) (canon lift (core func $i "trap")))
    (instance $check (export "check" (func $yes)))
    (export "wasmpod:probe/check@1.0.0" (instance $check)))"#;

#[tokio::test]
async fn what_a_function_of_a_component_answers_is_the_code() {
    let world = World::new();
    for (word, code) in [
        ("healthy", 0),
        ("unwell", 1),
        ("done", 0),
        ("fine", 0),
        ("failed", 1),
        ("code", 1),
        ("trap", 134),
        ("wasmpod:probe/check", 0),
        ("wasmpod:probe/check@1.0.0", 0),
    ] {
        let exit = world.exec(ANSWERS, &[word]).await;
        assert_eq!(exit.code, code, "{word}: {exit:?}");
    }
    let reason = world.exec(ANSWERS, &["failed"]).await.message;
    assert_eq!(reason.as_deref(), Some("no disk"));
}

#[tokio::test]
async fn a_function_of_a_module_is_called_in_an_instance_of_its_own() {
    let world = World::new();
    let text = module(
        r#"(global $count (mut i32) (i32.const 0))
           (func (export "_start") unreachable)
           (func (export "healthy") (result i32)
               (global.set $count (i32.add (global.get $count) (i32.const 1)))
               (i32.sub (global.get $count) (i32.const 1)))
           (func (export "leave") (call $exit (i32.const 3)))
           (func (export "add") (param i32) (result i32) i32.const 0)"#,
    );
    assert_eq!(world.exec(&text, &["healthy"]).await, Exit::completed());
    assert_eq!(world.exec(&text, &["healthy"]).await, Exit::completed());
    assert_eq!(world.exec(&text, &["leave"]).await, Exit::with_code(3));
    let exit = world.exec(&text, &["healthy", "--deep"]).await;
    assert_eq!(
        (exit.code, exit.message.as_deref()),
        (126, Some("the export \"healthy\" takes no arguments"))
    );
    let exit = world.exec(&text, &["add"]).await;
    assert_eq!(exit.code, 126);
    assert_eq!(
        exit.message.as_deref(),
        Some(
            "the export \"add\" cannot be run: it would have to be a function without parameters \
             that returns an i32 or nothing"
        )
    );
}

#[tokio::test]
async fn a_program_runs_itself_with_other_words() {
    let world = World::new();
    // As many words as it got.
    let counts = r#"(module
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (drop (call $sizes (i32.const 0) (i32.const 4)))
            (call $exit (i32.load (i32.const 0)))))"#;
    assert_eq!(world.exec(counts, &["guest", "a", "b", "c"]).await.code, 4);
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_is() {
    let world = World::new();
    let text =
        module(r#"(func (export "_start")) (func (export "healthy") (result i32) i32.const 0)"#);
    let mut told = Vec::new();
    let component = command("i32.const 0");
    for (text, words) in [
        (text.as_str(), &["cat", "/tmp/healthy"][..]),
        (component.as_str(), &["sh"]),
        (ANSWERS, &["helthy"]),
        (ANSWERS, &[]),
    ] {
        let exit = world.exec(text, words).await;
        assert_eq!(exit.code, 127);
        told.push(exit.message.unwrap());
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    "cat": not found; the program exports healthy; as "guest" it runs itself
    "sh": not found; the program exports no functions that can be called; as "guest" it runs itself
    "helthy": not found; the program exports wasmpod:probe/check, healthy, unwell, done, fine, failed, code, trap
    an empty command: not found; the program exports wasmpod:probe/check, healthy, unwell, done, fine, failed, code, trap
    "#);
}

#[tokio::test]
async fn a_command_that_spins_ends_with_whoever_waits_for_it() {
    let world = World::new();
    let spins = r#"(module (func (export "_start")) (func (export "spin") (loop $l (br $l))))"#;
    let program = world.prepare(spins).await.unwrap();
    let host = world.host();
    let account = host.account.clone();
    let task = account.spawn(exec(
        program,
        world.loader(),
        host,
        world.spec(),
        vec!["spin".to_owned()],
        Interrupts::default(),
    ));
    assert!(tokio::time::timeout(Duration::from_millis(20), task).await.is_err());
    let next = account.spawn(async { 7 });
    assert_eq!(tokio::time::timeout(HANG, next).await.expect("the CPU is free").unwrap(), 7);
}

/// Ends with as many words as it got.
const COUNTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (call $exit (i32.load (i32.const 0)))))"#;

/// A container with a root and a volume at /plugins.
struct Files {
    world: World,
    own: Program,
    spec: RunSpec,
}

impl Files {
    async fn new() -> Self {
        let world = World::new();
        let own = world.prepare(&module(r#"(func (export "_start"))"#)).await.unwrap();
        let at = |name: &str| world.folder.path().join(name);
        for folder in ["root/bin", "plugins"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        let mounts =
            vec![Mount::at("/", at("root"), false), Mount::at("/plugins", at("plugins"), true)];
        let spec = RunSpec { mounts, cwd: Some("/plugins".to_owned()), ..world.spec() };
        Self { world, own, spec }
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.world.folder.path().join(path), bytes).unwrap();
    }

    async fn exec(&self, command: &[&str]) -> Exit {
        self.world.exec_in(self.own.clone(), self.spec.clone(), command).await
    }
}

#[tokio::test]
async fn a_file_of_the_container_runs_as_a_command() {
    let mut files = Files::new().await;
    files.write("plugins/count.wasm", wat::parse_str(COUNTS).unwrap());
    files.write("root/bin/which.wasm", wat::parse_str(COUNTS).unwrap());
    for command in [
        &["/plugins/count.wasm", "b", "c"][..],
        &["/plugins/count", "b", "c"],
        &["./count.wasm", "b", "c"],
        &["../plugins/count", "b", "c"],
        &["/nowhere/../plugins//count", "b", "c"],
        &["which", "b", "c"],
        &["which.wasm", "b", "c"],
    ] {
        assert_eq!(files.exec(command).await.code, 3, "{command:?}");
    }
    assert_eq!(files.exec(&["count"]).await.code, 127, "not on the PATH");
    files.spec.env.push(("PATH".to_owned(), "/nowhere:/plugins".to_owned()));
    assert_eq!(files.exec(&["count"]).await.code, 1);
    assert_eq!(files.exec(&["which"]).await.code, 127);
}

#[tokio::test]
async fn a_file_that_was_changed_runs_as_it_is_now() {
    let files = Files::new().await;
    for code in [3, 4, 5] {
        let text = module(&format!(r#"(func (export "_start") (call $exit (i32.const {code})))"#));
        files.write("plugins/check.wasm", wat::parse_str(text).unwrap());
        for _ in 0..3 {
            assert_eq!(files.exec(&["/plugins/check"]).await.code, code);
        }
    }
}

#[tokio::test]
async fn functions_come_before_files_and_files_before_the_program_itself() {
    let mut files = Files::new().await;
    let own = module(
        r#"(func (export "_start") (call $exit (i32.const 7)))
           (func (export "check") (result i32) i32.const 6)"#,
    );
    files.own = files.world.prepare(&own).await.unwrap();
    assert_eq!(files.exec(&["guest"]).await.code, 7);
    files.write("root/bin/guest.wasm", wat::parse_str(COUNTS).unwrap());
    files.write("root/bin/check.wasm", wat::parse_str(COUNTS).unwrap());
    assert_eq!(files.exec(&["guest"]).await.code, 1);
    assert_eq!(files.exec(&["check"]).await.code, 6);
    assert_eq!(files.exec(&["check.wasm"]).await.code, 1);
}

#[tokio::test]
async fn a_command_of_a_component_has_the_containers_memory_limit_and_streams() {
    let mut files = Files::new().await;
    files.write("plugins/well.wasm", wat::parse_str(command("i32.const 0")).unwrap());
    files.write("plugins/ill.wasm", wat::parse_str(async_command("i32.const 1")).unwrap());
    assert_eq!(files.exec(&["/plugins/well.wasm"]).await, Exit::completed());
    assert_eq!(files.exec(&["/plugins/ill.wasm"]).await, Exit::failed());
    let large = r#"(module (memory 11) (func (export "_start")))"#;
    files.write("plugins/large.wasm", wat::parse_str(large).unwrap());
    files.world.memory_limit = Some(10 * 65_536);
    files.spec.memory = files.world.spec().memory;
    let exit = files.exec(&["/plugins/large.wasm"]).await;
    assert_eq!((exit.code, exit.reason), (128, ExitReason::StartError));
}

#[tokio::test]
async fn a_file_that_cannot_be_run_says_why() {
    let files = Files::new().await;
    let whole = wat::parse_str(COUNTS).unwrap();
    let handler = r#"(component (instance $empty)
        (export "wasi:http/incoming-handler@0.2.0" (instance $empty)))"#;
    let foreign = r#"(module (import "env" "fork" (func)) (func (export "_start")))"#;
    let invalid = r#"(module (func (export "_start") (result i32) i64.const 0))"#;
    files.write("plugins/script.sh", "#!/bin/sh\nexit 0\n");
    files.write("plugins/empty.wasm", "");
    files.write("plugins/half.wasm", &whole[..whole.len() / 2]);
    files.write("plugins/web.wasm", wat::parse_str(handler).unwrap());
    files.write(
        "plugins/library.wasm",
        wat::parse_str(r#"(module (func (export "add")))"#).unwrap(),
    );
    files.write("plugins/foreign.wasm", wat::parse_str(foreign).unwrap());
    files.write("plugins/invalid.wasm", wat::parse_str(invalid).unwrap());
    std::os::unix::fs::symlink("/etc/passwd", files.world.folder.path().join("root/outside"))
        .unwrap();
    let mut told = Vec::new();
    for word in [
        "/plugins/script.sh",
        "/plugins/empty",
        "/plugins/half",
        "/plugins/library",
        "/plugins/web",
        "/plugins/foreign",
        "/plugins/invalid",
        "/outside",
    ] {
        let exit = files.exec(&[word]).await;
        assert_eq!(exit.code, 126, "{word}: {exit:?}");
        told.push(exit.message.unwrap());
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    /plugins/script.sh cannot be run: it is not WebAssembly: it starts with `#!/bin/s`, not with `\0asm` (it is a script)
    /plugins/empty.wasm cannot be run: the file is empty
    /plugins/half.wasm cannot be run: it is WebAssembly, but broken or cut off: unexpected end-of-file (at offset 0x1a)
    /plugins/library.wasm cannot be run: it is a module without `_start`, not a command
    /plugins/web.wasm cannot be run: it is an HTTP handler, not a command
    /plugins/foreign.wasm cannot be run: cannot link: unknown import: `env::fork` has not been defined
    /plugins/invalid.wasm cannot be run: it does not compile: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 38: type mismatch: expected i32, found i64
    /outside cannot be opened: a path led outside of the filesystem
    ");
}

#[tokio::test]
async fn a_command_that_is_nowhere_is_told_what_is_on_the_path() {
    let files = Files::new().await;
    for name in ["check.wasm", "backup.wasm", "notes.txt"] {
        files.write(&format!("root/bin/{name}"), "");
    }
    let exit = files.exec(&["chek"]).await;
    assert_eq!(exit.code, 127);
    insta::assert_snapshot!(exit.message.unwrap(), @r#""chek": not found; the program exports no functions that can be called; as "guest" it runs itself; on the PATH there is backup.wasm, check.wasm"#);
}

#[tokio::test]
async fn a_compilation_that_nobody_waits_for_goes_on_for_the_next() {
    let mut files = Files::new().await;
    files.write("plugins/check.wasm", wat::parse_str(COUNTS).unwrap());
    let at = |name: &str| files.world.folder.path().join(name);
    let (begun, go) = (at("begun"), at("go"));
    // A compiler that says when it was begun, takes its time, and then has bad news.
    let script = format!(
        "read -r request; echo . >> {}; until [ -e {} ]; do sleep 0.01; done; \
         echo '{{\"Err\":{{\"Invalid\":\"bad news\"}}}}'",
        begun.display(),
        go.display()
    );
    let compiler = Compiler::Child(ChildProgram::File {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
    });
    files.world.cache = CodeCache::open(&at("slow"), Reservation::Whole, compiler).unwrap();
    let loader = files.world.loader();
    let start = || {
        let command = vec!["/plugins/check".to_owned()];
        let running = exec(
            files.own.clone(),
            loader.clone(),
            files.world.host(),
            files.spec.clone(),
            command,
            Interrupts::default(),
        );
        files.world.host().account.spawn(running)
    };
    let impatient = start();
    let compiling = async {
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(HANG, compiling).await.expect("the compiler is begun");
    drop(impatient);
    let patient = start();
    std::fs::write(go, "").unwrap();
    let exit = tokio::time::timeout(HANG, patient).await.expect("it ends").unwrap();
    assert_eq!(exit.code, 126, "{exit:?}");
    assert!(exit.message.unwrap().ends_with("it does not compile: bad news"));
    assert_eq!(std::fs::read_to_string(begun).unwrap(), ".\n", "compiled once");
}

#[tokio::test]
async fn a_file_that_does_not_compile_is_not_tried_again_until_it_changes() {
    let mut files = Files::new().await;
    let at = |name: &str| files.world.folder.path().join(name);
    let begun = at("begun");
    let script = format!(
        "read -r request; echo . >> {}; echo '{{\"Err\":{{\"Invalid\":\"bad news\"}}}}'",
        begun.display()
    );
    let compiler = Compiler::Child(ChildProgram::File {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
    });
    files.world.cache = CodeCache::open(&at("slow"), Reservation::Whole, compiler).unwrap();
    let loader = files.world.loader();
    for round in 1..=2 {
        files.write("plugins/check.wasm", wat::parse_str(COUNTS).unwrap());
        let file = std::fs::File::open(at("plugins/check.wasm")).unwrap();
        while !FileIdentity::of(&file.metadata().unwrap()).settled(SystemTime::now()) {
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            let (own, spec) = (files.own.clone(), files.spec.clone());
            let command = vec!["/plugins/check".to_owned()];
            let exit =
                exec(own, loader.clone(), files.world.host(), spec, command, Interrupts::default())
                    .await;
            assert_eq!(exit.code, 126, "{exit:?}");
            assert!(exit.message.unwrap().ends_with("it does not compile: bad news"));
        }
        assert_eq!(std::fs::read_to_string(&begun).unwrap().lines().count(), round);
    }
}

#[tokio::test]
async fn what_is_no_webassembly_on_the_path_is_passed_over() {
    let mut files = Files::new().await;
    let own = module(r#"(func (export "_start") (call $exit (i32.const 7)))"#);
    files.own = files.world.prepare(&own).await.unwrap();
    files.spec.env.push(("PATH".to_owned(), "/bin:/plugins".to_owned()));
    // A native program, a socket, a link that leads outside.
    files.write("root/bin/guest", "\x7fELF");
    let bin = files.world.folder.path().join("root/bin");
    let _socket = std::os::unix::net::UnixListener::bind(bin.join("talk")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", bin.join("count")).unwrap();
    assert_eq!(files.exec(&["guest"]).await.code, 7, "itself");
    assert_eq!(files.exec(&["talk"]).await.code, 127);
    assert_eq!(files.exec(&["/bin/talk"]).await.code, 127);
    assert_eq!(files.exec(&[&"long".repeat(100)]).await.code, 127);
    assert_eq!(files.exec(&["count"]).await.code, 126, "nobody knows what it is");
    files.write("plugins/count.wasm", wat::parse_str(COUNTS).unwrap());
    assert_eq!(files.exec(&["count"]).await.code, 1, "of the next folder");
    // Without a suffix, but one with it comes first.
    files.write("plugins/talk", wat::parse_str(COUNTS).unwrap());
    assert_eq!(files.exec(&["talk", "b"]).await.code, 2);
    files.write("plugins/talk.wasm", wat::parse_str(&own).unwrap());
    assert_eq!(files.exec(&["talk", "b"]).await.code, 7);
}
