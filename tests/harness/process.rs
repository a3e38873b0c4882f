//! A started `wasmpod`: its output as it comes, its end, signals to it.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for what must come; far above what a loaded machine needs, and enough to
/// compile a program of 66 MiB.
const PATIENCE: Duration = Duration::from_secs(300);

/// A call of `wasmpod`, not yet started.
#[derive(Debug)]
pub(crate) struct Invocation {
    command: Command,
    input: Vec<u8>,
}

impl Invocation {
    pub(crate) fn new(command: Command) -> Self {
        Self { command, input: Vec::new() }
    }

    /// Sets an environment variable of the process.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the process reads from standard input; empty unless said.
    #[must_use]
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs to the end.
    #[track_caller]
    pub(crate) fn finish(self) -> Finished {
        self.start().finish()
    }

    /// Starts the process.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub(crate) fn start(mut self) -> Running {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("wasmpod starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = self.input;
        let output = Arc::new(Output::default());
        let threads = vec![
            // The reader may be gone before it has read all.
            std::thread::spawn(move || drop(stdin.write_all(&input))),
            collect(child.stdout.take().expect("piped"), Arc::clone(&output), |text| {
                &mut text.stdout
            }),
            collect(child.stderr.take().expect("piped"), Arc::clone(&output), |text| {
                &mut text.stderr
            }),
        ];
        Running { child, output, threads }
    }
}

#[derive(Debug, Default, Clone)]
struct Text {
    stdout: String,
    stderr: String,
}

#[derive(Debug, Default)]
struct Output {
    text: Mutex<Text>,
    grown: Condvar,
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Text> {
        self.text.lock().expect("no thread panics while it holds the text")
    }
}

fn collect(
    pipe: impl Read + Send + 'static,
    output: Arc<Output>,
    part: fn(&mut Text) -> &mut String,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            part(&mut output.lock()).push_str(&String::from_utf8_lossy(&line));
            output.grown.notify_all();
            line.clear();
        }
    })
}

/// A running `wasmpod`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    output: Arc<Output>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line of standard output or standard error contains `part`.
    ///
    /// # Panics
    /// When it has not come after a generous while, with all that came instead.
    #[track_caller]
    pub(crate) fn wait_for(&self, part: &str) {
        self.wait_for_line(&[part]);
    }

    /// Waits until one line contains all of `parts`: a container's name and what it says.
    ///
    /// # Panics
    /// When it has not come after a generous while, with all that came instead.
    #[track_caller]
    pub(crate) fn wait_for_line(&self, parts: &[&str]) {
        let text = self.output.lock();
        let (text, waited) = self
            .output
            .grown
            .wait_timeout_while(text, PATIENCE, |text| {
                !text
                    .stdout
                    .lines()
                    .chain(text.stderr.lines())
                    .any(|line| parts.iter().all(|part| line.contains(part)))
            })
            .expect("no thread panics while it holds the text");
        assert!(
            !waited.timed_out(),
            "no line contains all of {parts:?}\n--- stdout\n{}--- stderr\n{}",
            text.stdout,
            text.stderr
        );
    }

    /// Sends a signal to the process.
    ///
    /// # Panics
    /// When the process is gone.
    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id fits");
        kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("the process is there");
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it does not come after a generous while.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let code = self.wait();
        for thread in self.threads.drain(..) {
            thread.join().expect("a collecting thread does not panic");
        }
        let text = self.output.lock().clone();
        Finished { code, stdout: text.stdout, stderr: text.stderr }
    }

    /// The exit code, or minus the signal that ended the process.
    #[track_caller]
    fn wait(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt as _;
        let step = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
            }
            if waited > PATIENCE {
                let text = self.output.lock().clone();
                panic!(
                    "wasmpod does not end\n--- stdout\n{}--- stderr\n{}",
                    text.stdout, text.stderr
                );
            }
            std::thread::sleep(step);
            waited += step;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// How a `wasmpod` ended and what it printed.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    /// The exit code, or minus the signal that ended the process.
    pub(crate) code: i32,
    /// All of standard output.
    pub(crate) stdout: String,
    /// All of standard error.
    pub(crate) stderr: String,
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
