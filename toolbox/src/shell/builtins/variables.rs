//! Variables and parameters.

use std::io::Write as _;

use crate::io::Streams;
use crate::shell::simple::quoted_if_needed;
use crate::shell::state::{Run, Shell};

fn parts(word: &str) -> (&str, Option<&str>) {
    word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)))
}

fn check_name(shell: &Shell, command: &str, name: &str) -> Run<()> {
    let good = name
        .chars()
        .enumerate()
        .all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit()));
    match good && !name.is_empty() {
        true => Ok(()),
        false => Err(shell.fail(format!("{command}: {name}: bad variable name"), 2)),
    }
}

/// `export [-n] [-p] [NAME[=VALUE]...]`
pub(super) fn export(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let on = words.get(1).is_none_or(|word| word != "-n");
    let names: Vec<&String> = words[1..].iter().filter(|word| !word.starts_with('-')).collect();
    if names.is_empty() {
        for (name, variable) in shell.variables.iter().filter(|(_, variable)| variable.exported) {
            let value = variable.value.as_deref().map(quoted_if_needed);
            let _ = match value {
                Some(value) => writeln!(streams.out, "export {name}={value}"),
                None => writeln!(streams.out, "export {name}"),
            };
        }
    }
    for word in names {
        let (name, value) = parts(word);
        check_name(shell, "export", name)?;
        if let Some(value) = value {
            shell.assign(name, value)?;
        }
        shell.variables.export(name, on);
    }
    Ok(0)
}

/// `readonly [NAME[=VALUE]...]`
pub(super) fn readonly(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    for word in words[1..].iter().filter(|word| !word.starts_with('-')) {
        let (name, value) = parts(word);
        check_name(shell, "readonly", name)?;
        if let Some(value) = value {
            shell.assign(name, value)?;
        }
        shell.variables.make_read_only(name);
    }
    Ok(0)
}

/// `local NAME[=VALUE]...`
pub(super) fn local(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    for word in words[1..].iter().filter(|word| !word.starts_with('-')) {
        let (name, value) = parts(word);
        check_name(shell, "local", name)?;
        if !shell.variables.make_local(name) && words[0] == "local" {
            return Err(shell.fail("local: not in a function", 2));
        }
        if let Some(value) = value {
            shell.assign(name, value)?;
        }
    }
    Ok(0)
}

/// `unset [-f|-v] NAME...`
pub(super) fn unset(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let functions = words.get(1).is_some_and(|word| word == "-f");
    for name in words[1..].iter().filter(|word| !word.starts_with('-')) {
        if functions {
            shell.functions.remove(name);
        } else if let Err(read_only) = shell.variables.unset(name) {
            return Err(shell.fail(read_only, 2));
        }
    }
    Ok(0)
}

/// `shift [N]`
pub(super) fn shift(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let count = words.get(1).map_or(Ok(1), |word| word.parse::<usize>());
    match count {
        Ok(count) if count <= shell.positional.len() => {
            shell.positional.drain(..count);
            Ok(0)
        }
        Ok(_) => Ok(1),
        Err(_) => Err(shell.fail("shift: a number is needed", 2)),
    }
}

/// `let EXPRESSION...`
pub(super) fn let_(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let mut value = 0;
    for word in &words[1..] {
        value = shell.calculate(word)?;
    }
    Ok(i32::from(value == 0))
}
