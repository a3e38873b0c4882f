//! Commands that may be killed while they run.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::harness::{World, wasmpod};

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// None where it was killed.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Those that run, each by a number.
#[derive(Debug, Default)]
pub(super) struct Commands {
    running: Mutex<(u64, BTreeMap<u64, Child>)>,
}

impl Commands {
    /// Runs a command of `world` to its end, or until somebody kills it.
    pub(super) fn run(&self, world: &World, words: &[&str], editor: &str) -> Ended {
        // Files, not pipes: what a killed command has started must not be waited for.
        let file = || tempfile::tempfile().expect("a temporary file can be made");
        let (mut stdout, mut stderr) = (file(), file());
        let mut command = Command::new(wasmpod());
        world.surround(&mut command);
        command.args(words).env("EDITOR", editor).stdin(Stdio::null());
        command.stdout(stdout.try_clone().expect("it is open"));
        command.stderr(stderr.try_clone().expect("it is open"));
        let number = {
            let mut running = self.lock();
            running.0 += 1;
            let number = running.0;
            running.1.insert(number, command.spawn().expect("wasmpod starts"));
            number
        };
        let status = self.wait(number);
        let text = |file: &mut std::fs::File| {
            use std::io::Seek as _;
            let mut text = String::new();
            file.rewind().and_then(|()| file.read_to_string(&mut text)).expect("UTF-8");
            text
        };
        Ended { code: status.code(), stdout: text(&mut stdout), stderr: text(&mut stderr) }
    }

    fn wait(&self, number: u64) -> ExitStatus {
        let mut looks = 0;
        loop {
            let mut running = self.lock();
            let child = running.1.get_mut(&number).expect("only its own thread takes it");
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                running.1.remove(&number);
                return status;
            }
            drop(running);
            looks += 1;
            assert!(looks < 120_000, "a command does not end in two minutes");
            sleep(Duration::from_millis(1));
        }
    }

    /// Kills one of those that run now; gives whether there was one.
    pub(super) fn kill_one(&self, chance: &mut StdRng) -> bool {
        let mut running = self.lock();
        let count = running.1.len();
        if count == 0 {
            return false;
        }
        let chosen = chance.random_range(0..count);
        let child = running.1.values_mut().nth(chosen).expect("there are as many");
        // Not waited for, so it is still this child, be it dead.
        drop(child.kill());
        true
    }

    pub(super) fn kill_all(&self) {
        for child in self.lock().1.values_mut() {
            drop(child.kill());
        }
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Child>)> {
        self.running.lock().expect("nobody panics while it is held")
    }
}
