//! Commands in a container that runs: of its probes and hooks, and of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::container::ended;
use super::meter::ContainerMeter;
use super::session::{Attachment, set_terminal_variables, until_interrupted};
use super::store::PodStore;
use crate::executor::Task;
use crate::guest::{self, Interrupts, Loader, Output, OutputBuffer, Program, RunSpec, Stdin};
use crate::lifecycle::Exit;
use crate::sandbox::terminal::Terminal;

/// The most of a command's output that is kept, both streams together.
const OUTPUT: usize = 10 << 10;

/// A command has that part of the descriptors that its container has: several may run at once.
const DESCRIPTORS: usize = 8;

/// What those who deal with a container share with its run, which it does not outlast.
pub(super) struct Execution {
    /// How many commands there were.
    pub(super) count: AtomicU64,
    pub(super) program: Program,
    pub(super) meter: Arc<ContainerMeter>,
    /// Of the run itself.
    pub(super) spec: RunSpec,
    pub(super) attachment: Arc<Attachment>,
    /// Cancelled when the run has ended.
    pub(super) run_ended: CancellationToken,
}

/// The streams of a command.
pub(super) struct Streams {
    pub(super) stdin: Stdin,
    pub(super) stdout: Arc<dyn Output>,
    pub(super) stderr: Arc<dyn Output>,
    pub(super) terminal: Option<Terminal>,
}

/// How a command ended, and what it wrote.
pub(super) struct Executed {
    pub(super) exit: Exit,
    pub(super) output: String,
}

impl Execution {
    /// Runs `command` to its end, on the container's account, and keeps what it writes.
    ///
    /// # Cancel safety
    /// Dropping it ends the command.
    pub(super) async fn run(
        &self,
        store: &PodStore,
        loader: Loader,
        command: Vec<String>,
    ) -> Executed {
        let output = OutputBuffer::new(OUTPUT);
        let stream = || Arc::new(output.clone());
        let streams =
            Streams { stdin: Stdin::Closed, stdout: stream(), stderr: stream(), terminal: None };
        let exit = ended(self.spawn(store, loader, command, streams), "command").await;
        let output = String::from_utf8_lossy(&output.contents()).into_owned();
        Executed { exit, output }
    }

    /// Begins `command` on the container's account. Dropping the task ends it.
    pub(super) fn spawn(
        &self,
        store: &PodStore,
        loader: Loader,
        command: Vec<String>,
        streams: Streams,
    ) -> Task<Exit> {
        let Streams { stdin, stdout, stderr, terminal } = streams;
        let mut env = self.spec.env.clone();
        if let Some(terminal) = &terminal {
            set_terminal_variables(&mut env, terminal.size());
        }
        let spec = RunSpec {
            run: format!("{}/exec/{}", self.spec.run, self.count.fetch_add(1, Ordering::Relaxed)),
            env,
            stdin,
            stdout,
            stderr,
            tty: terminal.is_some(),
            terminal: terminal.clone(),
            ports: Vec::new(),
            ..self.spec.clone()
        };
        let mut host = store.guest_host(&self.meter, &self.spec);
        host.containers *= DESCRIPTORS;
        let (program, interrupts) = (self.program.clone(), Interrupts::default());
        let signals = terminal.as_ref().map(Terminal::catch_signals);
        let running = guest::exec(program, loader, host, spec, command, interrupts.clone());
        self.meter.account.spawn(until_interrupted(running, signals, interrupts))
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
