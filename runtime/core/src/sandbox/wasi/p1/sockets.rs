//! What can be done with a socket: accept, receive, send, shut down, ask, close.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::ipc as stock;
use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p1::types::{self, Errno, Fdflags, Filetype, Rights};
use wiggle::{GuestMemory, GuestPtr};

use super::connection::Connection;
use super::descriptors::{Descriptors, Slot, Socket};
use super::errno::{errno, raw};
use super::files::{Way, counted};
use super::link::{WASI, enter, exported_memory};
use super::memory::{Buffer, buffers, write_bytes, write_u32};
use super::view::{ModuleCtxView, ModuleView};

/// `riflags`
const PEEK: i32 = 1;
const WAIT_ALL: i32 = 2;
/// `sdflags`
const READING: i32 = 1;
const WRITING: i32 = 2;

/// The kind that `fd_prestat_get` reports for a listener; 0 is a directory, the only one known.
const PREOPEN_OF_ANOTHER_KIND: u32 = 1;

/// Defines a function by an async block over the guest's memory and the view.
macro_rules! define {
    ($linker:ident, $name:literal, ($($argument:ident),+), |$memory:ident, $view:ident| $body:expr) => {
        $linker.func_wrap_async(
            WASI,
            $name,
            |mut caller: Caller<'_, T>, ($($argument,)+): ($(define!(@type $argument),)+)| {
                Box::new(async move {
                    let memory = exported_memory(&mut caller)?;
                    let (mut memory, mut view) = enter(&mut caller, &memory)?;
                    let ($memory, $view) = (&mut memory, &mut view);
                    $body
                })
            },
        )?;
    };
    (@type $argument:ident) => { i32 };
}

pub(super) fn link<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define!(linker, "sock_accept", (fd, flags, out), |memory, view| {
        Ok(raw(accept(memory, view, fd, flags, out).await))
    });
    define!(linker, "sock_recv", (fd, array, count, flags, out, out_flags), |memory, view| {
        let received = async {
            let connection = connection(view.descriptors, fd)?;
            let received = receive(memory, &connection, array, count, flags).await?;
            write_u32(memory, out, received)?;
            // Nothing is ever truncated: it is a stream of bytes.
            let flags = GuestPtr::<u16>::new(out_flags.cast_unsigned());
            memory.write(flags, 0).map_err(|_| Errno::Fault)
        };
        Ok(raw(received.await))
    });
    define!(linker, "sock_send", (fd, array, count, flags, out), |memory, view| {
        let sent = async {
            if flags != 0 {
                return Err(Errno::Inval);
            }
            let connection = connection(view.descriptors, fd)?;
            let sent = send(memory, &connection, array, count).await?;
            write_u32(memory, out, sent)
        };
        Ok(raw(sent.await))
    });
    define!(linker, "sock_shutdown", (fd, how), |_memory, view| {
        Ok(raw(shutdown(view.descriptors, fd, how)))
    });
    define!(linker, "fd_read", (fd, array, count, out), |memory, view| {
        if let Ok(fd) = view.descriptors.stock(fd, Errno::Badf) {
            let errno = stock::fd_read(view, memory, fd, array, count, out).await?;
            return Ok(counted(view.files, memory, Way::Read, (fd, out, errno)));
        }
        let read = async {
            let connection = connection(view.descriptors, fd)?;
            let read = receive(memory, &connection, array, count, 0).await?;
            write_u32(memory, out, read)
        };
        Ok(raw(read.await))
    });
    define!(linker, "fd_write", (fd, array, count, out), |memory, view| {
        if let Ok(fd) = view.descriptors.stock(fd, Errno::Badf) {
            let errno = stock::fd_write(view, memory, fd, array, count, out).await?;
            return Ok(counted(view.files, memory, Way::Written, (fd, out, errno)));
        }
        let written = async {
            let connection = connection(view.descriptors, fd)?;
            let written = send(memory, &connection, array, count).await?;
            write_u32(memory, out, written)
        };
        Ok(raw(written.await))
    });
    define!(linker, "fd_close", (fd), |memory, view| {
        match view.descriptors.remove(fd) {
            Ok(slot) => close(memory, view, slot).await,
            Err(errno) => Ok(raw(Err(errno))),
        }
    });
    define!(linker, "fd_renumber", (from, to), |memory, view| {
        match view.descriptors.renumber(from, to) {
            Ok(Some(replaced)) => close(memory, view, replaced).await,
            Ok(None) => Ok(0),
            Err(errno) => Ok(raw(Err(errno))),
        }
    });
    define!(linker, "fd_fdstat_get", (fd, out), |memory, view| {
        if let Ok(fd) = view.descriptors.stock(fd, Errno::Badf) {
            return stock::fd_fdstat_get(view, memory, fd, out).await;
        }
        let written = view.descriptors.socket(fd).and_then(|socket| {
            let out = GuestPtr::<types::Fdstat>::new(out.cast_unsigned());
            memory.write(out, fdstat(socket)).map_err(|_| Errno::Fault)
        });
        Ok(raw(written))
    });
    define!(linker, "fd_fdstat_set_flags", (fd, flags), |memory, view| {
        if let Ok(fd) = view.descriptors.stock(fd, Errno::Badf) {
            return stock::fd_fdstat_set_flags(view, memory, fd, flags);
        }
        Ok(raw(view.descriptors.socket(fd).map(|socket| {
            socket.nonblocking().store(is_nonblocking(flags), Relaxed);
        })))
    });
    define!(linker, "fd_filestat_get", (fd, out), |memory, view| {
        if let Ok(fd) = view.descriptors.stock(fd, Errno::Badf) {
            return stock::fd_filestat_get(view, memory, fd, out).await;
        }
        let written = view.descriptors.socket(fd).and_then(|_| {
            let out = GuestPtr::<types::Filestat>::new(out.cast_unsigned());
            memory.write(out, filestat()).map_err(|_| Errno::Fault)
        });
        Ok(raw(written))
    });
    define!(linker, "fd_prestat_get", (fd, out), |memory, view| {
        if view.descriptors.is_passed_over(fd) {
            let written = write_u32(memory, out, PREOPEN_OF_ANOTHER_KIND);
            // The length of its name, for whoever does not look at the kind.
            return Ok(raw(written.and_then(|()| write_u32(memory, out.wrapping_add(4), 0))));
        }
        match view.descriptors.stock(fd, Errno::Badf) {
            Ok(fd) => stock::fd_prestat_get(view, memory, fd, out),
            Err(errno) => Ok(raw(Err(errno))),
        }
    });
    define!(linker, "fd_prestat_dir_name", (fd, path, length), |memory, view| {
        if view.descriptors.is_passed_over(fd) {
            return Ok(0);
        }
        match view.descriptors.stock(fd, Errno::Notdir) {
            Ok(fd) => stock::fd_prestat_dir_name(view, memory, fd, path, length),
            Err(errno) => Ok(raw(Err(errno))),
        }
    });
    Ok(())
}

