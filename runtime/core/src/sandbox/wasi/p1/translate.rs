//! Functions that take a descriptor and know no sockets: the stock ones, by its own numbers.
//!
//! Each names the errno that a socket gets there, as POSIX has it for the call.

use super::ipc as stock;
use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p1::types::Errno;

use super::descriptors::Slot;
use super::errno::raw;
use super::files::{Way, counted};
use super::link::{WASI, enter, exported_memory};
use super::memory::{read_u32, write_u32};
use super::view::ModuleView;

/// Translates the first argument.
macro_rules! translated {
    ($linker:ident: $($name:ident($($argument:ident: $type:ty),*) socket: $socket:ident $(, $await:ident)?;)*) => {$(
        $linker.func_wrap_async(
            WASI,
            stringify!($name),
            |mut caller: Caller<'_, T>, (descriptor, $($argument,)*): (i32, $($type,)*)| {
                Box::new(async move {
                    let memory = exported_memory(&mut caller)?;
                    let (mut memory, mut view) = enter(&mut caller, &memory)?;
                    match view.descriptors.stock(descriptor, Errno::$socket) {
                        Ok(descriptor) => {
                            stock::$name(&mut view, &mut memory, descriptor, $($argument),*) $(.$await)?
                        }
                        Err(errno) => Ok(raw(Err(errno))),
                    }
                })
            },
        )?;
    )*};
}

pub(super) fn link<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    translated! { linker:
        fd_advise(offset: i64, length: i64, advice: i32) socket: Spipe, await;
        fd_allocate(offset: i64, length: i64) socket: Spipe;
        fd_datasync() socket: Inval, await;
        fd_fdstat_set_rights(base: i64, inheriting: i64) socket: Inval;
        fd_filestat_set_size(size: i64) socket: Inval, await;
        fd_filestat_set_times(accessed: i64, modified: i64, flags: i32) socket: Inval, await;
        fd_readdir(buffer: i32, length: i32, cookie: i64, out: i32) socket: Notdir, await;
        fd_seek(offset: i64, whence: i32, out: i32) socket: Spipe, await;
        fd_sync() socket: Inval, await;
        fd_tell(out: i32) socket: Spipe;
        path_create_directory(path: i32, length: i32) socket: Notdir, await;
        path_filestat_get(flags: i32, path: i32, length: i32, out: i32) socket: Notdir, await;
        path_filestat_set_times(flags: i32, path: i32, length: i32, accessed: i64, modified: i64, which: i32)
            socket: Notdir, await;
        path_readlink(path: i32, length: i32, buffer: i32, room: i32, out: i32) socket: Notdir, await;
        path_remove_directory(path: i32, length: i32) socket: Notdir, await;
        path_unlink_file(path: i32, length: i32) socket: Notdir, await;
    }
    link_at_offset(linker)?;
    link_two_descriptors(linker)?;
    link_path_open(linker)
}

/// Defines a function that moves bytes of a file at an offset, and counts them.
macro_rules! at_offset {
    ($linker:ident: $($name:ident $way:ident;)*) => {$(
        $linker.func_wrap_async(
            WASI,
            stringify!($name),
            |mut caller: Caller<'_, T>, arguments: (i32, i32, i32, i64, i32)| {
                Box::new(async move {
                    let (descriptor, buffers, count, offset, out) = arguments;
                    let memory = exported_memory(&mut caller)?;
                    let (mut memory, mut view) = enter(&mut caller, &memory)?;
                    let fd = match view.descriptors.stock(descriptor, Errno::Spipe) {
                        Ok(fd) => fd,
                        Err(errno) => return Ok(raw(Err(errno))),
                    };
                    let errno =
                        stock::$name(&mut view, &mut memory, fd, buffers, count, offset, out).await?;
                    Ok(counted(view.files, &memory, Way::$way, (fd, out, errno)))
                })
            },
        )?;
    )*};
}

fn link_at_offset<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    at_offset! { linker:
        fd_pread Read;
        fd_pwrite Written;
    }
    Ok(())
}

