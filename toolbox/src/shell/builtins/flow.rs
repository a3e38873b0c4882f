//! Where a script goes on.

use crate::io::Streams;
use crate::shell::state::{Run, Shell, Stop};
use crate::shell::{external, session};

/// `:`
pub(super) fn nothing(_: &mut Shell, _: &[String], _: &mut Streams) -> Run {
    Ok(0)
}

/// `. FILE [ARGUMENT...]`
pub(super) fn source(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let Some(name) = words.get(1) else { return Err(shell.fail(".: a file is needed", 2)) };
    let text = external::read_file(name)
        .map_err(|error| shell.fail(format!("can't open {name}: {}", crate::problem(&error)), 2))?;
    let before =
        (words.len() > 2).then(|| std::mem::replace(&mut shell.positional, words[2..].to_vec()));
    let expendable = std::mem::replace(&mut shell.expendable, false);
    let ran = session::run_text(shell, &text);
    shell.expendable = expendable;
    if let Some(before) = before {
        shell.positional = before;
    }
    match ran {
        Err(Stop::Return(code)) => Ok(code),
        other => other,
    }
}

/// `break [N]`, `continue [N]`
pub(super) fn leave_loop(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let count = number(shell, words, 1)?;
    let count = u32::try_from(count).ok().filter(|count| *count > 0);
    let Some(count) = count else {
        return Err(shell.fail(format!("{}: a number from 1 is needed", words[0]), 2));
    };
    if shell.loops == 0 {
        return Ok(0);
    }
    let count = count.min(shell.loops);
    Err(if words[0] == "break" { Stop::Break(count) } else { Stop::Continue(count) })
}

/// `return [N]`
pub(super) fn leave_function(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    Err(Stop::Return(number(shell, words, shell.status)?))
}

/// `exit [N]`
pub(super) fn exit(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    Err(Stop::Exit(number(shell, words, shell.status)?))
}

fn number(shell: &Shell, words: &[String], default: i32) -> Run {
    match words.get(1) {
        None => Ok(default),
        Some(word) => word
            .parse()
            .map_err(|_| shell.fail(format!("{}: {word:?} is not a number", words[0]), 2)),
    }
}

/// `eval [WORD...]`
pub(super) fn eval(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let text = words[1..].join(" ");
    let expendable = std::mem::replace(&mut shell.expendable, false);
    let ran = session::run_text(shell, &text);
    shell.expendable = expendable;
    ran
}

/// `exec [COMMAND...]`: nothing can take a process's place here, but its end can be that of the shell.
pub(super) fn exec(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    if words.len() == 1 {
        return Ok(0);
    }
    shell.traps.clear();
    let code = external::run(shell, &words[1..])?;
    Err(Stop::Exit(code))
}

/// `command [-v|-V] NAME [ARGUMENT...]`
pub(super) fn command(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    match words.get(1).map(String::as_str) {
        None => Ok(0),
        Some("-v") => {
            super::settings::tell(shell, &words[2..], streams, super::settings::Words::Path)
        }
        Some("-V") => {
            super::settings::tell(shell, &words[2..], streams, super::settings::Words::All)
        }
        Some("-p") => shell.run_without_functions(&words[2..]),
        Some(_) => shell.run_without_functions(&words[1..]),
    }
}

/// `trap [ACTION SIGNAL...]`: of the signals only the shell's end, `EXIT`, ever comes.
pub(super) fn trap(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    use std::io::Write as _;
    let words: Vec<&String> = words[1..].iter().filter(|word| *word != "--").collect();
    let Some((action, signals)) = words.split_first() else {
        for (signal, action) in &shell.traps {
            let action = crate::shell::simple::quoted_if_needed(action);
            let _ = writeln!(streams.out, "trap -- {action} {signal}");
        }
        return Ok(0);
    };
    let (action, signals) = match signals.is_empty() {
        true => ("-", &words[..]),
        false => (action.as_str(), signals),
    };
    for signal in signals {
        let name = match signal.trim_start_matches("SIG") {
            "0" => "EXIT",
            "1" => "HUP",
            "2" => "INT",
            "3" => "QUIT",
            "15" => "TERM",
            other => other,
        };
        if action == "-" {
            shell.traps.remove(name);
        } else {
            shell.traps.insert(name.to_owned(), action.to_owned());
        }
    }
    Ok(0)
}
