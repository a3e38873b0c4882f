//! Budgets of instructions.

use k8s_openapi::api::core::v1::Container;

use super::*;

impl World {
    fn with_budget(units: u64) -> Self {
        let mut world = Self::new();
        (world.engines, world.cache) = (world.engines.counting(), world.cache.counting());
        let annotations = [("wasmpod.dev/fuel".to_owned(), units.to_string())].into();
        world.fuel = FuelBudget::of(Some(&annotations), &Container::default()).unwrap();
        world
    }

    /// How far a guest has counted.
    fn lines(&self) -> usize {
        self.stdout.contents().iter().filter(|byte| **byte == b'\n').count()
    }
}

/// Writes a line after every hundred thousand rounds or so of a loop; in `_start` or before it.
fn counts(entry: &str) -> String {
    module(&format!(
        r#"(data (i32.const 8) "\10\00\00\00\01\00\00\00\0a")
        (func $main {entry} (local $round i32)
            (loop $forever
                (local.set $round (i32.add (local.get $round) (i32.const 1)))
                (br_if $forever (i32.rem_u (local.get $round) (i32.const 100000)))
                (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
                (br $forever)))"#
    ))
}

#[tokio::test]
async fn a_guest_ends_at_the_same_instruction_each_time() {
    let mut counted = Vec::new();
    for _ in 0..2 {
        let world = World::with_budget(30_000_000);
        let exit = world.exit(&counts(r#"(export "_start")"#)).await;
        assert_eq!((exit.code, exit.reason), (152, ExitReason::FuelExhausted), "{exit:?}");
        let message = "the budget of 30000000 units of fuel is used up";
        assert_eq!(exit.message.as_deref(), Some(message));
        counted.push(world.lines());
    }
    assert!(counted[0] > 10, "{counted:?}");
    assert_eq!(counted[0], counted[1]);
    let half = World::with_budget(15_000_000);
    half.exit(&counts(r#"(export "_start")"#)).await;
    assert!(half.lines().abs_diff(counted[0] / 2) <= 1, "{} {counted:?}", half.lines());
}

#[tokio::test]
async fn what_ends_within_its_budget_ends_as_ever() {
    let world = World::with_budget(30_000_000);
    let exit = world.exit(&module(r#"(func (export "_start") (call $exit (i32.const 7)))"#)).await;
    assert_eq!(exit.code, 7);
    assert_eq!(world.exit(&command("i32.const 0")).await, Exit::completed());
    assert_eq!(world.exit(&async_command("i32.const 0")).await, Exit::completed());
}

#[tokio::test]
async fn a_start_function_counts_too() {
    let world = World::with_budget(1_000_000);
    let text =
        counts("").replace("(func $main", r#"(func (export "_start")) (start $main) (func $main"#);
    let exit = world.exit(&text).await;
    assert_eq!((exit.code, exit.reason), (152, ExitReason::FuelExhausted), "{exit:?}");
}

#[tokio::test]
async fn a_guest_with_a_budget_gives_way() {
    let mut world = World::with_budget(u64::MAX);
    world.executor = PodExecutor::threads(1);
    let program = world.prepare(&counts(r#"(export "_start")"#)).await.unwrap();
    let spinning = world.start(program);
    let account = world.executor.account("other", Weight::MIN, None);
    let other = account.spawn(async { 7 });
    let other = tokio::time::timeout(HANG, other).await.expect("it has its turn");
    assert_eq!(other.unwrap(), 7);
    spinning.abort_handle().abort();
    assert!(matches!(spinning.await, Err(TaskError::Aborted)));
}
