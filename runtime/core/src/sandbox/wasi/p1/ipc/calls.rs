//! The functions of WASI 0.1 as [`large`](super::super::large) has them, save for descriptors of ours.

#![expect(clippy::too_many_arguments, reason = "those of the interface")]

use wasmtime::Result;
use wasmtime_wasi::p1::types::Errno;
use wiggle::GuestMemory;

use super::{bytes, descriptors, paths};
use crate::sandbox::wasi::p1::errno::raw;
use crate::sandbox::wasi::p1::large as stock;
use crate::sandbox::wasi::p1::poll;
use crate::sandbox::wasi::p1::view::ModuleCtxView;

type View<'a, 'b> = &'a mut ModuleCtxView<'b>;
type Memory<'a, 'b> = &'a mut GuestMemory<'b>;

/// Functions that know of no descriptors of ours, and never wait.
macro_rules! passed_on {
    ($($quick:ident($($argument:ident: $type:ty),*);)*) => {
        $(pub(in crate::sandbox::wasi::p1) fn $quick(
            view: View<'_, '_>,
            memory: Memory<'_, '_>,
            $($argument: $type),*
        ) -> Result<i32> {
            stock::$quick(view.wasi, memory, $($argument),*)
        })*
    };
}

passed_on! {
    args_get(list: i32, text: i32);
    args_sizes_get(count: i32, size: i32);
    clock_res_get(clock: i32, out: i32);
    clock_time_get(clock: i32, precision: i64, out: i32);
    environ_get(list: i32, text: i32);
    environ_sizes_get(count: i32, size: i32);
    fd_prestat_dir_name(fd: i32, path: i32, length: i32);
    fd_prestat_get(fd: i32, out: i32);
    proc_raise(signal: i32);
    random_get(buffer: i32, length: i32);
    sched_yield();
    sock_accept(fd: i32, flags: i32, out: i32);
    sock_recv(fd: i32, buffers: i32, count: i32, flags: i32, size: i32, out: i32);
    sock_send(fd: i32, buffers: i32, count: i32, flags: i32, out: i32);
    sock_shutdown(fd: i32, how: i32);
}

/// Functions whose first argument is a descriptor: what `$ours` does for one of ours, and what the stock
/// implementation does for all others. As above.
macro_rules! by_descriptor {
    (
        at_once { $($quick:ident($($argument:ident: $type:ty),*) $with:ident;)* }
        awaited { $($slow:ident($($parameter:ident: $kind:ty),*) $by:ident;)* }
        ours_wait { $($both:ident($($each:ident: $sort:ty),*) $where:ident;)* }
    ) => {
        $(pub(in crate::sandbox::wasi::p1) fn $quick(
            view: View<'_, '_>,
            memory: Memory<'_, '_>,
            fd: i32,
            $($argument: $type),*
        ) -> Result<i32> {
            if view.ipc.is_ours(fd) {
                return Ok(raw($with::$quick(view, memory, fd, $($argument),*)));
            }
            stock::$quick(view.wasi, memory, fd, $($argument),*)
        })*
        $(pub(in crate::sandbox::wasi::p1) async fn $slow(
            view: View<'_, '_>,
            memory: Memory<'_, '_>,
            fd: i32,
            $($parameter: $kind),*
        ) -> Result<i32> {
            if view.ipc.is_ours(fd) {
                return Ok(raw($by::$slow(view, memory, fd, $($parameter),*)));
            }
            stock::$slow(view.wasi, memory, fd, $($parameter),*).await
        })*
        $(pub(in crate::sandbox::wasi::p1) async fn $both(
            view: View<'_, '_>,
            memory: Memory<'_, '_>,
            fd: i32,
            $($each: $sort),*
        ) -> Result<i32> {
            if view.ipc.is_ours(fd) {
                return Ok(raw($where::$both(view, memory, fd, $($each),*).await));
            }
            stock::$both(view.wasi, memory, fd, $($each),*).await
        })*
    };
}

