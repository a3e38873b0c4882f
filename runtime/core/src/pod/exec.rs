//! Commands in a container that runs: of its probes and hooks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::container::ended;
use super::meter::ContainerMeter;
use super::store::PodStore;
use crate::guest::{self, Interrupts, Loader, OutputBuffer, Program, RunSpec, Stdin};
use crate::lifecycle::Exit;

/// The most of a command's output that is kept, both streams together.
const OUTPUT: usize = 10 << 10;

/// A command has that part of the descriptors that its container has: several may run at once.
const DESCRIPTORS: usize = 8;

/// What the commands of a container share with its run, which it does not outlast.
pub(super) struct Execution {
    /// How many commands there were.
    pub(super) count: AtomicU64,
    pub(super) program: Program,
    pub(super) loader: Loader,
    pub(super) meter: Arc<ContainerMeter>,
    /// Of the run itself.
    pub(super) spec: RunSpec,
}

/// How a command ended, and what it wrote.
pub(super) struct Executed {
    pub(super) exit: Exit,
    pub(super) output: String,
}

impl Execution {
    /// Runs `command` to its end, on the container's account.
    ///
    /// # Cancel safety
    /// Dropping it ends the command.
    pub(super) async fn run(&self, store: &PodStore, command: Vec<String>) -> Executed {
        let output = OutputBuffer::new(OUTPUT);
        let stream = || Arc::new(output.clone());
        let spec = RunSpec {
            run: format!("{}/exec/{}", self.spec.run, self.count.fetch_add(1, Ordering::Relaxed)),
            stdin: Stdin::Closed,
            stdout: stream(),
            stderr: stream(),
            tty: false,
            ports: Vec::new(),
            ..self.spec.clone()
        };
        let mut host = store.guest_host(&self.meter, &self.spec);
        host.containers *= DESCRIPTORS;
        let (program, loader) = (self.program.clone(), self.loader.clone());
        let task = self.meter.account.spawn(guest::exec(
            program,
            loader,
            host,
            spec,
            command,
            Interrupts::default(),
        ));
        let exit = ended(task, "command").await;
        let output = String::from_utf8_lossy(&output.contents()).into_owned();
        Executed { exit, output }
    }
}

impl Executed {
    /// What there is to say about it: what it wrote, else why it ended.
    pub(super) fn words(self) -> String {
        let words = match self.exit.message {
            Some(message) if self.output.is_empty() => message,
            _ => self.output,
        };
        let end = words.floor_char_boundary(OUTPUT.min(words.len()));
        words[..end].trim_end().to_owned()
    }
}
