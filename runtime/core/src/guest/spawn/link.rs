//! The functions of `wasmpod_process`, which the toolbox imports.
//!
//! All numbers are 32 bits wide. What is negative is an error: an errno of WASI 0.1 with its sign turned.
//! Texts are UTF-8; lists of texts have a NUL behind each.
//!
//! | function | answer |
//! |---|---|
//! | `pid()` | the caller's number |
//! | `fork(job, handles, count, flags)` | the child's number; it enters at `wasmpod_child(job)` with a copy of the memory and those handles; flag 1: in the background |
//! | `spawn(words, length, env, length, cwd, length, handles, flags)` | the number of a child that runs what the container itself has of the first word; three handles are its standard streams; flag 1: in the background |
//! | `look(words, length, env, length, cwd, length)` | 0 if `spawn` would find something |
//! | `wait(pid, flags, out)` | the child that has ended, its code at `out`; -1 waits for any; flag 1: 0 at once when none has |
//! | `kill(pid, signal)` | 0; the process ends with 128 and the signal, and so does all that it has begun; signal 0 asks whether it runs |
//! | `pipe(out)` | 0, and two handles at `out`: to read, to write |
//! | `read(handle, buffer, length)` | how many bytes; 0 at the end |
//! | `write(handle, bytes, length)` | how many bytes |
//! | `close(handle)`, `shutdown(handle)` | 0 |
//! | `is_terminal(handle)` | 0 or 1 |
//! | `connect(name, length, port, milliseconds)` | a handle of a TCP connection |
//! | `resolve(name, length, buffer, length)` | the length of the addresses, a line each |
//! | `list(buffer, length)` | the length of the processes: number, parent, state, title, a line each |
//! | `title(words, length)` | 0; what `list` calls the caller from now on |
//! | `interrupts()` | how often Ctrl-C came since the last call; from the first one on, it does not end the caller |

use std::time::Duration;

use wasmtime::{Caller, Linker, Memory, Result};
use wasmtime_wasi::p1::types::Errno;

use super::end::{End, MOST};
use super::memory::{bytes, exported, numbers, size, texts, write};
use super::pipe::pipe;
use super::program::{self, Command};
use super::session::title;
use super::table::{Awaited, ROOT};
use super::{fork, network};
use crate::guest::state::GuestState;

const MODULE: &str = "wasmpod_process";

/// What the names of the toolbox's exports begin with that are names of tools.
pub(crate) const TOOLS: &str = "tool:";

const BACKGROUND: i32 = 1;
const AT_ONCE: i32 = 1;

type Guest<'a> = Caller<'a, GuestState>;

/// Defines a function by an async block over the caller and its memory.
macro_rules! define {
    ($linker:ident, $name:literal, ($($argument:ident),*), |$guest:ident, $memory:ident| $body:expr) => {
        $linker.func_wrap_async(
            MODULE,
            $name,
            |mut caller: Guest<'_>, ($($argument,)*): ($(define!(@type $argument),)*)| {
                Box::new(async move {
                    let $guest = &mut caller;
                    let answer = async {
                        let $memory = exported($guest)?;
                        $body
                    };
                    answer.await.unwrap_or_else(|errno: Errno| -i32::from(u16::from(errno)))
                })
            },
        )?;
    };
    (@type $argument:ident) => { i32 };
}

/// Links them. A Store in which no process is gets `nosys` of each.
///
/// # Errors
/// The linker has them already.
pub(crate) fn link(linker: &mut Linker<GuestState>) -> Result<()> {
    link_processes(linker)?;
    link_streams(linker)?;
    link_words(linker)
}

fn link_processes(linker: &mut Linker<GuestState>) -> Result<()> {
    define!(linker, "pid", (), |guest, _memory| Ok(guest.data().process()?.pid));
    define!(linker, "fork", (job, handles, count, flags), |guest, memory| {
        let keep = numbers(memory, &*guest, handles, count)?;
        fork::fork(guest, job, &keep, flags & BACKGROUND != 0).await
    });
    define!(
        linker,
        "spawn",
        (words, words_length, env, env_length, cwd, cwd_length, handles, flags),
        |guest, memory| {
            let words = (words, words_length);
            let command = command(memory, guest, words, (env, env_length), (cwd, cwd_length))?;
            let standard = numbers(memory, &*guest, handles, 3)?;
            let process = guest.data().process()?;
            let standard = standard.iter().map(|number| process.handles.get(*number).cloned());
            let standard = standard.collect::<Result<Vec<_>, _>>()?;
            let standard = <[End; 3]>::try_from(standard).map_err(|_| Errno::Inval)?;
            let (session, parent) = (process.session.clone(), process.pid);
            program::spawn(&session, parent, command, standard, flags & BACKGROUND != 0).await
        }
    );
    define!(
        linker,
        "look",
        (words, words_length, env, env_length, cwd, cwd_length),
        |guest, memory| {
            let words = (words, words_length);
            let command = command(memory, guest, words, (env, env_length), (cwd, cwd_length))?;
            let session = guest.data().process()?.session.clone();
            program::look(&session, &command).await.map(|()| 0)
        }
    );
    define!(linker, "wait", (pid, flags, out), |guest, memory| {
        let process = guest.data().process()?;
        let (session, parent) = (process.session.clone(), process.pid);
        let awaited = if pid == -1 { Awaited::Any } else { Awaited::One(pid) };
        match session.wait(parent, awaited, flags & AT_ONCE == 0).await? {
            Some((pid, code)) => {
                write(memory, guest, out, &i32::from(code).to_le_bytes())?;
                Ok(pid)
            }
            None => Ok(0),
        }
    });
    define!(linker, "kill", (pid, signal), |guest, _memory| {
        let session = &guest.data().process()?.session;
        let code = u8::try_from(signal.saturating_add(128)).map_err(|_| Errno::Inval)?;
        session.table().check_runs(pid)?;
        match (signal, pid) {
            (0, _) => {}
            // It is whom the user is connected to; it ends when it wants to.
            (_, ROOT) => return Err(Errno::Perm),
            (_, pid) => session.kill(pid, code),
        }
        Ok(0)
    });
    define!(linker, "interrupts", (), |guest, _memory| {
        let count = guest.data().process()?.session.table().interrupts();
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    });
    Ok(())
}

