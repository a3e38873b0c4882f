//! What the shell knows: its folder, options, aliases, and what names mean.

use std::io::Write as _;

use super::super::options::Options;
use crate::io::Streams;
use crate::shell::simple::quoted_if_needed;
use crate::shell::state::{Run, Shell};
use crate::{sys, tools};

/// `cd [FOLDER]`
pub(super) fn cd(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let wanted = words[1..].iter().find(|word| !matches!(word.as_str(), "-L" | "-P" | "--"));
    let (folder, tells) = match wanted.map(String::as_str) {
        None => (shell.variables.get("HOME").unwrap_or("/").to_owned(), false),
        Some("-") => match shell.variables.get("OLDPWD") {
            Some(folder) => (folder.to_owned(), true),
            None => return Err(shell.fail("cd: OLDPWD is not set", 1)),
        },
        Some(folder) => (folder.to_owned(), false),
    };
    let path = crate::path::absolute(&folder);
    let problem = match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(_) => Some("not a directory".to_owned()),
        Err(error) => Some(crate::problem(&error)),
    };
    if let Some(problem) = problem {
        shell.complain(format!("cd: can't cd to {folder}: {problem}"));
        return Ok(1);
    }
    let before = crate::path::working_folder().display().to_string();
    let shown = path.display().to_string();
    crate::path::set_working_folder(path);
    shell.assign("OLDPWD", before)?;
    shell.assign("PWD", shown.clone())?;
    if tells {
        let _ = writeln!(streams.out, "{shown}");
    }
    Ok(0)
}

/// `set [-eux] [-o NAME] [--] [PARAMETER...]`
pub(super) fn set(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let mut rest = words[1..].iter().peekable();
    if rest.peek().is_none() {
        for (name, variable) in shell.variables.iter() {
            if let Some(value) = &variable.value {
                let _ = writeln!(streams.out, "{name}={}", quoted_if_needed(value));
            }
        }
        return Ok(0);
    }
    while let Some(word) = rest.next_if(|word| word.starts_with(['-', '+'])) {
        let on = word.starts_with('-');
        match word.as_str() {
            "--" => {
                shell.positional = rest.cloned().collect();
                return Ok(0);
            }
            "-" => break,
            "-o" | "+o" if rest.peek().is_none() => tell_options(shell.options, streams),
            word => set_letters(shell, &word[1..], on, &mut rest)?,
        }
    }
    if rest.peek().is_some() {
        shell.positional = rest.cloned().collect();
    }
    Ok(0)
}

fn set_letters<'word>(
    shell: &mut Shell,
    letters: &str,
    on: bool,
    rest: &mut impl Iterator<Item = &'word String>,
) -> Run<()> {
    for letter in letters.chars() {
        let is_set = match letter {
            'o' => rest.next().is_some_and(|name| shell.options.set_name(name, on)),
            letter => shell.options.set_letter(letter, on),
        };
        if !is_set {
            return Err(shell.fail(format!("set: no such option: {letter}"), 2));
        }
    }
    Ok(())
}

fn tell_options(options: Options, streams: &mut Streams) {
    for (name, on) in options.all() {
        let _ = writeln!(streams.out, "{name:<14} {}", if on { "on" } else { "off" });
    }
}

/// `alias [NAME[=TEXT]...]`
pub(super) fn alias(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let mut status = 0;
    let all: Vec<String> = match words.len() {
        1 => {
            let mut names: Vec<String> = shell.aliases.keys().cloned().collect();
            names.sort();
            names
        }
        _ => words[1..].to_vec(),
    };
    for word in all {
        match word.split_once('=') {
            Some((name, text)) => drop(shell.aliases.insert(name.to_owned(), text.to_owned())),
            None => match shell.aliases.get(&word) {
                Some(text) => {
                    let _ = writeln!(streams.out, "{word}={}", quoted_if_needed(text));
                }
                None => {
                    shell.complain(format!("alias: {word}: not found"));
                    status = 1;
                }
            },
        }
    }
    Ok(status)
}

/// `unalias NAME...`, `unalias -a`
pub(super) fn unalias(shell: &mut Shell, words: &[String], _: &mut Streams) -> Run {
    let mut status = 0;
    for word in &words[1..] {
        if word == "-a" {
            shell.aliases.clear();
        } else if shell.aliases.remove(word).is_none() {
            shell.complain(format!("unalias: {word}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

/// How a name is told of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// `type`, `command -V`
    All,
    /// `command -v`
    Path,
}

/// `type NAME...`
pub(super) fn type_(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    tell(shell, &words[1..], streams, Words::All)
}

/// Tells what names mean.
pub(super) fn tell(shell: &Shell, names: &[String], streams: &mut Streams, words: Words) -> Run {
    let mut status = 0;
    for name in names {
        let env = shell.variables.environment();
        let cwd = crate::path::working_folder().display().to_string();
        let what = if shell.aliases.contains_key(name) {
            "an alias"
        } else if super::is_special(name) {
            "a special shell builtin"
        } else if shell.functions.contains_key(name) {
            "a function"
        } else if super::find(name).is_some() {
            "a shell builtin"
        } else if sys::look(std::slice::from_ref(name), &env, &cwd).is_ok() {
            "a program of the container"
        } else if tools::find(name).is_some() {
            "a tool of the toolbox"
        } else {
            status = 127;
            if words == Words::All {
                streams.complain(name, "not found");
            }
            continue;
        };
        let _ = match words {
            Words::All => writeln!(streams.out, "{name} is {what}"),
            Words::Path => writeln!(streams.out, "{name}"),
        };
    }
    Ok(status)
}

/// `help`
pub(super) fn help(_: &mut Shell, _: &[String], streams: &mut Streams) -> Run {
    let _ = writeln!(streams.out, "Builtin commands:\n{}", columns(&super::NAMES));
    let names: Vec<&str> = tools::all().iter().map(|tool| tool.name).collect();
    let _ = writeln!(streams.out, "\nTools (`NAME --help` tells more):\n{}", columns(&names));
    Ok(0)
}

fn columns(names: &[&str]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for name in names {
        if width + name.len() + 1 > 76 {
            text.push('\n');
            width = 0;
        }
        text.push_str(if width == 0 { "  " } else { " " });
        text.push_str(name);
        width += name.len() + 1;
    }
    text
}

/// `history`
pub(super) fn history(shell: &mut Shell, _: &[String], streams: &mut Streams) -> Run {
    for (number, line) in shell.history.iter().enumerate() {
        let _ = writeln!(streams.out, "{:>5}  {line}", number + 1);
    }
    Ok(0)
}

/// `umask`: WASI has no permissions.
pub(super) fn umask(_: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    if words.len() == 1 {
        let _ = writeln!(streams.out, "0022");
    }
    Ok(0)
}

/// `ulimit`: limits are those of the container.
pub(super) fn ulimit(_: &mut Shell, _: &[String], streams: &mut Streams) -> Run {
    let _ = writeln!(streams.out, "unlimited");
    Ok(0)
}
