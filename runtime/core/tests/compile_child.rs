//! Compiling in a child process: this program is its own child (hence no test harness, whose
//! output would mix with the child's answer).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test in a main function, which clippy does not know for one"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, test_kill_process};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wasmpod::image::{ChildProgram, CodeCache, Compiler, Confinement, Reservation, compile_child};

/// Only a hang takes this long.
const HANG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if arguments[0].starts_with("/proc/self/fd/") {
        // Started from memory, where a program gets no arguments.
        return compile_child();
    }
    match arguments.get(1).map(String::as_str) {
        Some("compile") => {
            // So that a test can watch the child's end.
            std::fs::write(&arguments[2], std::process::id().to_string()).unwrap();
            compile_child()
        }
        Some("compile-for-ever") => {
            let done = compile_in(Path::new(&arguments[2]), &large_guest());
            println!("nobody stopped it: {done:?}");
            ExitCode::SUCCESS
        }
        _ => {
            let tests: [(&str, fn()); 9] = [
                ("code_comes_out_of_the_child", code_comes_out_of_the_child),
                ("a_program_in_memory_compiles_too", a_program_in_memory_compiles_too),
                ("the_compilers_reason_comes_back", the_compilers_reason_comes_back),
                ("a_child_that_is_no_compiler_is_told", a_child_that_is_no_compiler_is_told),
                ("a_child_that_lies_is_not_believed", a_child_that_lies_is_not_believed),
                ("a_large_guest_has_better_code_later", a_large_guest_has_better_code_later),
                ("quick_code_is_not_for_everybody", quick_code_is_not_for_everybody),
                ("giving_up_ends_the_child", giving_up_ends_the_child),
                ("the_child_ends_with_its_parent", the_child_ends_with_its_parent),
            ];
            for (name, test) in tests {
                test();
                println!("test {name} ... ok");
            }
            ExitCode::SUCCESS
        }
    }
}

fn this_program(folder: &Path) -> Compiler {
    Compiler::Child(ChildProgram::File {
        program: env::current_exe().unwrap(),
        arguments: vec!["compile".into(), folder.join("pid").into()],
    })
}

