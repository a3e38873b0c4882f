//! A shell at a terminal.

use std::io::Write as _;

use crate::editor::{self, Completer, Ended};
use crate::shell::{self, Shell};
use crate::{sys, tools};

/// Lines that are remembered.
const PAST: usize = 500;

/// Reads and runs lines until the end.
pub(crate) fn run(shell: &mut Shell) -> i32 {
    // From here on Ctrl-C ends what runs, and not this shell.
    sys::interrupts();
    loop {
        tell_jobs(shell);
        look_at_size(shell);
        let Some(text) = complete_text(shell) else {
            let status = shell.status;
            return shell::end(shell, Ok(status));
        };
        if let Some(code) = shell::run_at_terminal(shell, &text) {
            return code;
        }
    }
}

/// The lines of one complete command; none at the end.
fn complete_text(shell: &mut Shell) -> Option<String> {
    let mut text = String::new();
    loop {
        let prompt = shell.prompt(if text.is_empty() { "PS1" } else { "PS2" });
        match read(shell, &prompt) {
            Ended::Line(line) => {
                remember(shell, &line);
                text.push_str(&line);
                text.push('\n');
                if !shell.wants_more(&text) {
                    return Some(text);
                }
            }
            Ended::Dropped => {
                text.clear();
                shell.status = 130;
            }
            Ended::Over if text.is_empty() => return None,
            // What is wrong with it is told when it runs.
            Ended::Over => return Some(text),
        }
    }
}

fn read(shell: &Shell, prompt: &str) -> Ended {
    let (input, output) = (shell.fd(0), shell.fd(2));
    if sys::set_raw(true).is_ok() {
        let ended = editor::read(&input, &output, prompt, &shell.history, &Known(shell));
        let _ = sys::set_raw(false);
        return ended.unwrap_or(Ended::Over);
    }
    let _ = output.write(prompt.as_bytes());
    let line = shell::read_line(&input);
    if sys::interrupts() > 0 {
        return Ended::Dropped;
    }
    match line.strip_suffix('\n') {
        Some(line) => Ended::Line(line.trim_end_matches('\r').to_owned()),
        None if line.is_empty() => Ended::Over,
        None => Ended::Line(line),
    }
}

fn remember(shell: &mut Shell, line: &str) {
    let is_new = shell.history.last().is_none_or(|last| last != line);
    if is_new && !line.trim().is_empty() && !line.starts_with(' ') {
        shell.history.push(line.to_owned());
        if shell.history.len() > PAST {
            shell.history.remove(0);
        }
    }
}

/// Programs go by these variables, and a terminal may have another size by now.
fn look_at_size(shell: &mut Shell) {
    if let Some((rows, columns)) = sys::terminal_size() {
        for (name, value) in [("LINES", rows), ("COLUMNS", columns)] {
            // One that is read-only is left alone.
            let _ = shell.variables.set(name, value.to_string());
        }
    }
}

fn tell_jobs(shell: &mut Shell) {
    shell.look_at_jobs();
    let mut streams = shell.streams();
    for job in shell.background.iter().filter(|job| job.code.is_some()) {
        let state = match job.code {
            Some(0) | None => "Done".to_owned(),
            Some(code) => format!("Done({code})"),
        };
        let _ = writeln!(streams.err, "[{}]+ {state:<10} {}", job.number, job.title);
    }
    shell.background.retain(|job| job.code.is_none());
}

/// What a shell knows to complete names with.
struct Known<'shell>(&'shell Shell);

impl Completer for Known<'_> {
    fn commands(&self) -> Vec<String> {
        let tools = tools::all().iter().map(|tool| tool.name);
        let mut names: Vec<String> = tools.chain(shell::BUILTINS).map(str::to_owned).collect();
        names.extend(self.0.functions.keys().cloned());
        names.extend(self.0.aliases.keys().cloned());
        names
    }

    fn variables(&self) -> Vec<String> {
        self.0.variables.iter().map(|(name, _)| name.clone()).collect()
    }
}
