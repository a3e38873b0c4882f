//! The functions of WASI 0.1 as wasmtime has them, linked one by one.
//!
//! The stock linker makes all 46 of them, where a small module imports eight, and the types that
//! each registers with the engine make that one of the longer steps of a start.

use super::ipc as stock;
use wasmtime::{Caller, Linker, Result};

use super::files::{Way, counted};
use super::link::{WASI, enter, exported_memory};
use super::view::ModuleView;

/// Links `$wanted` if it is listed: `at_once` those that never wait, `awaited` the others; what the
/// `counted` ones move is counted.
macro_rules! stock {
    (
        $linker:ident, $wanted:ident:
        at_once { $($quick:ident($($argument:ident: $type:ty),*);)* }
        awaited { $($slow:ident($($parameter:ident: $kind:ty),*);)* }
        counted { $($moved:ident($fd:ident, $($between:ident: $sort:ty),*; $out:ident) $way:ident;)* }
    ) => {
        match $wanted {
            $(stringify!($quick) => {
                $linker.func_wrap(
                    WASI,
                    stringify!($quick),
                    |mut caller: Caller<'_, T>, $($argument: $type),*| -> Result<i32> {
                        let memory = exported_memory(&mut caller)?;
                        let (mut memory, mut view) = enter(&mut caller, &memory)?;
                        stock::$quick(&mut view, &mut memory, $($argument),*)
                    },
                )?;
            })*
            $(stringify!($slow) => {
                $linker.func_wrap_async(
                    WASI,
                    stringify!($slow),
                    |mut caller: Caller<'_, T>, ($($parameter,)*): ($($kind,)*)| {
                        Box::new(async move {
                            let memory = exported_memory(&mut caller)?;
                            let (mut memory, mut view) = enter(&mut caller, &memory)?;
                            stock::$slow(&mut view, &mut memory, $($parameter),*).await
                        })
                    },
                )?;
            })*
            $(stringify!($moved) => {
                $linker.func_wrap_async(
                    WASI,
                    stringify!($moved),
                    |mut caller: Caller<'_, T>, ($fd, $($between,)* $out): (i32, $($sort,)* i32)| {
                        Box::new(async move {
                            let memory = exported_memory(&mut caller)?;
                            let (mut memory, mut view) = enter(&mut caller, &memory)?;
                            let errno =
                                stock::$moved(&mut view, &mut memory, $fd, $($between,)* $out).await?;
                            Ok(counted(view.files, &memory, Way::$way, ($fd, $out, errno)))
                        })
                    },
                )?;
            })*
            // `proc_exit` is ours, and what does not exist stays open.
            _ => {}
        }
    };
}

/// Links the function of that name, if WASI 0.1 has it.
///
/// # Errors
/// The linker has it already and allows no shadowing.
pub(super) fn link<T: ModuleView + 'static>(linker: &mut Linker<T>, wanted: &str) -> Result<()> {
    stock! { linker, wanted:
        at_once {
            args_get(list: i32, text: i32);
            args_sizes_get(count: i32, size: i32);
            clock_res_get(clock: i32, out: i32);
            clock_time_get(clock: i32, precision: i64, out: i32);
            environ_get(list: i32, text: i32);
            environ_sizes_get(count: i32, size: i32);
            fd_allocate(fd: i32, offset: i64, length: i64);
            fd_fdstat_set_flags(fd: i32, flags: i32);
            fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64);
            fd_prestat_dir_name(fd: i32, path: i32, length: i32);
            fd_prestat_get(fd: i32, out: i32);
            fd_tell(fd: i32, out: i32);
            proc_raise(signal: i32);
            random_get(buffer: i32, length: i32);
            sched_yield();
            sock_accept(fd: i32, flags: i32, out: i32);
            sock_recv(fd: i32, buffers: i32, count: i32, flags: i32, size: i32, out: i32);
            sock_send(fd: i32, buffers: i32, count: i32, flags: i32, out: i32);
            sock_shutdown(fd: i32, how: i32);
        }
        awaited {
            fd_advise(fd: i32, offset: i64, length: i64, advice: i32);
            fd_close(fd: i32);
            fd_datasync(fd: i32);
            fd_fdstat_get(fd: i32, out: i32);
            fd_filestat_get(fd: i32, out: i32);
            fd_filestat_set_size(fd: i32, size: i64);
            fd_filestat_set_times(fd: i32, accessed: i64, modified: i64, which: i32);
            fd_readdir(fd: i32, buffer: i32, length: i32, cookie: i64, out: i32);
            fd_renumber(fd: i32, to: i32);
            fd_seek(fd: i32, offset: i64, whence: i32, out: i32);
            fd_sync(fd: i32);
            path_create_directory(fd: i32, path: i32, length: i32);
            path_filestat_get(fd: i32, flags: i32, path: i32, length: i32, out: i32);
            path_filestat_set_times(fd: i32, flags: i32, path: i32, length: i32, accessed: i64, modified: i64, which: i32);
            path_link(from: i32, flags: i32, path: i32, length: i32, to: i32, name: i32, name_length: i32);
            path_open(fd: i32, lookup: i32, path: i32, length: i32, how: i32, rights: i64, inheriting: i64, flags: i32, out: i32);
            path_readlink(fd: i32, path: i32, length: i32, buffer: i32, room: i32, out: i32);
            path_remove_directory(fd: i32, path: i32, length: i32);
            path_rename(from: i32, path: i32, length: i32, to: i32, name: i32, name_length: i32);
            path_symlink(target: i32, target_length: i32, fd: i32, path: i32, length: i32);
            path_unlink_file(fd: i32, path: i32, length: i32);
            poll_oneoff(subscriptions: i32, events: i32, count: i32, out: i32);
        }
        counted {
            fd_pread(fd, buffers: i32, count: i32, offset: i64; out) Read;
            fd_pwrite(fd, buffers: i32, count: i32, offset: i64; out) Written;
            fd_read(fd, buffers: i32, count: i32; out) Read;
            fd_write(fd, buffers: i32, count: i32; out) Written;
        }
    }
    Ok(())
}