fn cache(folder: &Path, compiler: Compiler) -> CodeCache {
    CodeCache::open(&folder.join("cache"), Reservation::Whole, compiler).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

/// Compiles a guest in a child; gives the code's folder entry or the error's text.
fn compile_in(folder: &Path, text: &str) -> Result<PathBuf, String> {
    let image = folder.join("guest.wat");
    std::fs::write(&image, text).unwrap();
    let cache = cache(folder, this_program(folder));
    runtime()
        .block_on(cache.code(&image, || {}))
        .map(|code| code.file)
        .map_err(|error| error.to_string().replace(&*folder.to_string_lossy(), ""))
}

/// Takes much longer to compile than any test needs to look.
fn large_guest() -> String {
    let mut text = "(module".to_owned();
    for _ in 0..3000 {
        text += "(func (param i64) (result i64)";
        for round in 0..100 {
            text += &format!(
                "(local.set 0 (i64.xor (i64.mul (local.get 0) (i64.const {round}7)) (i64.rotl (local.get 0) (i64.const {round}))))"
            );
        }
        text += "(local.get 0))";
    }
    text + r#"(func (export "_start")))"#
}

/// The child's process, once it has started.
fn wait_for_child(folder: &Path) -> Pid {
    let until = SystemTime::now() + HANG;
    loop {
        let written = std::fs::read_to_string(folder.join("pid")).unwrap_or_default();
        if let Some(pid) = written.parse().ok().and_then(Pid::from_raw) {
            return pid;
        }
        assert!(SystemTime::now() < until, "no child was started");
        thread::sleep(Duration::from_millis(5));
    }
}

/// When memory is short it goes first.
fn wait_for_oom_score(pid: Pid) {
    let until = SystemTime::now() + HANG;
    let path = format!("/proc/{}/oom_score_adj", pid.as_raw_nonzero());
    while std::fs::read_to_string(&path).unwrap().trim() != "1000" {
        assert!(SystemTime::now() < until, "the child is not offered to the OOM killer");
        thread::sleep(Duration::from_millis(5));
    }
}

/// It computes behind a filter of system calls, where the kernel has such.
fn wait_for_confinement(pid: Pid) {
    let until = SystemTime::now() + HANG;
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let is_filtered = || std::fs::read_to_string(&path).unwrap().contains("Seccomp:\t2");
    while Confinement::detect().seccomp && !is_filtered() {
        assert!(SystemTime::now() < until, "the child is not confined");
        thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for_end(pid: Pid) {
    let until = SystemTime::now() + HANG;
    while test_kill_process(pid).is_ok() && !is_zombie(pid) {
        assert!(SystemTime::now() < until, "the child outlives who asked for it");
        thread::sleep(Duration::from_millis(5));
    }
}

/// An orphan whose new parent has not collected it yet is dead all the same.
fn is_zombie(pid: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))
        .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

fn code_comes_out_of_the_child() {
    let folder = TempDir::new().unwrap();
    let file = compile_in(folder.path(), r#"(module (func (export "_start")))"#).unwrap();
    assert!(file.to_string_lossy().ends_with(".command-0.1"), "{}", file.display());
    assert!(wait_for_child(folder.path()).as_raw_nonzero().get() > 1);
}

/// Several at once: each is written and started while others are.
fn a_program_in_memory_compiles_too() {
    let program = std::fs::read(env::current_exe().unwrap()).unwrap().leak();
    let folder = TempDir::new().unwrap();
    let cache = cache(folder.path(), Compiler::Child(ChildProgram::Embedded(program)));
    let codes = (0..4).map(|number| {
        let image = folder.path().join(format!("guest{number}.wat"));
        let text = format!(r#"(module (func (export "_start")) (memory {number}))"#);
        std::fs::write(&image, text).unwrap();
        let cache = cache.clone();
        async move { cache.code(&image, || {}).await }
    });
    let codes = runtime().block_on(futures::future::join_all(codes));
    for code in codes {
        assert!(code.unwrap().file.exists());
    }
}

fn the_compilers_reason_comes_back() {
    let folder = TempDir::new().unwrap();
    let invalid = r#"(module (func (export "_start") (i32.const 1)))"#;
    let error = compile_in(folder.path(), invalid).unwrap_err();
    assert!(error.starts_with("image file /guest.wat does not compile: "), "{error}");
    assert!(error.contains("type mismatch"), "{error}");
    let error = compile_in(folder.path(), "(module").unwrap_err();
    assert!(error.contains("is not valid WebAssembly text"), "{error}");
}

fn a_child_that_is_no_compiler_is_told() {
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("guest.wat");
    std::fs::write(&image, "(module)").unwrap();
    let error_of = |program: &str, arguments: &[&str]| {
        let arguments = arguments.iter().map(Into::into).collect();
        let compiler = Compiler::Child(ChildProgram::File { program: program.into(), arguments });
        let cache = cache(folder.path(), compiler);
        runtime().block_on(cache.code(&image, || {})).unwrap_err().to_string()
    };
    let error = error_of("/bin/true", &[]);
    assert!(error.contains("ended with code 0 and without an answer"), "{error}");
    let error = error_of("/bin/sh", &["-c", "echo no room >&2; exit 3"]);
    assert!(error.contains("ended with code 3 and without an answer: no room"), "{error}");
    let error = error_of("/bin/sh", &["-c", "kill -9 $$"]);
    assert!(error.contains("was killed (out of memory?)"), "{error}");
    let error = error_of("/no/such/program", &[]);
    assert!(error.contains("cannot start the compiling process"), "{error}");
}

/// Somebody has taken it over: what it says must not lead out of the cache, nor to the code of others.
fn a_child_that_lies_is_not_believed() {
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("guest.wat");
    std::fs::write(&image, "(module)").unwrap();
    let digest: String = Sha256::digest("(module)").iter().map(|b| format!("{b:02x}")).collect();
    for (digest, tag, told) in [
        ("../../elsewhere", "command-0.1", "it was changed while it was compiled"),
        (&*"0".repeat(64), "command-0.1", "it was changed while it was compiled"),
        (&*digest, "../../elsewhere", "the compiling process says that it is \"../../elsewhere\""),
    ] {
        let answer = format!(r#"{{"Ok":{{"digest":"{digest}","tag":"{tag}","is_quick":false}}}}"#);
        let program = "/bin/sh".into();
        let arguments = vec!["-c".into(), format!("echo '{answer}'").into()];
        let cache =
            cache(folder.path(), Compiler::Child(ChildProgram::File { program, arguments }));
        let error = runtime().block_on(cache.code(&image, || {})).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let left = std::fs::read_dir(folder.path().join("cache/code")).unwrap().count();
    assert_eq!(left, 0, "files of a compilation that failed");
}

fn a_large_guest_has_better_code_later() {
    let folder = TempDir::new().unwrap();
    let text = enlarged(&large_guest());
    // Until it has its turn.
    let locks = folder.path().join("cache/locks");
    std::fs::create_dir_all(&locks).unwrap();
    let turn = std::fs::File::create(locks.join("better")).unwrap();
    turn.lock().unwrap();
    let file = compile_in(folder.path(), &text).unwrap();
    let size = || std::fs::metadata(&file).unwrap().len();
    let quick = size();
    drop(turn);
    let marks = || std::fs::read_dir(folder.path().join("cache/quick")).unwrap().count();
    let until = SystemTime::now() + HANG;
    while marks() > 0 {
        assert!(SystemTime::now() < until, "no better code comes");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(size() < quick, "code of the same size");
}

/// What another process had made in haste is none for who trusts one compiler only.
fn quick_code_is_not_for_everybody() {
    let folder = TempDir::new().unwrap();
    let locks = folder.path().join("cache/locks");
    std::fs::create_dir_all(&locks).unwrap();
    let turn = std::fs::File::create(locks.join("better")).unwrap();
    turn.lock().unwrap();
    let file = compile_in(folder.path(), &enlarged(&large_guest())).unwrap();
    let quick = std::fs::metadata(&file).unwrap().len();
    let marks = || std::fs::read_dir(folder.path().join("cache/quick")).unwrap().count();
    assert_eq!(marks(), 1);

    let cache = cache(folder.path(), this_program(folder.path())).optimised_at_first();
    let image = folder.path().join("guest.wat");
    assert!(cache.find(&image).unwrap().is_none());
    let code = runtime().block_on(cache.code(&image, || {})).unwrap();
    assert!(std::fs::metadata(&code.file).unwrap().len() < quick);
    assert_eq!(marks(), 0);
}

/// So large that it gets code quickly at first.
fn enlarged(text: &str) -> String {
    let padding = "x".repeat(8 << 20);
    text.replacen("(module", &format!("(module (@custom \"padding\" \"{padding}\")"), 1)
}

fn giving_up_ends_the_child() {
    let folder = TempDir::new().unwrap();
    let image = folder.path().join("guest.wat");
    std::fs::write(&image, large_guest()).unwrap();
    let cache = cache(folder.path(), this_program(folder.path()));
    let runtime = runtime();
    runtime.block_on(async {
        let started = async {
            while !folder.path().join("pid").exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            code = cache.code(&image, || {}) => panic!("too fast: {code:?}"),
            () = started => {}
        }
    });
    wait_for_end(wait_for_child(folder.path()));
    // Waits for the blocking thread, which must have ended too.
    drop(runtime);
}

fn the_child_ends_with_its_parent() {
    let folder = TempDir::new().unwrap();
    let mut parent = Command::new(env::current_exe().unwrap())
        .arg("compile-for-ever")
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = wait_for_child(folder.path());
    wait_for_oom_score(child);
    wait_for_confinement(child);
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_for_end(child);
    // What it left behind is in nobody's way.
    let file = compile_in(folder.path(), r#"(module (func (export "_start")))"#).unwrap();
    assert!(file.exists());
}
