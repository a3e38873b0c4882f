//! The executor as its users see it: with threads, and on a paused clock without.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use wasmtime::{Config, Engine, Linker, Module, Store, UpdateDeadline};

use super::*;

/// For what must happen: the tests that pass never wait for it.
const GENEROUS: Duration = Duration::from_secs(60);

fn account(executor: &PodExecutor, name: &str) -> Account {
    executor.account(name, Weight::of_request(MilliCpu::new(1000)), None)
}

/// Says when it is dropped, and on which thread.
struct Tattletale(Option<mpsc::Sender<std::thread::ThreadId>>);

impl Tattletale {
    fn new() -> (Self, mpsc::Receiver<std::thread::ThreadId>) {
        let (sender, receiver) = mpsc::channel();
        (Self(Some(sender)), receiver)
    }
}

impl Drop for Tattletale {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(std::thread::current().id());
        }
    }
}

/// A guest that spins for ever, giving way at each epoch tick.
async fn spinning_guest(engine: Engine) {
    let text = "(module (func (export \"spin\") (loop (br 0))))";
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(yield_point()))));
    let instance = Linker::new(&engine).instantiate_async(&mut store, &module).await.unwrap();
    let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
    spin.call_async(&mut store, ()).await.unwrap();
}

fn engine() -> Engine {
    Engine::new(Config::new().epoch_interruption(true)).unwrap()
}

#[tokio::test]
async fn a_task_gives_its_result_once_all_it_held_is_dropped() {
    let executor = PodExecutor::threads(1);
    let (held, dropped) = Tattletale::new();
    let task = account(&executor, "web").spawn(async move {
        let _held = held;
        sleep(Duration::from_millis(1)).await;
        7
    });
    assert_eq!(task.await, Ok(7));
    assert!(dropped.try_recv().is_ok());
    executor.shutdown(GENEROUS).await.unwrap();
}

