//! What a terminal changes for a guest: signals can end it, and its environment tells of the terminal.

use std::pin::pin;

use crate::guest::Interrupts;
use crate::lifecycle::Exit;
use crate::sandbox::terminal::{Caught, Terminal, TerminalSize};

/// Runs `guest`, unless a signal of its terminal ends it that it does not catch.
///
/// WebAssembly has no signals: what one does by default is all that it does.
pub(in crate::pod) async fn until_signalled(
    guest: impl Future<Output = Exit>,
    terminal: Option<Terminal>,
) -> Exit {
    let Some(terminal) = terminal else { return guest.await };
    tokio::select! {
        biased;
        exit = guest => exit,
        signal = terminal.uncaught_signal() => Exit::with_code(signal.exit_code()),
    }
}

/// Runs a command, which may be a shell that ends what it runs itself, unless a signal of its terminal
/// ends it. `signals` are caught from before the command begins: a key may be quicker than it.
pub(in crate::pod) async fn until_interrupted(
    command: impl Future<Output = Exit>,
    signals: Option<Caught>,
    interrupts: Interrupts,
) -> Exit {
    let Some(mut signals) = signals else { return command.await };
    let mut command = pin!(command);
    loop {
        tokio::select! {
            biased;
            exit = command.as_mut() => return exit,
            signal = signals.next() => {
                if !interrupts.interrupt() {
                    return Exit::with_code(signal.exit_code());
                }
            }
        }
    }
}

/// Tells of a terminal of `size`; what the manifest sets itself stays.
///
/// Rule: container runtimes set `TERM`; shells, the size.
pub(in crate::pod) fn set_terminal_variables(env: &mut Vec<(String, String)>, size: TerminalSize) {
    let mut set = |name: &str, value: String| {
        if !env.iter().any(|(known, _)| known == name) {
            env.push((name.to_owned(), value));
        }
    };
    set("TERM", "xterm".to_owned());
    if size != TerminalSize::default() {
        set("COLUMNS", size.columns.to_string());
        set("LINES", size.rows.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_comes_before_the_command_begins_ends_it() {
        let terminal = Terminal::open(TerminalSize::default()).unwrap();
        let signals = Some(terminal.catch_signals());
        let command = until_interrupted(std::future::pending(), signals, Interrupts::default());
        terminal.type_in(b"half\x03").await;
        assert_eq!(command.await, Exit::with_code(130));
    }
}
