//! The toolbox: a shell, its tools, and their processes.

use std::path::Path;

use super::*;
use crate::guest::Interrupts;

/// Where `cargo xtask toolbox` builds.
fn built() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../toolbox/target/wasm32-wasip1")
}

fn toolbox() -> Toolbox {
    let file = built().join("release/toolbox.wasm");
    let wasm = std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask toolbox`", file.display()));
    Toolbox::new(wasm)
}

/// A container with a root and a volume at /data.
struct Container {
    world: World,
    own: Program,
    spec: RunSpec,
    loader: Loader,
    interrupts: Interrupts,
}

/// What a command has come to.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    code: u8,
    out: String,
    err: String,
}

fn came(code: u8, out: &str, err: &str) -> Came {
    Came { code, out: out.to_owned(), err: err.to_owned() }
}

impl Container {
    async fn new() -> Self {
        Self::with(World::new()).await
    }

    async fn with(mut world: World) -> Self {
        // To compile it takes seconds: once for all tests, and for those of the next time.
        let cache = built().join("../code-cache");
        world.cache = CodeCache::open(&cache, Reservation::Whole, Compiler::InProcess).unwrap();
        let own = module(
            r#"(func (export "_start") (call $exit (i32.const 7)))
               (func (export "healthy") (result i32) i32.const 3)"#,
        );
        let own = world.prepare(&own).await.unwrap();
        let at = |name: &str| world.folder.path().join(name);
        for folder in ["root/bin", "root/tmp", "root/data", "data"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        let mounts = vec![Mount::at("/", at("root"), false), Mount::at("/data", at("data"), false)];
        let env = vec![("COLOUR".to_owned(), "blue".to_owned())];
        let spec = RunSpec { mounts, env, cwd: Some("/data".to_owned()), ..world.spec() };
        let loader = world.loader().with_toolbox(Some(toolbox()));
        Self { world, own, spec, loader, interrupts: Interrupts::default() }
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.world.folder.path().join(path), bytes).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.world.folder.path().join(path)).unwrap()
    }

    fn begin(&self, command: &[&str]) -> (crate::executor::Task<Exit>, OutputBuffer, OutputBuffer) {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let (out, err) = (OutputBuffer::new(1 << 20), OutputBuffer::new(1 << 20));
        let spec = RunSpec {
            stdout: Arc::new(out.clone()),
            stderr: Arc::new(err.clone()),
            ..self.spec.clone()
        };
        let host = self.world.host();
        let account = host.account.clone();
        let running = exec(
            self.own.clone(),
            self.loader.clone(),
            host,
            spec,
            command,
            self.interrupts.clone(),
        );
        (account.spawn(running), out, err)
    }

    async fn exec(&self, command: &[&str]) -> Came {
        let (task, out, err) = self.begin(command);
        let exit = tokio::time::timeout(HANG, task).await.expect("it ends").unwrap();
        let text = |buffer: OutputBuffer| String::from_utf8_lossy(&buffer.contents()).into_owned();
        let mut err = text(err);
        err.extend(exit.message);
        Came { code: exit.code, out: text(out), err }
    }

    /// What `sh -c TEXT` comes to.
    async fn sh(&self, text: &str) -> Came {
        self.exec(&["sh", "-c", text]).await
    }
}

#[tokio::test]
async fn a_shell_runs_pipelines_of_tools() {
    let container = Container::new().await;
    for (text, out) in [
        ("echo a | wc -c", "2\n"),
        ("yes | head -n1", "y\n"),
        ("seq 5 | sort -r | head -n 3 | tail -n 1 | cat", "3\n"),
        ("x=$(echo one; echo two); echo \"[$x]\"", "[one\ntwo]\n"),
        ("echo $COLOUR $((6 * 7)) $(pwd)", "blue 42 /data\n"),
        ("for i in a b; do echo $i; done | while read x; do echo \"<$x>\"; done", "<a>\n<b>\n"),
        ("f() { echo \"$1\" | cat; }; f x", "x\n"),
        ("(cd /tmp; pwd); pwd", "/tmp\n/data\n"),
        ("cat <<EOF | sort\nb\na\nEOF", "a\nb\n"),
        ("sleep 0.01 & wait; echo $?", "0\n"),
    ] {
        assert_eq!(container.sh(text).await, came(0, out, ""), "{text}");
    }
}

#[tokio::test]
async fn files_are_those_of_the_container() {
    let container = Container::new().await;
    assert_eq!(container.exec(&["ls", "/"]).await, came(0, "bin\ndata\ntmp\n", ""));
    assert_eq!(
        container.sh("echo one > a; echo two >> a; cat < a | sort -r > b").await,
        came(0, "", "")
    );
    assert_eq!(
        (container.read("data/a"), container.read("data/b")),
        ("one\ntwo\n".into(), "two\none\n".into())
    );
    assert_eq!(
        container.sh("{ echo x; (echo y); echo z | cat; } > /data/c; wc -l c").await,
        came(0, "3 c\n", "")
    );
    assert_eq!(container.sh("ls nowhere 2>&1 >/dev/null | wc -l").await, came(0, "1\n", ""));
    assert_eq!(container.exec(&["/bin/cat", "/data/../secret"]).await.code, 1);
}

#[tokio::test]
async fn codes_are_those_of_a_shell() {
    let container = Container::new().await;
    for (text, code) in [
        ("exit 3", 3),
        ("false | true", 0),
        ("true | false", 1),
        ("set -o pipefail; false | true", 1),
        ("(exit 5)", 5),
        ("nothing-of-that-name 2>/dev/null", 127),
        ("set -e; false; exit 0", 1),
        ("sleep 100 & kill $!; wait $!", 143),
        ("trap 'exit 9' EXIT; true", 9),
        ("if", 2),
    ] {
        assert_eq!(container.sh(text).await.code, code, "{text}");
    }
    let unknown = container.exec(&["nothing-of-that-name"]).await;
    assert_eq!(unknown.code, 127);
    assert!(unknown.err.ends_with("; the toolbox has sh, ls, cat and others"), "{unknown:?}");
}

/// Writes what it reads, and ends with 4.
const COPIES: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 16))
        (loop $more
            (i32.store (i32.const 4) (i32.const 1000))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (i32.store (i32.const 4) (i32.load (i32.const 8)))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
            (br_if $more (i32.load (i32.const 8))))
        (call $exit (i32.const 4))))"#;

#[tokio::test]
async fn what_the_container_has_comes_before_the_tools() {
    let container = Container::new().await;
    assert_eq!(container.sh("healthy; echo $?; guest; echo $?").await, came(0, "3\n7\n", ""));
    container.write("root/bin/copies.wasm", wat::parse_str(COPIES).unwrap());
    assert_eq!(
        container.sh("echo a | copies | tr a b; echo b | copies > f; echo $?; cat f").await,
        came(0, "b\n4\nb\n", "")
    );
    assert_eq!(
        container.sh("copies < f 2>&1 | cat; yes | copies | head -n 1").await,
        came(0, "b\ny\n", "")
    );
    container.write("root/bin/wc.wasm", wat::parse_str(COPIES).unwrap());
    assert_eq!(container.sh("echo mine | wc").await, came(4, "mine\n", ""));
    container.write("data/script", "#!/bin/sh\necho \"$0 $1\"; exit 6\n");
    assert_eq!(container.sh("./script x").await, came(6, "./script x\n", ""));
    assert_eq!(container.exec(&["/data/script", "y"]).await, came(6, "/data/script y\n", ""));
    container.write("data/other", "#!/usr/bin/perl\n");
    let other = container.exec(&["./other"]).await;
    assert!(other.code == 126 && other.err.contains("is not WebAssembly"), "{other:?}");
}

#[tokio::test]
async fn an_exec_has_so_many_processes_and_no_more() {
    let container = Container::new().await;
    let bomb = container.sh("while true; do sleep 100 & done").await;
    assert_eq!((bomb.code, &*bomb.out), (2, ""));
    assert_eq!(bomb.err, "sh: cannot fork: Resource temporarily unavailable\n");
    let recursive = container.sh("f() { f | f; }; f 2>/dev/null; echo ended").await;
    assert_eq!(recursive.out, "ended\n");
    // Nothing of it is left.
    assert_eq!(container.spec.memory.used(), 0);
    assert_eq!(container.sh("echo fine").await, came(0, "fine\n", ""));
}

#[tokio::test]
async fn the_memory_of_all_processes_is_the_containers() {
    let mut world = World::new();
    world.memory_limit = Some(4 << 20);
    let container = Container::with(world).await;
    let came = container
        .sh("sleep 9 & sleep 9 & sleep 9 & sleep 9 & sleep 9 & sleep 9 & sleep 9 & echo no")
        .await;
    assert_eq!((came.code, &*came.out), (2, ""));
    assert_eq!(came.err, "sh: cannot fork: Out of memory\n");
    assert_eq!(container.spec.memory.used(), 0);
}

#[tokio::test]
async fn a_dropped_exec_takes_its_processes_along() {
    let container = Container::new().await;
    let (task, out, _) =
        container.begin(&["sh", "-c", "yes > /dev/null & sleep 100 | cat & echo up; wait"]);
    wait_for(|| out.contents() == b"up\n").await;
    drop(task);
    wait_for(|| container.spec.memory.used() == 0).await;
}

#[tokio::test]
async fn control_c_ends_what_runs_and_not_a_shell_that_takes_it() {
    let container = Container::new().await;
    let (task, out, _) = container.begin(&[
        "sh",
        "-ic",
        "echo up; sleep 100; echo $?; yes | cat >/dev/null; echo $?",
    ]);
    wait_for(|| out.contents() == b"up\n").await;
    wait_for(|| container.interrupts.interrupt()).await;
    drop(task);
    let (_task, out, _) = container.begin(&["sh", "-c", "echo up; sleep 100"]);
    wait_for(|| out.contents() == b"up\n").await;
    assert!(!container.interrupts.interrupt(), "nobody takes it");
}

#[tokio::test]
async fn tools_reach_whom_the_pod_reaches() {
    use std::future::poll_fn;

    let container = Container::new().await;
    let endpoint = container.world.network.endpoint();
    let listener = endpoint.listen_any(8080).unwrap();
    let serve = async {
        loop {
            let accepted = poll_fn(|context| listener.poll_accept(context)).await.unwrap();
            let mut asked = Vec::new();
            // A request of HTTP ends with an empty line, what `nc` says with a line.
            while !asked.ends_with(b"\r\n\r\n") && asked != b"me\n" {
                match poll_fn(|context| accepted.stream.poll_read_bytes(context, 100)).await {
                    Ok(bytes) if !bytes.is_empty() => asked.extend_from_slice(&bytes),
                    Ok(_) | Err(_) => break,
                }
            }
            let asked = String::from_utf8_lossy(&asked);
            let answer = match asked.split(' ').nth(1) {
                Some("/a") => "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n".to_owned(),
                Some("/b") => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                               3\r\nyes\r\n0\r\n\r\n"
                    .to_owned(),
                Some(_) => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
                None => format!("heard {asked}"),
            };
            // Whoever only looks does not listen.
            let _ = accepted.stream.write(answer.into());
            accepted.stream.shutdown_write();
        }
    };
    let ask = async {
        let sh = async |text: &str| container.sh(text).await;
        assert_eq!(sh("wget -qO- http://localhost:8080/a").await, came(0, "yes", ""));
        assert_eq!(sh("curl -sw ' %{http_code}' localhost:8080/a").await, came(0, " 302", ""));
        let missing = sh("wget -q http://localhost:8080/c").await;
        assert_eq!(missing, came(1, "", "wget: server returned error: HTTP/1.1 404 Not Found\n"));
        assert_eq!(sh("echo me | nc localhost 8080").await, came(0, "heard me\n", ""));
        let looked = "nc -z localhost 8080; echo $?; nc -z localhost 81 2>/dev/null; echo $?";
        assert_eq!(sh(looked).await, came(0, "0\n1\n", ""));
        let looked_up = sh("nslookup localhost | head -n 1").await;
        assert_eq!(looked_up, came(0, "Name:\tlocalhost\n", ""));
        assert_eq!(sh("nslookup no.such.name").await.code, 1);
    };
    tokio::select! {
        () = ask => {}
        () = serve => {}
    }
}

/// Waits until it is so, however long that takes.
async fn wait_for(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(HANG, waiting).await.expect("it comes to be so");
}

#[tokio::test]
async fn no_container_gets_processes_of_its_own() {
    let world = World::new();
    let text =
        r#"(module (import "wasmpod_process" "pid" (func (result i32))) (func (export "_start")))"#;
    let refused = world.prepare(text).await.err().map(|error| error.to_string()).unwrap();
    assert!(refused.contains("wasmpod_process"), "{refused}");
}