impl Socket {
    fn nonblocking(&self) -> &std::sync::atomic::AtomicBool {
        match self {
            Self::Listener(listener) => &listener.nonblocking,
            Self::Connection(connection) => &connection.nonblocking,
        }
    }
}

fn is_nonblocking(flags: i32) -> bool {
    flags & i32::from(u16::from(Fdflags::NONBLOCK)) != 0
}

fn connection(table: &Descriptors, fd: i32) -> Result<Arc<Connection>, Errno> {
    match table.socket(fd)? {
        Socket::Connection(connection) => Ok(Arc::clone(connection)),
        Socket::Listener(_) => Err(Errno::Notconn),
    }
}

async fn accept(
    memory: &mut GuestMemory<'_>,
    view: &mut ModuleCtxView<'_>,
    fd: i32,
    flags: i32,
    out: i32,
) -> Result<(), Errno> {
    let listener = match view.descriptors.socket(fd)? {
        Socket::Listener(listener) => Arc::clone(listener),
        Socket::Connection(_) => return Err(Errno::Inval),
    };
    let waits = !listener.nonblocking.load(Relaxed);
    let accepted = poll_fn(|context| match listener.listener.poll_accept(context) {
        std::task::Poll::Pending if !waits => std::task::Poll::Ready(None),
        other => other.map(Some),
    });
    let accepted = accepted.await.ok_or(Errno::Again)?.map_err(errno)?;
    let connection = Connection::new(accepted, is_nonblocking(flags));
    let number = view.descriptors.insert(Slot::Socket(Socket::Connection(Arc::new(connection))));
    let written = write_u32(memory, out, number);
    if written.is_err() {
        // The guest will never know its number.
        let _ = view.descriptors.remove(number.cast_signed());
    }
    written
}

/// Receives into the guest's buffers: what is there, or all that they hold with `WAIT_ALL`.
async fn receive(
    memory: &mut GuestMemory<'_>,
    connection: &Connection,
    array: i32,
    count: i32,
    flags: i32,
) -> Result<u32, Errno> {
    if flags & !(PEEK | WAIT_ALL) != 0 {
        return Err(Errno::Notsup);
    }
    let buffers = buffers(memory, array, count)?;
    if flags & PEEK != 0 {
        return peek(memory, connection, &buffers).await;
    }
    let mut received = 0u32;
    for mut buffer in buffers {
        while !buffer.is_empty() {
            match connection.try_read(buffer.room()) {
                // The end.
                Ok(Some(bytes)) if bytes.is_empty() => return Ok(received),
                Ok(Some(bytes)) => {
                    write_bytes(memory, buffer, &bytes)?;
                    received = received.saturating_add(u32::try_from(bytes.len()).unwrap_or(0));
                    buffer = buffer.after(bytes.len());
                }
                Ok(None)
                    if received > 0 && (flags & WAIT_ALL == 0 || connection.is_nonblocking()) =>
                {
                    return Ok(received);
                }
                Ok(None) => wait_to_read(connection).await?,
                // It is reported by the next call.
                Err(error) if received > 0 => {
                    connection.put_back(error);
                    return Ok(received);
                }
                Err(error) => return Err(errno(error)),
            }
        }
    }
    Ok(received)
}

