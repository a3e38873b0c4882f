//! Asking a compiling child.

use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use serde::de::DeserializeOwned;

use super::cancel::Cancel;
use super::request::{CompileError, Task};

/// More than any answer has: whoever has taken the compiler over says what he likes.
const MOST_ANSWER_BYTES: u64 = 16 << 20;

/// What is kept of a failed child's last words.
const MOST_STDERR_BYTES: u64 = 4096;

/// How often a program that is busy is tried again, and after what time: five seconds in all.
const BUSY_TRIES: u32 = 500;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// The end of a process that has used its CPU time.
const SIGXCPU: i32 = rustix::process::Signal::XCPU.as_raw();

/// Runs `command`, which must be a compiling child, for one task. Blocks. Beside the answer stands the
/// CPU time that it took, whatever became of it.
pub(super) fn ask<Answer: DeserializeOwned>(
    command: Command,
    task: &Task,
    cancel: &Cancel,
) -> (Result<Answer, CompileError>, Duration) {
    let mut cpu = Duration::ZERO;
    let answer = converse(command, task, cancel, &mut cpu);
    (answer, cpu)
}

fn converse<Answer: DeserializeOwned>(
    mut command: Command,
    task: &Task,
    cancel: &Cancel,
    cpu: &mut Duration,
) -> Result<Answer, CompileError> {
    let host = |what: &str, error: &dyn fmt::Display| {
        CompileError::Host(format!("cannot {what} the compiling process: {error}"))
    };
    // A Ctrl-C at the terminal is for whoever asked, not for the child.
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = start(&mut command).map_err(|error| host("start", &error))?;
    let mut lifeline = child.stdin.take().expect("standard input is piped");
    let line = serde_json::to_string(task).expect("a task has no maps") + "\n";
    let asked = lifeline.write_all(line.as_bytes());
    cancel.hold(lifeline);

    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let mut answer = String::new();
    let (read, last_words) = thread::scope(|scope| {
        let last_words = scope.spawn(move || tail(stderr));
        let read = stdout.take(MOST_ANSWER_BYTES).read_to_string(&mut answer);
        (read, last_words.join().unwrap_or_default())
    });
    *cpu = cpu_time(&child);
    let status = child.wait().map_err(|error| host("wait for", &error))?;
    if cancel.is_cancelled() {
        return Err(CompileError::Cancelled);
    }
    if status.signal() == Some(SIGXCPU) {
        let most = task.most_cpu_seconds();
        return Err(CompileError::Invalid(format!(
            "it takes more than {most} seconds of CPU time"
        )));
    }
    match serde_json::from_str::<Result<Answer, CompileError>>(&answer) {
        Ok(answer) if status.success() => answer,
        Ok(_) | Err(_) => {
            // That nobody listened any more is no reason but what came of it.
            let asked = asked.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
            let broken = asked.or(read.err()).map(|error| error.to_string());
            Err(CompileError::Host(describe_end(status, broken, &last_words)))
        }
    }
}

/// All that it has used, for one that has closed its streams and is not waited for yet.
fn cpu_time(child: &Child) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    let ticks = cpu_ticks(&stat).unwrap_or(0);
    Duration::from_millis(ticks.saturating_mul(1000) / clock_ticks_per_second().max(1))
}

/// Time in its own code and in the kernel. The name, which comes before, may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

/// A program that was written a moment ago counts as busy while any process has it open for writing:
/// a child that another thread has just forked does, until it becomes its own program.
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    let mut tries = BUSY_TRIES;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries > 0 => {
                tries -= 1;
                thread::sleep(BUSY_PAUSE);
            }
            started => return started,
        }
    }
}

fn describe_end(status: ExitStatus, broken: Option<String>, last_words: &str) -> String {
    let end = match (status.signal(), status.code()) {
        (Some(9), _) => "was killed (out of memory?)".to_owned(),
        (Some(6), _) => "aborted (out of memory?)".to_owned(),
        (Some(signal), _) => format!("ended by signal {signal}"),
        (None, Some(code)) => format!("ended with code {code} and without an answer"),
        (None, None) => "ended without an answer".to_owned(),
    };
    let mut text = format!("the compiling process {end}");
    for detail in [broken.as_deref(), Some(last_words.trim())].into_iter().flatten() {
        if !detail.is_empty() {
            text += ": ";
            text += detail;
        }
    }
    text
}

/// The first of what a failing child says; the rest is read and dropped, so that it never blocks.
fn tail(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = stderr.by_ref().take(MOST_STDERR_BYTES).read_to_end(&mut kept);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read_from_behind_its_name() {
        let stat = "7 (a) b 9) S 1 7 7 0 -1 4194560 100 0 0 0 25 17 3 4 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("7 (a) S 1 7"), None);
        assert_eq!(cpu_ticks(""), None);
    }
}
