//! The same by POSIX, for tests on the developer's machine.
#![expect(unsafe_code, reason = "the C library is called")]

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{FromRawFd as _, IntoRawFd as _};
use std::process::Command;
use std::time::Duration;

use super::{Handle, Job, Pid, Place};

/// More handles than a test has.
const MOST: i32 = 64;

fn answer(number: i32) -> io::Result<i32> {
    if number < 0 { Err(io::Error::last_os_error()) } else { Ok(number) }
}

fn file(handle: Handle) -> std::mem::ManuallyDrop<std::fs::File> {
    // SAFETY: it is not closed by this, and whoever calls has it open.
    std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(handle) })
}

pub(crate) fn pid() -> Pid {
    i32::try_from(std::process::id()).unwrap_or(0)
}

pub(crate) fn fork(keep: &[Handle], _: Place, job: Job) -> io::Result<Pid> {
    // SAFETY: the tests run the shell as a program of its own, with one thread.
    let pid = answer(unsafe { libc::fork() })?;
    if pid > 0 {
        return Ok(pid);
    }
    for handle in (3..MOST).filter(|handle| !keep.contains(handle)) {
        close(handle);
    }
    std::process::exit(job());
}

pub(crate) fn spawn(
    words: &[String],
    env: &[(String, String)],
    cwd: &str,
    handles: [Handle; 3],
    _: Place,
) -> io::Result<Pid> {
    // Only for the tests: a program of the container is one whose name says so.
    if !words[0].contains("container-program") {
        return Err(io::ErrorKind::NotFound.into());
    }
    let stdio = |handle: Handle| file(handle).try_clone();
    let child = Command::new(&words[0])
        .args(&words[1..])
        .env_clear()
        .envs(env.iter().cloned())
        .current_dir(cwd)
        .stdin(stdio(handles[0])?)
        .stdout(stdio(handles[1])?)
        .stderr(stdio(handles[2])?)
        .spawn()?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

pub(crate) fn look(words: &[String], _: &[(String, String)], _: &str) -> io::Result<()> {
    match words[0].contains("container-program") {
        true => Ok(()),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

pub(crate) fn wait(pid: Pid) -> io::Result<i32> {
    let mut status = 0;
    // SAFETY: `status` is written to.
    answer(unsafe { libc::waitpid(pid, &raw mut status, 0) })?;
    Ok(code(status))
}

pub(crate) fn try_wait(pid: Pid) -> io::Result<Option<i32>> {
    let mut status = 0;
    // SAFETY: `status` is written to.
    let ended = answer(unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) })?;
    Ok((ended != 0).then(|| code(status)))
}

fn code(status: i32) -> i32 {
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

pub(crate) fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    answer(unsafe { libc::kill(pid, signal) }).map(drop)
}

pub(crate) fn interrupts() -> u32 {
    0
}

pub(crate) fn pipe() -> io::Result<(Handle, Handle)> {
    let mut handles = [0; 2];
    // SAFETY: two numbers are written.
    answer(unsafe { libc::pipe(handles.as_mut_ptr()) })?;
    Ok((handles[0], handles[1]))
}

pub(crate) fn read(handle: Handle, buffer: &mut [u8]) -> io::Result<usize> {
    file(handle).read(buffer)
}

pub(crate) fn write(handle: Handle, bytes: &[u8]) -> io::Result<usize> {
    file(handle).write(bytes)
}

pub(crate) fn close(handle: Handle) {
    // SAFETY: no memory is involved, and nothing else here closes handles.
    unsafe { libc::close(handle) };
}

pub(crate) fn shutdown(handle: Handle) {
    // SAFETY: no memory is involved.
    unsafe { libc::shutdown(handle, libc::SHUT_WR) };
}

pub(crate) fn is_terminal(_: Handle) -> bool {
    false
}

pub(crate) fn connect(name: &str, port: u16, milliseconds: u32) -> io::Result<Handle> {
    let address = (name, port).to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let within = Duration::from_millis(milliseconds.into());
    Ok(TcpStream::connect_timeout(&address, within)?.into_raw_fd())
}

pub(crate) fn resolve(name: &str) -> io::Result<Vec<String>> {
    let addresses = (name, 0).to_socket_addrs()?;
    Ok(addresses.map(|address| address.ip().to_string()).collect())
}

pub(crate) fn list() -> io::Result<String> {
    Ok(format!("{}\t1\tS\ttoolbox\n", pid()))
}

pub(crate) fn set_title(_: &[String]) {}

pub(crate) fn set_raw(_: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn terminal_size() -> Option<(u16, u16)> {
    None
}