fn link_two_descriptors<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    type Link = (i32, i32, i32, i32, i32, i32, i32);
    linker.func_wrap_async(WASI, "path_link", |mut caller: Caller<'_, T>, arguments: Link| {
        Box::new(async move {
            let (from, flags, path, length, to, link, link_length) = arguments;
            let memory = exported_memory(&mut caller)?;
            let (mut memory, mut view) = enter(&mut caller, &memory)?;
            let table = &view.descriptors;
            match (table.stock(from, Errno::Notdir), table.stock(to, Errno::Notdir)) {
                (Ok(from), Ok(to)) => {
                    let wasi = &mut view;
                    stock::path_link(
                        wasi,
                        &mut memory,
                        from,
                        flags,
                        path,
                        length,
                        to,
                        link,
                        link_length,
                    )
                    .await
                }
                (Err(errno), _) | (_, Err(errno)) => Ok(raw(Err(errno))),
            }
        })
    })?;
    type Rename = (i32, i32, i32, i32, i32, i32);
    linker.func_wrap_async(
        WASI,
        "path_rename",
        |mut caller: Caller<'_, T>, arguments: Rename| {
            Box::new(async move {
                let (from, path, length, to, name, name_length) = arguments;
                let memory = exported_memory(&mut caller)?;
                let (mut memory, mut view) = enter(&mut caller, &memory)?;
                let table = &view.descriptors;
                match (table.stock(from, Errno::Notdir), table.stock(to, Errno::Notdir)) {
                    (Ok(from), Ok(to)) => {
                        let wasi = &mut view;
                        stock::path_rename(
                            wasi,
                            &mut memory,
                            from,
                            path,
                            length,
                            to,
                            name,
                            name_length,
                        )
                        .await
                    }
                    (Err(errno), _) | (_, Err(errno)) => Ok(raw(Err(errno))),
                }
            })
        },
    )?;
    type Symlink = (i32, i32, i32, i32, i32);
    linker.func_wrap_async(
        WASI,
        "path_symlink",
        |mut caller: Caller<'_, T>, arguments: Symlink| {
            Box::new(async move {
                let (target, target_length, folder, path, length) = arguments;
                let memory = exported_memory(&mut caller)?;
                let (mut memory, mut view) = enter(&mut caller, &memory)?;
                match view.descriptors.stock(folder, Errno::Notdir) {
                    Ok(folder) => {
                        let wasi = &mut view;
                        stock::path_symlink(
                            wasi,
                            &mut memory,
                            target,
                            target_length,
                            folder,
                            path,
                            length,
                        )
                        .await
                    }
                    Err(errno) => Ok(raw(Err(errno))),
                }
            })
        },
    )?;
    Ok(())
}

/// Opens a file and gives the guest a number of ours for it.
fn link_path_open<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    type Arguments = (i32, i32, i32, i32, i32, i64, i64, i32, i32);
    linker.func_wrap_async(
        WASI,
        "path_open",
        |mut caller: Caller<'_, T>, arguments: Arguments| {
            Box::new(async move {
                let (folder, lookup, path, length, how, rights, inheriting, flags, out) = arguments;
                let memory = exported_memory(&mut caller)?;
                let (mut memory, mut view) = enter(&mut caller, &memory)?;
                let folder = match view.descriptors.stock(folder, Errno::Notdir) {
                    Ok(folder) => folder,
                    Err(errno) => return Ok(raw(Err(errno))),
                };
                let opened = stock::path_open(
                    &mut view,
                    &mut memory,
                    folder,
                    lookup,
                    path,
                    length,
                    how,
                    rights,
                    inheriting,
                    flags,
                    out,
                )
                .await?;
                if opened != 0 {
                    return Ok(opened);
                }
                let number = read_u32(&memory, out.cast_unsigned())
                    .map(|stock| view.descriptors.insert(Slot::Stock(stock)));
                Ok(raw(number.and_then(|number| write_u32(&mut memory, out, number))))
            })
        },
    )?;
    Ok(())
}