async fn until(executor: &PodExecutor, state: impl Fn(Stats) -> bool) {
    let reached = async {
        while !state(executor.stats()) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(GENEROUS, reached).await.unwrap();
}

/// Threads that have nothing to do any more end by themselves.
async fn no_threads(executor: &PodExecutor) {
    until(executor, |stats| stats.workers == 0 && !stats.ticker).await;
}

#[tokio::test]
async fn one_container_costs_one_worker() {
    let executor = PodExecutor::threads(8);
    assert_eq!(executor.stats().workers, 0);
    let web = account(&executor, "web").spawn(async {
        for _ in 0..50 {
            yield_point().await;
            sleep(Duration::from_micros(10)).await;
        }
    });
    web.await.unwrap();
    let Stats { workers, rescues, .. } = executor.stats();
    assert_eq!((workers, rescues), (1, 0));
    executor.shutdown(GENEROUS).await.unwrap();
    no_threads(&executor).await;
}

#[tokio::test]
async fn a_panic_ends_its_task_only() {
    let executor = PodExecutor::threads(1);
    let web = account(&executor, "web");
    let task = web.spawn(async {
        sleep(Duration::from_millis(1)).await;
        panic!("the guest's host function failed");
    });
    let outcome: Result<(), _> = task.await;
    assert_eq!(outcome, Err(TaskError::Panicked("the guest's host function failed".to_owned())));
    assert_eq!(web.spawn(async { 1 }).await, Ok(1));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn a_panic_while_an_aborted_task_is_dropped_harms_nobody() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let executor = PodExecutor::threads(1);
    let web = account(&executor, "web");
    let bomb = Bomb;
    let task = web.spawn(async move {
        let _bomb = bomb;
        pending::<()>().await;
    });
    task.abort();
    assert_eq!(task.await, Err(TaskError::Aborted));
    assert_eq!(web.spawn(async { 1 }).await, Ok(1));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn an_aborted_sleeper_is_dropped_by_a_worker() {
    let executor = PodExecutor::threads(1);
    let (held, dropped) = Tattletale::new();
    let task = account(&executor, "web").spawn(async move {
        let _held = held;
        pending::<()>().await;
    });
    task.abort();
    assert_eq!(task.await, Err(TaskError::Aborted));
    assert_ne!(dropped.try_recv().unwrap(), std::thread::current().id());
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn dropping_the_handle_aborts() {
    let executor = PodExecutor::threads(1);
    let (held, dropped) = Tattletale::new();
    drop(account(&executor, "web").spawn(async move {
        let _held = held;
        pending::<()>().await;
    }));
    dropped.recv_timeout(GENEROUS).unwrap();
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn an_abort_waits_for_the_end_of_the_poll() {
    let executor = PodExecutor::threads(1);
    let (held, dropped) = Tattletale::new();
    let (entered_sender, entered) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let task = account(&executor, "web").spawn(async move {
        let _held = held;
        entered_sender.send(()).unwrap();
        may_leave.recv_timeout(GENEROUS).unwrap();
        pending::<()>().await;
    });
    entered.recv_timeout(GENEROUS).unwrap();
    task.abort();
    assert!(dropped.try_recv().is_err(), "dropped while it was polled");
    leave.send(()).unwrap();
    assert_eq!(task.await, Err(TaskError::Aborted));
    assert_ne!(dropped.try_recv().unwrap(), std::thread::current().id());
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn a_result_that_came_before_the_abort_counts() {
    let executor = PodExecutor::threads(1);
    let web = account(&executor, "web");
    let task = web.spawn(async { 1 });
    // Same account, one worker: it comes after.
    web.spawn(async {}).await.unwrap();
    task.abort();
    assert_eq!(task.await, Ok(1));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn spinning_guests_give_way_to_others_to_timers_and_to_aborts() {
    let executor = PodExecutor::threads(1);
    let engine = engine();
    executor.register(&engine);
    let web = account(&executor, "web");
    let spinners: Vec<_> =
        (0..3).map(|_| account(&executor, "spin").spawn(spinning_guest(engine.clone()))).collect();
    for _ in 0..5 {
        web.spawn(sleep(Duration::from_millis(2))).await.unwrap();
    }
    for spinner in spinners {
        spinner.abort();
        assert_eq!(spinner.await, Err(TaskError::Aborted));
    }
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn an_idle_pod_needs_no_ticker_and_gets_it_back_with_the_next_poll() {
    let executor = PodExecutor::threads(1);
    let engine = engine();
    executor.register(&engine);
    let web = account(&executor, "web");
    let (wake, woken) = tokio::sync::oneshot::channel();
    let spinner = web.spawn(async {
        woken.await.unwrap();
        spinning_guest(engine).await;
    });
    // One that computes for long gets one.
    let pool = Arc::clone(&executor);
    let computing = web.spawn(async move {
        while !pool.stats().ticker {
            std::hint::spin_loop();
        }
    });
    timeout(GENEROUS, computing).await.unwrap().unwrap();
    until(&executor, |stats| !stats.ticker).await;
    // The wake starts no task that would start the ticker on its way.
    wake.send(()).unwrap();
    until(&executor, |stats| stats.ticker).await;
    timeout(GENEROUS, web.spawn(async {})).await.unwrap().unwrap();
    spinner.abort();
    assert_eq!(spinner.await, Err(TaskError::Aborted));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn a_spinning_guest_cannot_outlive_its_executor() {
    let executor = PodExecutor::threads(2);
    let engine = engine();
    executor.register(&engine);
    let tasks: Vec<_> =
        (0..4).map(|_| account(&executor, "spin").spawn(spinning_guest(engine.clone()))).collect();
    drop(executor);
    for task in tasks {
        assert_eq!(task.await, Err(TaskError::Aborted));
    }
}

#[tokio::test]
async fn cpu_time_is_charged_to_the_account_that_used_it() {
    let executor = PodExecutor::threads(1);
    let (busy, lazy) = (account(&executor, "busy"), account(&executor, "lazy"));
    let sleeper = lazy.spawn(sleep(Duration::from_millis(30)));
    let worker = busy.spawn(async {
        let start = clock::thread_cpu();
        let mut polls = 0u32;
        while clock::thread_cpu() - start < 20 * clock::MILLISECOND {
            polls += 1;
            yield_point().await;
        }
        polls
    });
    assert!(worker.await.unwrap() > 1);
    sleeper.await.unwrap();
    // CPU time, so that a busy machine does not matter.
    assert!(busy.cpu_time() >= Duration::from_millis(10), "{:?}", busy.cpu_time());
    assert!(lazy.cpu_time() < busy.cpu_time() / 2, "{:?}", lazy.cpu_time());
    lazy.charge(Duration::from_secs(1));
    assert!(lazy.cpu_time() >= Duration::from_secs(1));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn a_limited_account_is_held_and_goes_on() {
    let executor = PodExecutor::threads(1);
    let limited = executor.account("limited", Weight::MIN, MilliCpu::new(1));
    // An hour owed at a thousandth of a core: nothing starts before the limit is lifted.
    limited.charge(Duration::from_secs(3600));
    let started = Arc::new(AtomicBool::new(false));
    let task = limited.spawn({
        let started = Arc::clone(&started);
        async move { started.store(true, SeqCst) }
    });
    account(&executor, "web").spawn(sleep(Duration::from_millis(5))).await.unwrap();
    assert!(!started.load(SeqCst));
    limited.set_limit(None);
    task.await.unwrap();
    assert!(started.load(SeqCst));

    // An abort does not wait for the hold.
    limited.set_limit(MilliCpu::new(1));
    limited.charge(Duration::from_secs(3600));
    let task = limited.spawn(async {});
    task.abort();
    assert_eq!(task.await, Err(TaskError::Aborted));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn a_hold_ends_by_itself() {
    let executor = PodExecutor::threads(1);
    let limited = executor.account("limited", Weight::MIN, MilliCpu::new(500));
    limited.charge(Duration::from_millis(5));
    timeout(GENEROUS, limited.spawn(async {})).await.unwrap().unwrap();
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn others_go_on_beside_a_guest_that_is_stuck_in_a_host_call() {
    let executor = PodExecutor::threads(1);
    let (leave, may_leave) = mpsc::channel::<()>();
    let (entered_sender, entered) = mpsc::channel();
    let stuck = account(&executor, "stuck").spawn(async move {
        entered_sender.send(()).unwrap();
        may_leave.recv_timeout(GENEROUS).unwrap();
    });
    entered.recv_timeout(GENEROUS).unwrap();
    let web = account(&executor, "web");
    for _ in 0..10 {
        timeout(GENEROUS, web.spawn(yield_point())).await.unwrap().unwrap();
    }
    assert!(executor.stats().rescues >= 1);
    let waited = Duration::from_millis(1);
    let outcome = executor.shutdown(waited).await;
    assert!(matches!(outcome, Err(StillRunning { tasks: 1.., .. })), "{outcome:?}");
    leave.send(()).unwrap();
    assert_eq!(stuck.await, Ok(()));
    executor.shutdown(GENEROUS).await.unwrap();
}

#[tokio::test]
async fn an_executor_that_was_shut_down_takes_no_tasks() {
    let executor = PodExecutor::threads(1);
    let web = account(&executor, "web");
    web.spawn(async {}).await.unwrap();
    executor.shutdown(GENEROUS).await.unwrap();
    assert_eq!(web.spawn(async {}).await, Err(TaskError::Aborted));
    no_threads(&executor).await;
}

#[tokio::test]
async fn nothing_of_an_executor_outlives_it() {
    let executor = PodExecutor::threads(2);
    let held = Arc::new(());
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let held = Arc::clone(&held);
            account(&executor, "web").spawn(async move {
                let _held = held;
                if number % 2 == 0 {
                    pending::<()>().await;
                }
            })
        })
        .collect();
    executor.shutdown(GENEROUS).await.unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
    drop((executor, tasks));
}

#[tokio::test]
async fn a_task_starts_tasks_on_its_own_account() {
    let executor = PodExecutor::threads(2);
    let web = account(&executor, "web");
    let server = web.spawn({
        let web = web.clone();
        async move {
            let connections: Vec<_> =
                (0..1000u32).map(|number| web.spawn(async move { number })).collect();
            let mut sum = 0;
            for connection in connections {
                sum += connection.await.unwrap();
            }
            sum
        }
    });
    assert_eq!(timeout(GENEROUS, server).await.unwrap(), Ok(499_500));
    executor.shutdown(GENEROUS).await.unwrap();
}

/// Passes a token round a ring of tasks; each also wakes random others, and a thread outside
/// aborts and starts tasks meanwhile. A lost wake would stop the token.
async fn ring(executor: Arc<PodExecutor>, tasks: usize, rounds: usize) {
    let bells: Vec<_> = (0..tasks).map(|_| Arc::new(Notify::new())).collect();
    let accounts: Vec<_> = (0..3).map(|_| account(&executor, "ring")).collect();
    let laps = Arc::new(AtomicUsize::new(0));
    let ring: Vec<_> = (0..tasks)
        .map(|number| {
            let (bells, laps) = (bells.clone(), Arc::clone(&laps));
            accounts[number % 3].spawn(async move {
                for lap in 0..rounds {
                    bells[number].notified().await;
                    laps.fetch_add(1, SeqCst);
                    if (lap + number) % 3 == 0 {
                        yield_point().await;
                    }
                    bells[(number + 1) % bells.len()].notify_one();
                }
            })
        })
        .collect();
    let noise = async {
        loop {
            let task = accounts[0].spawn(async {
                for _ in 0..3 {
                    yield_point().await;
                }
                pending::<()>().await;
            });
            tokio::task::yield_now().await;
            task.abort();
            assert_eq!(task.await, Err(TaskError::Aborted));
        }
    };
    bells[0].notify_one();
    let joined = async {
        for task in ring {
            task.await.unwrap();
        }
    };
    tokio::select! {
        () = joined => {}
        () = noise => unreachable!("it never ends"),
    }
    assert_eq!(laps.load(SeqCst), tasks * rounds);
}

#[tokio::test]
async fn no_wake_is_lost_among_threads() {
    for workers in [1, 2] {
        let executor = PodExecutor::threads(workers);
        timeout(GENEROUS, ring(Arc::clone(&executor), 20, 500)).await.expect("the token was lost");
        executor.shutdown(GENEROUS).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_wake_is_lost_without_threads() {
    let executor = PodExecutor::inline();
    let ring = ring(Arc::clone(&executor), 20, 200);
    timeout(GENEROUS, executor.run_until(ring)).await.expect("the token was lost");
}

/// Who did what and when, on a paused clock.
async fn trace() -> Vec<String> {
    let executor = PodExecutor::inline();
    let start = tokio::time::Instant::now();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
    let tasks: Vec<_> = [("a", 3600), ("b", 1800), ("c", 3600)]
        .map(|(name, seconds)| {
            let sender = sender.clone();
            account(&executor, name).spawn(async move {
                for lap in 0..2 {
                    sleep(Duration::from_secs(seconds)).await;
                    yield_point().await;
                    sender
                        .send(format!("{:>4}s {name}{lap}", start.elapsed().as_secs()))
                        .await
                        .unwrap();
                }
            })
        })
        .into();
    drop(sender);
    executor
        .run_until(async {
            let mut lines = Vec::new();
            while let Some(line) = receiver.recv().await {
                lines.push(line);
            }
            for task in tasks {
                task.await.unwrap();
            }
            lines
        })
        .await
}

#[tokio::test(start_paused = true)]
async fn on_virtual_time_hours_pass_in_order() {
    let lines = trace().await;
    insta::assert_snapshot!(lines.join("\n"), @r"
    1800s b0
    3600s a0
    3600s c0
    3600s b1
    7200s a1
    7200s c1
    ");
    for _ in 0..10 {
        assert_eq!(trace().await, lines);
    }
}

/// Two tasks that compute for 100 ms each, a millisecond at a time: when they were done.
async fn two_spinners(accounts: [&Account; 2]) -> [u128; 2] {
    let start = tokio::time::Instant::now();
    let [one, other] = accounts.map(|account| {
        let charged = account.clone();
        account.spawn(async move {
            for _ in 0..100 {
                charged.charge(Duration::from_millis(1));
                yield_point().await;
            }
            start.elapsed().as_millis()
        })
    });
    [one.await.unwrap(), other.await.unwrap()]
}

#[tokio::test(start_paused = true)]
async fn on_virtual_time_an_account_has_one_core() {
    let executor = PodExecutor::inline();
    let (web, other) = (account(&executor, "web"), account(&executor, "other"));
    executor
        .run_until(async {
            assert_eq!(two_spinners([&web, &other]).await, [100, 100]);
            assert_eq!(two_spinners([&web, &web]).await, [199, 200]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn without_threads_an_abort_drops_the_future_in_the_next_round() {
    let executor = PodExecutor::inline();
    let web = account(&executor, "web");
    let (held, dropped) = Tattletale::new();
    let task = web.spawn(async move {
        let _held = held;
        pending::<()>().await;
    });
    executor
        .run_until(async {
            yield_point().await;
            task.abort();
            assert!(dropped.try_recv().is_err());
            assert_eq!(task.await, Err(TaskError::Aborted));
        })
        .await;
    assert!(dropped.try_recv().is_ok());
    let left = web.spawn(pending::<()>());
    executor.shutdown(GENEROUS).await.unwrap();
    assert_eq!(left.await, Err(TaskError::Aborted));
    assert_eq!(web.spawn(async {}).await, Err(TaskError::Aborted));
}

#[tokio::test(start_paused = true)]
async fn without_threads_a_busy_task_leaves_room_for_timers_and_for_others() {
    let executor = PodExecutor::inline();
    let busy = account(&executor, "busy").spawn(poll_fn(|context| -> Poll<()> {
        context.waker().wake_by_ref();
        Poll::Pending
    }));
    executor
        .run_until(async {
            for number in 0..100 {
                assert_eq!(
                    account(&executor, "web").spawn(async move { number }).await,
                    Ok(number)
                );
            }
            tokio::task::yield_now().await;
        })
        .await;
    drop(busy);
}

#[tokio::test(start_paused = true)]
async fn without_threads_computing_takes_time_before_anybody_hears_of_it() {
    let executor = PodExecutor::inline();
    let start = tokio::time::Instant::now();
    let limited = executor.account("limited", Weight::MIN, MilliCpu::new(250));
    let free = executor.account("free", Weight::MIN, None);
    let tasks = [(free.clone(), 40), (limited.clone(), 40)].map(|(account, rounds)| {
        account.clone().spawn(async move {
            for _ in 0..rounds {
                account.charge(Duration::from_micros(500));
                yield_point().await;
            }
            start.elapsed().as_millis()
        })
    });
    let (ended, told) = executor
        .run_until(async {
            let mut ended = Vec::new();
            for task in tasks {
                ended.push((task.await.unwrap(), start.elapsed().as_millis()));
            }
            ended.into_iter().unzip::<_, _, Vec<_>, Vec<_>>()
        })
        .await;
    // The last payment comes after the last look at the clock, at most.
    assert_eq!(told, [20, 80]);
    assert!(ended.iter().zip(&told).all(|(ended, told)| told - ended <= 8), "{ended:?} {told:?}");
    assert_eq!(
        (free.cpu_time(), limited.cpu_time()),
        (Duration::from_millis(20), Duration::from_millis(20))
    );
}
