//! Children in the background.

use std::io::Write as _;

use crate::io::Streams;
use crate::shell::state::{Run, Shell, Stop};
use crate::sys;

/// Signals by their names: here all of them end a process, with 128 and their number.
const SIGNALS: [(&str, i32); 8] = [
    ("EXIT", 0),
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", 9),
    ("USR1", 10),
    ("PIPE", 13),
    ("TERM", 15),
];

impl Shell {
    /// Looks who of the background has ended.
    pub(crate) fn look_at_jobs(&mut self) {
        for job in self.background.iter_mut().filter(|job| job.code.is_none()) {
            match sys::try_wait(job.pid) {
                Ok(Some(code)) => job.code = Some(code),
                Ok(None) => {}
                Err(_) => job.code = Some(127),
            }
        }
    }
}

/// `jobs [-p]`
pub(super) fn jobs(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    shell.look_at_jobs();
    let only_pids = words.get(1).is_some_and(|word| word == "-p");
    for job in &shell.background {
        let state = match job.code {
            None => "Running".to_owned(),
            Some(0) => "Done".to_owned(),
            Some(code) => format!("Done({code})"),
        };
        let _ = match only_pids {
            true => writeln!(streams.out, "{}", job.pid),
            false => writeln!(streams.out, "[{}]  {state:<12} {}", job.number, job.title),
        };
    }
    shell.background.retain(|job| job.code.is_none());
    Ok(0)
}

fn pid_of(shell: &Shell, word: &str) -> Option<i32> {
    match word.strip_prefix('%') {
        Some("%" | "+" | "") => shell.background.last().map(|job| job.pid),
        Some(number) => {
            let number = number.parse().ok()?;
            shell.background.iter().find(|job| job.number == number).map(|job| job.pid)
        }
        None => word.parse().ok(),
    }
}

/// `wait [PID...]`
pub(super) fn wait(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let mut status = 0;
    let wanted: Vec<i32> = match words.len() {
        1 => shell.background.iter().map(|job| job.pid).collect(),
        _ => {
            let pids = words[1..].iter().map(|word| {
                pid_of(shell, word)
                    .ok_or_else(|| shell.fail(format!("wait: no such job: {word}"), 2))
            });
            pids.collect::<Run<_>>()?
        }
    };
    for pid in wanted {
        let known = shell.background.iter().find(|job| job.pid == pid).and_then(|job| job.code);
        let code = match known {
            Some(code) => code,
            None => sys::wait(pid).unwrap_or(127),
        };
        shell.background.retain(|job| job.pid != pid);
        if words.len() > 1 {
            status = code;
        }
    }
    Ok(status)
}

/// `fg [%N]`: waits for it; it stays what it is.
pub(super) fn fg(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let word = words.get(1).map_or("%%", String::as_str);
    let Some(pid) = pid_of(shell, word) else { return Err(shell.fail("fg: no such job", 1)) };
    if let Some(job) = shell.background.iter().find(|job| job.pid == pid) {
        let _ = writeln!(streams.out, "{}", job.title);
        let _ = streams.out.flush();
    }
    wait(shell, &["wait".to_owned(), pid.to_string()], streams)
}

/// `kill [-SIGNAL] PID...`
pub(super) fn kill(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let mut signal = 15;
    let mut rest = words[1..].iter().peekable();
    if let Some(word) = rest.next_if(|word| word.starts_with('-') && word.len() > 1) {
        let name = match word.as_str() {
            "-l" => {
                for (name, number) in &SIGNALS[1..] {
                    let _ = writeln!(streams.out, "{number:>2}) SIG{name}");
                }
                return Ok(0);
            }
            "-s" | "-n" => rest.next().map_or("", String::as_str),
            word => &word[1..],
        };
        let name = name.trim_start_matches("SIG");
        let named = SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        let Some(number) = named.or_else(|| name.parse().ok()) else {
            return Err(shell.fail(format!("kill: no such signal: {name}"), 1));
        };
        signal = number;
    }
    let mut status = i32::from(rest.peek().is_none());
    if status == 1 {
        shell.complain("kill: a process is needed: its number, or %1 for a job");
    }
    for word in rest {
        let killed = match pid_of(shell, word) {
            None => Err("no such job".to_owned()),
            // The shell itself.
            Some(pid) if pid == sys::pid() && signal != 0 => {
                return Err(Stop::Exit(128 + signal));
            }
            Some(1) => Err("the container's own program ends with `wasmpod delete`".to_owned()),
            Some(pid) => sys::kill(pid, signal).map_err(|error| crate::problem(&error)),
        };
        if let Err(problem) = killed {
            shell.complain(format!("kill: {word}: {problem}"));
            status = 1;
        }
    }
    Ok(status)
}
