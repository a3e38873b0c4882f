//! Commands beside a run.

use super::*;

impl World {
    /// What comes of `command` in a container of the guest in `text`.
    async fn exec(&self, text: &str, command: &[&str]) -> Exit {
        let program = self.prepare(text).await.unwrap();
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let task = self.host().account.spawn(exec(program, self.host(), self.spec(), command));
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
    let task = account.spawn(exec(program, host, world.spec(), vec!["spin".to_owned()]));
    assert!(tokio::time::timeout(Duration::from_millis(20), task).await.is_err());
    let next = account.spawn(async { 7 });
    assert_eq!(tokio::time::timeout(HANG, next).await.expect("the CPU is free").unwrap(), 7);
}