by_descriptor! {
    at_once {
        fd_allocate(offset: i64, length: i64) descriptors;
        fd_fdstat_set_flags(flags: i32) descriptors;
        fd_fdstat_set_rights(base: i64, inheriting: i64) descriptors;
        fd_tell(out: i32) descriptors;
    }
    awaited {
        fd_advise(offset: i64, length: i64, advice: i32) descriptors;
        fd_datasync() descriptors;
        fd_fdstat_get(out: i32) descriptors;
        fd_filestat_get(out: i32) descriptors;
        fd_filestat_set_size(size: i64) descriptors;
        fd_filestat_set_times(accessed: i64, modified: i64, which: i32) descriptors;
        fd_readdir(buffer: i32, length: i32, cookie: i64, out: i32) descriptors;
        fd_seek(offset: i64, whence: i32, out: i32) descriptors;
        fd_sync() descriptors;
        path_create_directory(path: i32, length: i32) paths;
        path_filestat_get(flags: i32, path: i32, length: i32, out: i32) paths;
        path_filestat_set_times(flags: i32, path: i32, length: i32, accessed: i64, modified: i64, which: i32) paths;
        path_readlink(path: i32, length: i32, buffer: i32, room: i32, out: i32) paths;
        path_remove_directory(path: i32, length: i32) paths;
        path_unlink_file(path: i32, length: i32) paths;
    }
    ours_wait {
        fd_pread(list: i32, count: i32, offset: i64, out: i32) bytes;
        fd_pwrite(list: i32, count: i32, offset: i64, out: i32) bytes;
        fd_read(list: i32, count: i32, out: i32) bytes;
        fd_write(list: i32, count: i32, out: i32) bytes;
    }
}

pub(in crate::sandbox::wasi::p1) async fn poll_oneoff(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    subscriptions: i32,
    events: i32,
    count: i32,
    out: i32,
) -> Result<i32> {
    let call = poll::Call { subscriptions, events, count, out };
    match poll::with_files(view, memory, call).await {
        Some(answer) => answer,
        None => stock::poll_oneoff(view.wasi, memory, subscriptions, events, count, out).await,
    }
}

pub(in crate::sandbox::wasi::p1) async fn fd_close(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
) -> Result<i32> {
    let errno = stock::fd_close(view.wasi, memory, fd).await?;
    if errno == raw(Ok(())) {
        view.ipc.remove(fd);
    }
    Ok(errno)
}

pub(in crate::sandbox::wasi::p1) async fn fd_renumber(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    to: i32,
) -> Result<i32> {
    let errno = stock::fd_renumber(view.wasi, memory, fd, to).await?;
    if errno == raw(Ok(())) && fd != to {
        view.ipc.renumber(fd, to);
    }
    Ok(errno)
}

pub(in crate::sandbox::wasi::p1) async fn path_open(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    lookup: i32,
    path: i32,
    length: i32,
    how: i32,
    rights: i64,
    inheriting: i64,
    flags: i32,
    out: i32,
) -> Result<i32> {
    match view.ipc.folder(fd) {
        None => {
            let wasi = &mut *view.wasi;
            stock::path_open(
                wasi, memory, fd, lookup, path, length, how, rights, inheriting, flags, out,
            )
            .await
        }
        Some(Ok(folder)) => {
            let open = paths::Open { path: (path, length), how, rights, flags, out };
            paths::open(view, memory, (fd, folder), open).await
        }
        Some(Err(errno)) => Ok(raw(Err(errno))),
    }
}

/// There are no links to what is ours, or there.
pub(in crate::sandbox::wasi::p1) async fn path_link(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    from: i32,
    flags: i32,
    path: i32,
    length: i32,
    to: i32,
    name: i32,
    name_length: i32,
) -> Result<i32> {
    match (view.ipc.is_ours(from), view.ipc.is_ours(to)) {
        (true, true) => Ok(raw(Err(Errno::Perm))),
        (true, false) | (false, true) => Ok(raw(Err(Errno::Xdev))),
        (false, false) => {
            let wasi = &mut *view.wasi;
            stock::path_link(wasi, memory, from, flags, path, length, to, name, name_length).await
        }
    }
}

pub(in crate::sandbox::wasi::p1) async fn path_rename(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    from: i32,
    path: i32,
    length: i32,
    to: i32,
    name: i32,
    name_length: i32,
) -> Result<i32> {
    match (view.ipc.is_ours(from), view.ipc.is_ours(to)) {
        (true, true) => {
            let (path, name) = ((path, length), (name, name_length));
            Ok(raw(paths::rename(view, memory, (from, path), (to, name))))
        }
        (true, false) | (false, true) => Ok(raw(Err(Errno::Xdev))),
        (false, false) => {
            let wasi = &mut *view.wasi;
            stock::path_rename(wasi, memory, from, path, length, to, name, name_length).await
        }
    }
}

/// There are none in a folder of ours.
pub(in crate::sandbox::wasi::p1) async fn path_symlink(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    target: i32,
    target_length: i32,
    fd: i32,
    path: i32,
    length: i32,
) -> Result<i32> {
    if view.ipc.is_ours(fd) {
        return Ok(raw(Err(Errno::Perm)));
    }
    stock::path_symlink(view.wasi, memory, target, target_length, fd, path, length).await
}
