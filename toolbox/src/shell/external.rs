//! Commands that are outside of the shell: what the container has, scripts, tools.

use std::io::Read as _;

use super::children;
use super::session;
use super::state::{Run, Shell, Stop};
use crate::fd::{Fd, Mode};
use crate::sys::{self, Handle, Pid, Place};
use crate::tools;

/// Where commands are when nobody has said it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Runs `words`: what the container itself has of that name, else a script on the `PATH`, else a tool.
pub(crate) fn run(shell: &mut Shell, words: &[String]) -> Run {
    let name = &*words[0];
    if let Some(path) = script(shell, name) {
        return run_script(shell, &path, words);
    }
    match spawn(shell, words) {
        Ok(code) => return Ok(code),
        Err(Failed::Stop(stop)) => return Err(stop),
        Err(Failed::Io(error)) => match error.kind() {
            std::io::ErrorKind::NotFound => {}
            std::io::ErrorKind::Interrupted => return Err(Stop::Interrupted),
            _ => {
                return Err(shell.fail(format!("cannot run {name}: {}", crate::problem(&error)), 2));
            }
        },
    }
    match tools::find(name) {
        Some(tool) => run_tool(shell, tool, words),
        None => {
            shell.complain(format!("{name}: {}", absence(name)));
            Ok(if crate::path::absolute(name).is_dir() && name.contains('/') { 126 } else { 127 })
        }
    }
}

fn absence(name: &str) -> &'static str {
    let path = crate::path::absolute(name);
    match name.contains('/') {
        true if path.is_dir() => "is a directory",
        true if !path.exists() => "not found (no such file)",
        _ => "not found",
    }
}

fn run_tool(shell: &mut Shell, tool: &'static tools::Tool, words: &[String]) -> Run {
    let words = words.to_vec();
    let run = move |shell: &mut Shell| {
        sys::set_title(&words);
        let env = shell.variables.environment();
        tools::run(tool, &words, &env, shell.streams())
    };
    if shell.expendable && shell.traps.is_empty() {
        return Ok(run(shell));
    }
    let pid = children::fork(shell, &[], Place::Foreground, run)?;
    children::wait(shell, pid)
}

/// The script that `name` means, if it means one.
fn script(shell: &Shell, name: &str) -> Option<String> {
    if name.contains('/') {
        return is_script(name).then(|| name.to_owned());
    }
    let path = shell.variables.get("PATH").unwrap_or(PATH);
    let places = path.split(':').map(|folder| match folder {
        "" => format!("./{name}"),
        folder => format!("{}/{name}", folder.trim_end_matches('/')),
    });
    places.into_iter().find(|place| is_script(place))
}

/// Whether a file says that a shell reads it.
fn is_script(path: &str) -> bool {
    let mut start = [0; 128];
    let read =
        std::fs::File::open(crate::path::absolute(path)).and_then(|mut file| file.read(&mut start));
    let Ok(length) = read else { return false };
    let start = String::from_utf8_lossy(&start[..length]);
    let Some(interpreter) = start.strip_prefix("#!") else { return false };
    let line = interpreter.lines().next().unwrap_or_default();
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let first = words.next().unwrap_or_default();
    let name = if first == "env" { words.next().unwrap_or_default() } else { first };
    matches!(name, "sh" | "ash" | "bash" | "dash")
}

fn run_script(shell: &mut Shell, path: &str, words: &[String]) -> Run {
    let (path, words) = (path.to_owned(), words.to_vec());
    let run = move |shell: &mut Shell| {
        sys::set_title(&words);
        let mut inner = Box::new(Shell::new(&path, shell.variables.environment()));
        inner.fds = shell.fds.clone();
        inner.positional = words[1..].to_vec();
        inner.subshell = true;
        session::run_file(&mut inner, &path)
    };
    let pid = children::fork(shell, &[], Place::Foreground, run)?;
    children::wait(shell, pid)
}

enum Failed {
    Stop(Stop),
    Io(std::io::Error),
}

/// Runs a program of the container, whose streams must be pipes or the terminal: a child copies to and from
/// files.
fn spawn(shell: &mut Shell, words: &[String]) -> Result<i32, Failed> {
    let env = shell.variables.environment();
    let cwd = crate::path::working_folder().display().to_string();
    let standard = [shell.fd(0), shell.fd(1), shell.fd(2)];
    let direct: Option<Vec<Handle>> = standard.iter().map(Fd::handle).collect();
    let (mut helpers, mut ends) = (Vec::new(), Vec::new());
    let handles = match direct {
        Some(handles) => handles,
        None => {
            // Only for what is there: most commands are tools.
            sys::look(words, &env, &cwd).map_err(Failed::Io)?;
            for (number, fd) in standard.into_iter().enumerate() {
                match fd.handle() {
                    Some(_) => ends.push(fd),
                    None => ends
                        .push(bridge(shell, number == 0, fd, &mut helpers).map_err(Failed::Stop)?),
                }
            }
            ends.iter().filter_map(Fd::handle).collect()
        }
    };
    let handles = <[Handle; 3]>::try_from(handles).expect("each of the three has one");
    let spawned = sys::spawn(words, &env, &cwd, handles, Place::Foreground);
    // The helpers see the end of what they read.
    drop(ends);
    let code = match spawned {
        Ok(pid) => Ok(children::wait(shell, pid).map_err(Failed::Stop)?),
        Err(error) => Err(Failed::Io(error)),
    };
    for pid in helpers {
        let _ = children::wait(shell, pid);
    }
    code
}

/// A pipe between a program and a file, and a child that copies.
fn bridge(shell: &mut Shell, reads: bool, file: Fd, helpers: &mut Vec<Pid>) -> Run<Fd> {
    let (read, write) = children::pipe(shell)?;
    let (fds, own) = match reads {
        true => ([(0, file), (1, write)], read),
        false => ([(0, read), (1, file)], write),
    };
    let pid = children::fork(shell, &fds, Place::Foreground, |shell| {
        let (from, to) = (shell.fd(0), shell.fd(1));
        let mut buffer = vec![0; 16 << 10];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return 0,
                Ok(length) if to.write(&buffer[..length]).is_ok() => {}
                Ok(_) | Err(_) => return 1,
            }
        }
    })?;
    helpers.push(pid);
    Ok(own)
}

/// Opens a file that is a script.
pub(crate) fn read_file(path: &str) -> std::io::Result<String> {
    let fd = Fd::open(path, Mode::Read)?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        match fd.read(&mut buffer)? {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            length => bytes.extend_from_slice(&buffer[..length]),
        }
    }
}