/// Shows what has arrived, as much as there is room for; it stays for the next call.
async fn peek(
    memory: &mut GuestMemory<'_>,
    connection: &Connection,
    buffers: &[Buffer],
) -> Result<u32, Errno> {
    let room = buffers.iter().fold(0usize, |room, buffer| room.saturating_add(buffer.room()));
    if room == 0 {
        return Ok(0);
    }
    let mut bytes = loop {
        match connection.try_peek(room).map_err(errno)? {
            Some(bytes) => break bytes,
            None => wait_to_read(connection).await?,
        }
    };
    let shown = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    for buffer in buffers {
        let part = bytes.split_to(bytes.len().min(buffer.room()));
        write_bytes(memory, *buffer, &part)?;
    }
    Ok(shown)
}

async fn wait_to_read(connection: &Connection) -> Result<(), Errno> {
    if connection.is_nonblocking() {
        return Err(Errno::Again);
    }
    poll_fn(|context| connection.poll_read_ready(context)).await;
    Ok(())
}

/// Sends the guest's buffers: all of them, or what there is room for when it does not want to
/// wait.
async fn send(
    memory: &GuestMemory<'_>,
    connection: &Connection,
    array: i32,
    count: i32,
) -> Result<u32, Errno> {
    let mut sent = 0u32;
    for mut buffer in buffers(memory, array, count)? {
        while !buffer.is_empty() {
            match write_from(memory, connection, buffer)? {
                Ok(Some(count)) => {
                    buffer = buffer.after(count);
                    sent = sent.saturating_add(u32::try_from(count).unwrap_or(0));
                }
                Ok(None) if connection.is_nonblocking() => {
                    return if sent > 0 { Ok(sent) } else { Err(Errno::Again) };
                }
                Ok(None) => poll_fn(|context| connection.stream.poll_writable(context)).await,
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => return Err(errno(error)),
            }
        }
    }
    Ok(sent)
}

type Written = Result<Option<usize>, crate::sandbox::network::NetworkError>;

fn write_from(
    memory: &GuestMemory<'_>,
    connection: &Connection,
    buffer: Buffer,
) -> Result<Written, Errno> {
    let bytes = memory.as_cow(buffer.pointer()).map_err(|_| Errno::Fault)?;
    Ok(connection.stream.try_write_from(&bytes))
}

fn shutdown(table: &Descriptors, fd: i32, how: i32) -> Result<(), Errno> {
    let connection = connection(table, fd)?;
    if how == 0 || how & !(READING | WRITING) != 0 {
        return Err(Errno::Inval);
    }
    if how & READING != 0 {
        connection.stream.shutdown_read();
    }
    if how & WRITING != 0 {
        connection.stream.shutdown_write();
    }
    Ok(())
}

async fn close(
    memory: &mut GuestMemory<'_>,
    view: &mut ModuleCtxView<'_>,
    slot: Slot,
) -> Result<i32> {
    match slot {
        Slot::Stock(fd) => stock::fd_close(view, memory, fd.cast_signed()).await,
        Slot::Socket(socket) => {
            drop(socket);
            Ok(0)
        }
    }
}

fn fdstat(socket: &Socket) -> types::Fdstat {
    let rights = match socket {
        Socket::Listener(_) => Rights::SOCK_ACCEPT | Rights::FD_READ,
        Socket::Connection(_) => Rights::FD_READ | Rights::FD_WRITE | Rights::SOCK_SHUTDOWN,
    } | Rights::FD_FDSTAT_SET_FLAGS
        | Rights::FD_FILESTAT_GET
        | Rights::POLL_FD_READWRITE;
    types::Fdstat {
        fs_filetype: Filetype::SocketStream,
        fs_flags: if socket.nonblocking().load(Relaxed) {
            Fdflags::NONBLOCK
        } else {
            Fdflags::empty()
        },
        fs_rights_base: rights,
        // What a listener accepts is a connection.
        fs_rights_inheriting: rights | Rights::FD_WRITE | Rights::SOCK_SHUTDOWN,
    }
}

fn filestat() -> types::Filestat {
    types::Filestat {
        dev: 0,
        ino: 0,
        filetype: Filetype::SocketStream,
        nlink: 1,
        size: 0,
        atim: 0,
        mtim: 0,
        ctim: 0,
    }
}
