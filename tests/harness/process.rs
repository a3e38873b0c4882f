//! A started `wasmpod`: its output as it comes, its end, signals to it.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a test waits for what must come; far above what a loaded machine needs, and enough to
/// compile a program of 66 MiB.
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks again and again until there is something, and gives it.
///
/// # Panics
/// When there is nothing after a generous while.
#[track_caller]
pub(crate) fn eventually<Found>(what: &str, look: impl Fn() -> Option<Found>) -> Found {
    let step = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(waited < PATIENCE, "{what} does not come");
        std::thread::sleep(step);
        waited += step;
    }
}

/// A call of `wasmpod`, not yet started.
#[derive(Debug)]
pub(crate) struct Invocation {
    command: Command,
    input: Input,
    stdout: Stdout,
}

#[derive(Debug)]
enum Input {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// What [`Running::type_in`] gives.
    Typed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stdout {
    Kept,
    /// Nowhere: it would fill the memory of the test.
    Discarded,
    /// Read up to the end of its first line, then closed, as `head -1` does.
    FirstLine,
    /// Open and never read, as a pager that waits for a key.
    Unread,
}

impl Invocation {
    pub(crate) fn new(command: Command) -> Self {
        Self { command, input: Input::Bytes(Vec::new()), stdout: Stdout::Kept }
    }

    /// Sets an environment variable of the process.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets the process open so many files and sockets at most, as `ulimit -Sn` does.
    #[must_use]
    pub(crate) fn most_descriptors(self, count: u32) -> Self {
        self.after(&format!("ulimit -Sn {count}"))
    }

    /// Starts the process so that it outlives its terminal, as `nohup` does.
    #[must_use]
    pub(crate) fn no_hangup(self) -> Self {
        self.after("trap '' HUP")
    }

    /// Starts the process as one that ends with its terminal, also where these tests would outlive theirs.
    #[must_use]
    pub(crate) fn hangup(self) -> Self {
        // A shell cannot take back what was ignored when it began.
        self.after("exec env --default-signal=HUP \"$0\" \"$@\"")
    }

    /// Sends standard error where standard output goes.
    #[must_use]
    pub(crate) fn errors_to_output(self) -> Self {
        self.after("exec 2>&1")
    }

    /// Has a shell do something first, which then becomes the process.
    #[must_use]
    pub(crate) fn after(mut self, preparation: &str) -> Self {
        let inner = self.command;
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{preparation} && exec \"$0\" \"$@\""));
        command.arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = inner.get_current_dir() {
            command.current_dir(folder);
        }
        self.command = command;
        self
    }

    /// What the process reads from standard input; empty unless said.
    #[must_use]
    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// Leaves standard input open, for [`Running::type_in`].
    #[must_use]
    pub(crate) fn typed_input(mut self) -> Self {
        self.input = Input::Typed;
        self
    }

    /// Lets standard output go to `/dev/null`.
    #[must_use]
    pub(crate) fn discard_stdout(mut self) -> Self {
        self.stdout = Stdout::Discarded;
        self
    }

    /// Reads one line of standard output and closes it then, as `head -1` does.
    #[must_use]
    pub(crate) fn read_one_line(mut self) -> Self {
        self.stdout = Stdout::FirstLine;
        self
    }

    /// Never reads standard output, and leaves it open.
    #[must_use]
    pub(crate) fn unread_stdout(mut self) -> Self {
        self.stdout = Stdout::Unread;
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
        let stdout = match self.stdout {
            Stdout::Kept | Stdout::FirstLine | Stdout::Unread => Stdio::piped(),
            Stdout::Discarded => Stdio::null(),
        };
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("wasmpod starts");
        let mut stdin = child.stdin.take();
        let output = Arc::new(Output::default());
        let mut threads = Vec::new();
        if let Input::Bytes(bytes) = self.input {
            let mut stdin = stdin.take().expect("piped");
            // The reader may be gone before it has read all.
            threads.push(std::thread::spawn(move || drop(stdin.write_all(&bytes))));
        }
        if self.stdout != Stdout::Unread
            && let Some(stdout) = child.stdout.take()
        {
            output.lock().open += 1;
            let lines = if self.stdout == Stdout::FirstLine { 1 } else { usize::MAX };
            threads.push(collect(stdout, Arc::clone(&output), |text| &mut text.stdout, lines));
        }
        output.lock().open += 1;
        let stderr = child.stderr.take().expect("piped");
        threads.push(collect(stderr, Arc::clone(&output), |text| &mut text.stderr, usize::MAX));
        Running { child, stdin, output, threads }
    }
}

