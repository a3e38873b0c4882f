//! What takes a path below a folder of ours.

#![expect(clippy::too_many_arguments, reason = "those of the interface")]

use std::sync::Arc;

use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as stock;
use wiggle::{GuestMemory, GuestPtr};

use super::layout::{FD_READ, FD_WRITE, filestat, write_at};
use super::table::{Entry, OpenFile};
use crate::sandbox::ipc::{Creation, IpcFolder, Opened, Opening};
use crate::sandbox::wasi::ipc::errno;
use crate::sandbox::wasi::p1::errno::raw;
use crate::sandbox::wasi::p1::memory::{read_u32, write_u32};
use crate::sandbox::wasi::p1::view::ModuleCtxView;

/// `PATH_MAX` of Linux.
const LONGEST: u32 = 4096;

/// `oflags`
const CREATE: i32 = 1;
const DIRECTORY: i32 = 2;
const EXCLUSIVE: i32 = 4;
const TRUNCATE: i32 = 8;

/// The path that a guest handed over.
///
/// # Errors
/// `nametoolong`, `ilseq`, `fault`.
fn text(memory: &GuestMemory<'_>, at: i32, length: i32) -> Result<String, Errno> {
    let length = length.cast_unsigned();
    if length > LONGEST {
        return Err(Errno::Nametoolong);
    }
    let bytes = memory.as_cow(GuestPtr::<[u8]>::new((at.cast_unsigned(), length)));
    String::from_utf8(bytes.map_err(|_| Errno::Fault)?.into_owned()).map_err(|_| Errno::Ilseq)
}

type View<'a, 'b> = &'a mut ModuleCtxView<'b>;
type Memory<'a, 'b> = &'a mut GuestMemory<'b>;
type Outcome = Result<(), Errno>;

fn folder(view: View<'_, '_>, fd: i32) -> Result<IpcFolder, Errno> {
    view.ipc.folder(fd).unwrap_or(Err(Errno::Badf))
}

pub(super) fn path_create_directory(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    path: i32,
    length: i32,
) -> Outcome {
    let (folder, path) = (folder(view, fd)?, text(memory, path, length)?);
    view.ipc.run.create_folder(&folder, &path).map_err(errno)
}

pub(super) fn path_filestat_get(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    _flags: i32,
    path: i32,
    length: i32,
    out: i32,
) -> Outcome {
    let (folder, path) = (folder(view, fd)?, text(memory, path, length)?);
    let stat = view.ipc.run.stat(&folder, &path).map_err(errno)?;
    write_at(memory, out, &filestat(stat))
}

/// There are no times to set.
pub(super) fn path_filestat_set_times(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    _flags: i32,
    path: i32,
    length: i32,
    _accessed: i64,
    _modified: i64,
    _which: i32,
) -> Outcome {
    let (folder, path) = (folder(view, fd)?, text(memory, path, length)?);
    view.ipc.run.stat(&folder, &path).map(drop).map_err(errno)
}

/// Nothing there is a link.
pub(super) fn path_readlink(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    path: i32,
    length: i32,
    _buffer: i32,
    _room: i32,
    _out: i32,
) -> Outcome {
    let (folder, path) = (folder(view, fd)?, text(memory, path, length)?);
    view.ipc.run.stat(&folder, &path).map_err(errno).and(Err(Errno::Inval))
}

pub(super) fn path_remove_directory(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    path: i32,
    length: i32,
) -> Outcome {
    let (folder, path) = (folder(view, fd)?, text(memory, path, length)?);
    view.ipc.run.remove_folder(&folder, &path).map_err(errno)
}

pub(super) fn path_unlink_file(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    path: i32,
    length: i32,
) -> Outcome {
    let (folder, path) = (folder(view, fd)?, text(memory, path, length)?);
    view.ipc.run.unlink(&folder, &path).map_err(errno)
}

/// Where a path begins, and where it is.
type Place = (i32, (i32, i32));

pub(super) fn rename(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    (from, path): Place,
    (to, name): Place,
) -> Outcome {
    let (path, name) = (text(memory, path.0, path.1)?, text(memory, name.0, name.1)?);
    let (from, to) = (folder(view, from)?, folder(view, to)?);
    view.ipc.run.rename((&from, &path), (&to, &name)).map_err(errno)
}

/// `path_open` as its arguments come, from the path on.
pub(super) struct Open {
    pub(super) path: (i32, i32),
    pub(super) how: i32,
    pub(super) rights: i64,
    pub(super) flags: i32,
    pub(super) out: i32,
}

/// Opens what is below `folder`, which is under the number `fd`.
pub(super) async fn open(
    view: &mut ModuleCtxView<'_>,
    memory: &mut GuestMemory<'_>,
    (fd, folder): (i32, IpcFolder),
    open: Open,
) -> wasmtime::Result<i32> {
    let path = match text(memory, open.path.0, open.path.1) {
        Ok(path) => path,
        Err(errno) => return Ok(raw(Err(errno))),
    };
    // Before anything is made or cut off, which would stay so.
    let number = match number(view, fd).await? {
        Ok(number) => number,
        Err(errno) => return Ok(errno),
    };
    let entry = match view.ipc.run.open(&folder, &path, opening(&open)) {
        Ok(Opened::Folder(folder)) => Entry::Folder(folder),
        Ok(Opened::File(file)) => {
            Entry::File(OpenFile { file: Arc::new(file), offset: 0, flags: open.flags })
        }
        Err(refused) => {
            let mut none = [];
            let mut memory = GuestMemory::Unshared(&mut none);
            stock::fd_close(view.wasi, &mut memory, number).await?;
            return Ok(raw(Err(errno(refused))));
        }
    };
    view.ipc.insert(number, entry);
    Ok(raw(write_u32(memory, open.out, number.cast_unsigned())))
}

fn opening(open: &Open) -> Opening {
    let has = |flag| open.how & flag != 0;
    let may = |right: u64| open.rights.cast_unsigned() & right != 0;
    Opening {
        creation: Creation::of(has(CREATE), has(EXCLUSIVE)),
        folder: has(DIRECTORY),
        truncate: has(TRUNCATE),
        read: may(FD_READ),
        write: may(FD_WRITE),
    }
}

/// A number that nothing else has: of the folder that is gone, opened once more. The inner error is what
/// the stock implementation has against it.
async fn number(view: &mut ModuleCtxView<'_>, folder: i32) -> wasmtime::Result<Result<i32, i32>> {
    const OUT: i32 = 0;
    const PATH: i32 = 4;
    let mut own = vec![0; 16];
    own[4] = b'.';
    let mut memory = GuestMemory::Unshared(&mut own);
    let rights = FD_READ.cast_signed();
    let opened = stock::path_open(
        view.wasi,
        &mut memory,
        folder,
        0,
        PATH,
        1,
        DIRECTORY,
        rights,
        rights,
        0,
        OUT,
    )
    .await?;
    if opened != raw(Ok(())) {
        return Ok(Err(opened));
    }
    let number = read_u32(&memory, OUT.cast_unsigned());
    Ok(number.map(u32::cast_signed).map_err(|errno| raw(Err(errno))))
}