fn link_streams(linker: &mut Linker<GuestState>) -> Result<()> {
    define!(linker, "pipe", (out), |guest, memory| {
        let process = guest.data_mut().process_mut()?;
        let (read, written) = pipe(&process.session.spec.memory).map_err(|_| Errno::Nomem)?;
        let read = process.handles.insert(End::Read(read))?;
        let written = match process.handles.insert(End::Write(written)) {
            Ok(written) => written,
            Err(errno) => {
                let _ = process.handles.remove(read);
                return Err(errno);
            }
        };
        let both = [read.to_le_bytes(), written.to_le_bytes()].concat();
        write(memory, guest, out, &both)?;
        Ok(0)
    });
    define!(linker, "read", (handle, buffer, length), |guest, memory| {
        let end = guest.data().process()?.handles.get(handle)?.clone();
        let read = end.read(size(length)?).await?;
        write(memory, guest, buffer, &read)?;
        count(read.len())
    });
    define!(linker, "write", (handle, buffer, length), |guest, memory| {
        let end = guest.data().process()?.handles.get(handle)?.clone();
        let most = i32::try_from(MOST).unwrap_or(i32::MAX);
        let length = if size(length)? > MOST { most } else { length };
        let written = bytes(memory, &*guest, buffer, length)?;
        count(end.write(&written).await?)
    });
    define!(linker, "close", (handle), |guest, _memory| {
        drop(guest.data_mut().process_mut()?.handles.remove(handle)?);
        Ok(0)
    });
    define!(linker, "shutdown", (handle), |guest, _memory| {
        guest.data().process()?.handles.get(handle)?.shutdown()?;
        Ok(0)
    });
    define!(linker, "is_terminal", (handle), |guest, _memory| {
        Ok(i32::from(guest.data().process()?.handles.get(handle)?.is_terminal()))
    });
    define!(linker, "connect", (name, length, port, milliseconds), |guest, memory| {
        let name = text(memory, guest, name, length)?;
        let port = u16::try_from(port).map_err(|_| Errno::Inval)?;
        let within = u64::try_from(milliseconds).map_err(|_| Errno::Inval)?;
        let endpoint = guest.data().process()?.session.endpoint().clone();
        let end = network::connect(&endpoint, &name, port, Duration::from_millis(within)).await?;
        guest.data_mut().process_mut()?.handles.insert(end)
    });
    Ok(())
}

fn link_words(linker: &mut Linker<GuestState>) -> Result<()> {
    define!(linker, "resolve", (name, length, buffer, room), |guest, memory| {
        let name = text(memory, guest, name, length)?;
        let endpoint = guest.data().process()?.session.endpoint().clone();
        let lines = network::resolve(&endpoint, &name).await?;
        tell(memory, guest, &lines, buffer, room)
    });
    define!(linker, "list", (buffer, room), |guest, memory| {
        let session = &guest.data().process()?.session;
        let own = title(&session.own);
        let lines = format!("1\t0\tS\t{own}\n{}", session.table().list());
        tell(memory, guest, &lines, buffer, room)
    });
    define!(linker, "title", (words, length), |guest, memory| {
        let words = listed(memory, guest, words, length)?;
        let process = guest.data().process()?;
        process.session.table().set_title(process.pid, title(&words));
        Ok(0)
    });
    Ok(())
}

/// Where texts are, and their length.
type Place = (i32, i32);

fn command(
    memory: Memory,
    guest: &Guest<'_>,
    words: Place,
    env: Place,
    cwd: Place,
) -> Result<Command, Errno> {
    let env = listed(memory, guest, env.0, env.1)?.into_iter().map(variable);
    Ok(Command {
        words: listed(memory, guest, words.0, words.1)?,
        env: env.collect::<Result<_, Errno>>()?,
        cwd: text(memory, guest, cwd.0, cwd.1)?,
    })
}

fn variable(text: String) -> Result<(String, String), Errno> {
    let (name, value) = text.split_once('=').ok_or(Errno::Inval)?;
    Ok((name.to_owned(), value.to_owned()))
}

fn text(memory: Memory, guest: &Guest<'_>, offset: i32, length: i32) -> Result<String, Errno> {
    String::from_utf8(bytes(memory, guest, offset, length)?).map_err(|_| Errno::Ilseq)
}

fn listed(
    memory: Memory,
    guest: &Guest<'_>,
    offset: i32,
    length: i32,
) -> Result<Vec<String>, Errno> {
    texts(bytes(memory, guest, offset, length)?)
}

/// Writes as much of `text` as there is room for, and answers its length.
fn tell(
    memory: Memory,
    guest: &mut Guest<'_>,
    text: &str,
    buffer: i32,
    room: i32,
) -> Result<i32, Errno> {
    let some = text.len().min(size(room)?);
    write(memory, guest, buffer, &text.as_bytes()[..some])?;
    count(text.len())
}

fn count(length: usize) -> Result<i32, Errno> {
    i32::try_from(length).map_err(|_| Errno::Overflow)
}
