//! What runs in processes of its own: pipelines, subshells, `$(…)`, `&`.

use std::rc::Rc;

use super::ast::{AndOr, Command, List};
use super::session;
use super::state::{Background, Run, Shell, Stop};
use crate::fd::Fd;
use crate::sys::{self, Pid, Place};

/// Begins a child with this shell's state, and these descriptors in place of its own.
///
/// # Errors
/// There is no room for one; it was said.
pub(crate) fn fork(
    shell: &mut Shell,
    fds: &[(u32, Fd)],
    place: Place,
    run: impl FnOnce(&mut Shell) -> i32 + 'static,
) -> Run<Pid> {
    let mut own = shell.fds.clone();
    own.extend(fds.iter().cloned());
    let keep: Vec<_> = own.values().filter_map(Fd::handle).collect();
    own.values().for_each(Fd::note_position);
    let address = std::ptr::from_mut(shell).expose_provenance();
    let job = Box::new(move || in_child(address, own, run));
    sys::fork(&keep, place, job).map_err(|error| match error.kind() {
        // Ctrl-C came before it could begin.
        std::io::ErrorKind::Interrupted => Stop::Interrupted,
        _ => shell.fail(format!("cannot fork: {}", crate::problem(&error)), 2),
    })
}

#[expect(unsafe_code, reason = "a child has its parent's memory")]
fn in_child(
    shell: usize,
    fds: std::collections::BTreeMap<u32, Fd>,
    run: impl FnOnce(&mut Shell) -> i32,
) -> i32 {
    // SAFETY: every shell is in a box that lives as long as its process (`session::main`), and this is
    // a copy of that memory in which nobody else runs: the parent's frames, which borrow it too, are not
    // gone on with here.
    let shell = unsafe { &mut *std::ptr::with_exposed_provenance_mut::<Shell>(shell) };
    shell.fds = fds;
    for fd in shell.fds.values() {
        if let Err(error) = fd.reopen() {
            shell.complain(format!("a file is gone: {}", crate::problem(&error)));
            return 1;
        }
    }
    shell.subshell = true;
    shell.background.clear();
    shell.traps.clear();
    shell.loops = 0;
    run(shell)
}

/// Runs `run` in a child to its end as the last thing that it does.
fn ending(run: impl FnOnce(&mut Shell) -> Run) -> impl FnOnce(&mut Shell) -> i32 {
    move |shell| {
        shell.expendable = true;
        let ran = run(shell);
        session::end(shell, ran)
    }
}

/// Waits for a child of the foreground.
pub(crate) fn wait(shell: &Shell, pid: Pid) -> Run {
    sys::wait(pid).map_err(|error| shell.fail(format!("cannot wait: {error}"), 2))
}

/// `( … )`
pub(crate) fn subshell(shell: &mut Shell, list: &Rc<List>) -> Run {
    if shell.expendable && shell.subshell {
        // This process is one already, and ends with it.
        let ran = shell.run_list(list);
        return Ok(session::end(shell, ran));
    }
    let list = Rc::clone(list);
    let tested = shell.tested;
    let pid = fork(
        shell,
        &[],
        Place::Foreground,
        ending(move |shell| {
            shell.tested = tested;
            shell.run_list(&list)
        }),
    )?;
    wait(shell, pid)
}

/// What the commands write, and their code.
pub(crate) fn output_of(shell: &mut Shell, list: &Rc<List>) -> Run<(Vec<u8>, i32)> {
    let (read, write) = pipe(shell)?;
    let list = Rc::clone(list);
    let pid = fork(
        shell,
        &[(1, write.clone())],
        Place::Foreground,
        ending(move |shell| shell.run_list(&list)),
    )?;
    drop(write);
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = read.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..length]);
    }
    Ok((bytes, wait(shell, pid)?))
}

pub(crate) fn pipe(shell: &Shell) -> Run<(Fd, Fd)> {
    let (read, write) = sys::pipe().map_err(|error| {
        shell.fail(format!("cannot make a pipe: {}", crate::problem(&error)), 2)
    })?;
    Ok((Fd::owning(read), Fd::owning(write)))
}

/// `a | b | c`: the code is the last one's, or with `pipefail` that of the last that failed.
pub(crate) fn pipeline(shell: &mut Shell, commands: &[Rc<Command>]) -> Run {
    let mut pids = Vec::new();
    let mut before = None;
    let last = commands.len() - 1;
    for (number, command) in commands.iter().enumerate() {
        let mut fds = Vec::new();
        fds.extend(before.take().map(|read| (0, read)));
        if number < last {
            let (read, write) = pipe(shell)?;
            fds.push((1, write));
            before = Some(read);
        }
        let command = Rc::clone(command);
        let run = ending(move |shell: &mut Shell| shell.run_command(&command));
        match fork(shell, &fds, Place::Foreground, run) {
            Ok(pid) => pids.push(pid),
            Err(stop) => {
                // Those that have begun find their pipes closed.
                drop((fds, before));
                pids.into_iter().for_each(|pid| drop(sys::wait(pid)));
                return Err(stop);
            }
        }
    }
    let mut status = 0;
    for (number, pid) in pids.into_iter().enumerate() {
        let code = wait(shell, pid)?;
        if number == last || (shell.options.pipe_fail && code != 0) {
            status = if code == 0 && shell.options.pipe_fail { status } else { code };
        }
    }
    Ok(status)
}

/// `a &`
pub(crate) fn background(shell: &mut Shell, and_or: &Rc<AndOr>) -> Run {
    let and_or = Rc::clone(and_or);
    let title = super::session::title(&and_or);
    let input = match shell.options.interactive {
        true => shell.fd(0),
        false => Fd::Null,
    };
    let run = ending(move |shell: &mut Shell| {
        shell.options.interactive = false;
        shell.run_and_or(&and_or)
    });
    let pid = match fork(shell, &[(0, input)], Place::Background, run) {
        Ok(pid) => pid,
        Err(Stop::Failed(code)) => return Err(Stop::Failed(code)),
        Err(stop) => return Err(stop),
    };
    shell.last_background = Some(pid);
    let number = shell.background.iter().map(|job| job.number).max().unwrap_or(0) + 1;
    shell.background.push(Background { number, pid, title, code: None });
    if shell.options.interactive {
        let _ = shell.fd(2).write(format!("[{number}] {pid}\n").as_bytes());
    }
    Ok(0)
}