#[derive(Debug, Default, Clone)]
struct Text {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// How many of the two may still grow.
    open: usize,
}

impl Text {
    fn stdout(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    fn stderr(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--- stdout\n{}--- stderr\n{}", self.stdout(), self.stderr())
    }
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
    part: fn(&mut Text) -> &mut Vec<u8>,
    lines: usize,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        for _ in 0..lines {
            if !pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                break;
            }
            part(&mut output.lock()).append(&mut line);
            output.grown.notify_all();
        }
        drop(pipe);
        output.lock().open -= 1;
        output.grown.notify_all();
    })
}

/// A running `wasmpod`; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Open only for [`Running::type_in`].
    stdin: Option<ChildStdin>,
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
        self.wait_until(&format!("a line with all of {parts:?}"), |stdout, stderr| {
            let mut lines = stdout.lines().chain(stderr.lines());
            lines.any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }

    /// Waits until `holds` of standard output and standard error; `what` says what that means.
    ///
    /// # Panics
    /// When it does not hold after a generous while, with all that came instead.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&str, &str) -> bool) {
        let text = self.output.lock();
        let (text, waited) = self
            .output
            .grown
            .wait_timeout_while(text, PATIENCE, |text| {
                text.open > 0 && !holds(&text.stdout(), &text.stderr())
            })
            .expect("no thread panics while it holds the text");
        let ended = if waited.timed_out() { "" } else { ", wasmpod has ended" };
        assert!(holds(&text.stdout(), &text.stderr()), "{what} does not come{ended}\n{text}");
    }

    /// Reads something from standard output and standard error as they are now.
    pub(crate) fn look<Answer>(&self, read: impl FnOnce(&str, &str) -> Answer) -> Answer {
        let text = self.output.lock();
        read(&text.stdout(), &text.stderr())
    }

    /// Waits for a status, among the lines of `--output json`, for which `holds`, and gives it.
    ///
    /// # Panics
    /// When none has come after a generous while, with all that came instead.
    #[track_caller]
    pub(crate) fn wait_for_status(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = |stdout: &str| {
            let lines = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut statuses = lines.filter(|line| line["type"] == "status");
            statuses.find_map(|line| holds(&line["status"]).then(|| line["status"].clone()))
        };
        self.wait_until(what, |stdout, _| found(stdout).is_some());
        found(&self.output.lock().stdout()).expect("it was there")
    }

    /// Gives more of standard input.
    ///
    /// # Panics
    /// When the process does not read it, or its input was not left open.
    #[track_caller]
    pub(crate) fn type_in(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("`typed_input` and not ended");
        stdin.write_all(text.as_bytes()).and_then(|()| stdin.flush()).expect("it is read");
    }

    /// Ends standard input, as Ctrl-D does.
    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The most memory that the process has held so far, in bytes.
    ///
    /// # Panics
    /// When the process is gone.
    #[track_caller]
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("as proc(5) has it");
        kib.parse::<u64>().expect("as proc(5) has it") * 1024
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

    /// Sends a signal again and again until the process ends: two that come together count as one.
    ///
    /// # Panics
    /// When it does not end after a generous while.
    #[track_caller]
    pub(crate) fn finish_by(self, signal: Signal) -> Finished {
        eventually("the end of wasmpod", || {
            self.signal(signal);
            self.is_over().then_some(())
        });
        self.finish()
    }

    /// Whether the process has ended; it can still be signalled then, as nobody has waited for it.
    fn is_over(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()));
        // The state stands behind the name, which may hold anything.
        stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
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
        Finished {
            code,
            stdout: text.stdout().into_owned(),
            stderr: text.stderr().into_owned(),
            stdout_bytes: text.stdout,
        }
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
                panic!("wasmpod does not end\n{text}");
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
    /// The same, byte for byte.
    pub(crate) stdout_bytes: Vec<u8>,
    /// All of standard error.
    pub(crate) stderr: String,
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}
