//! What takes a descriptor of ours, and is no read or write.

use wasmtime_wasi::p1::types::Errno;
use wiggle::GuestMemory;

use super::layout::{dirents, fdstat, filestat, write_at};
use super::table::{APPEND, Entry, NON_BLOCKING, OpenFile};
use crate::sandbox::wasi::ipc::errno;
use crate::sandbox::wasi::p1::memory::write_u32;
use crate::sandbox::wasi::p1::view::ModuleCtxView;

/// `whence`
const SET: i32 = 0;
const CURRENT: i32 = 1;
const END: i32 = 2;

/// What one listing copies at most.
const LISTED: usize = 1 << 20;

type View<'a, 'b> = &'a mut ModuleCtxView<'b>;
type Memory<'a, 'b> = &'a mut GuestMemory<'b>;
type Outcome = Result<(), Errno>;

fn file<'a>(view: View<'a, '_>, fd: i32) -> Result<&'a mut OpenFile, Errno> {
    view.ipc.file(fd).unwrap_or(Err(Errno::Badf))
}

pub(super) fn fd_advise(
    _: View<'_, '_>,
    _: Memory<'_, '_>,
    _: i32,
    _: i64,
    _: i64,
    _: i32,
) -> Outcome {
    Ok(())
}

pub(super) fn fd_allocate(
    view: View<'_, '_>,
    _: Memory<'_, '_>,
    fd: i32,
    offset: i64,
    length: i64,
) -> Outcome {
    let end = offset.checked_add(length).filter(|_| offset >= 0 && length > 0);
    let end = end.ok_or(Errno::Inval)?;
    let open = file(view, fd)?;
    if open.file.stat().size >= end.cast_unsigned() && open.file.queue().is_none() {
        return Ok(());
    }
    open.set_size(end)
}

pub(super) fn fd_datasync(_: View<'_, '_>, _: Memory<'_, '_>, _: i32) -> Outcome {
    Ok(())
}

pub(super) fn fd_sync(_: View<'_, '_>, _: Memory<'_, '_>, _: i32) -> Outcome {
    Ok(())
}

pub(super) fn fd_fdstat_get(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    out: i32,
) -> Outcome {
    let entry = view.ipc.get(fd).ok_or(Errno::Badf)?;
    write_at(memory, out, &fdstat(entry))
}

pub(super) fn fd_fdstat_set_flags(
    view: View<'_, '_>,
    _: Memory<'_, '_>,
    fd: i32,
    flags: i32,
) -> Outcome {
    // Nothing is ever out of step with a disk.
    file(view, fd)?.flags = flags & (APPEND | NON_BLOCKING);
    Ok(())
}

pub(super) fn fd_fdstat_set_rights(
    _: View<'_, '_>,
    _: Memory<'_, '_>,
    _: i32,
    _: i64,
    _: i64,
) -> Outcome {
    Err(Errno::Notsup)
}

pub(super) fn fd_filestat_get(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    out: i32,
) -> Outcome {
    let stat = match view.ipc.get(fd).ok_or(Errno::Badf)? {
        Entry::Folder(folder) => folder.stat(),
        Entry::File(open) => open.file.stat(),
    };
    write_at(memory, out, &filestat(stat))
}

pub(super) fn fd_filestat_set_size(
    view: View<'_, '_>,
    _: Memory<'_, '_>,
    fd: i32,
    size: i64,
) -> Outcome {
    file(view, fd)?.set_size(size)
}

/// There are no times to set.
pub(super) fn fd_filestat_set_times(
    _: View<'_, '_>,
    _: Memory<'_, '_>,
    _: i32,
    _: i64,
    _: i64,
    _: i32,
) -> Outcome {
    Ok(())
}

pub(super) fn fd_readdir(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    buffer: i32,
    length: i32,
    cookie: i64,
    out: i32,
) -> Outcome {
    let folder = view.ipc.folder(fd).unwrap_or(Err(Errno::Badf))?;
    let names = view.ipc.run.list(&folder).map_err(errno)?;
    let room = usize::try_from(length.cast_unsigned()).unwrap_or(usize::MAX).min(LISTED);
    let bytes = dirents(&names, cookie, room);
    write_at(memory, buffer, &bytes)?;
    write_u32(memory, out, u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?)
}

pub(super) fn fd_seek(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    offset: i64,
    whence: i32,
    out: i32,
) -> Outcome {
    let open = file(view, fd)?;
    let from = match whence {
        _ if open.file.is_stream() => return Err(Errno::Spipe),
        SET => 0,
        CURRENT => open.offset,
        END => open.file.stat().size,
        _ => return Err(Errno::Inval),
    };
    let to = from.checked_add_signed(offset).filter(|to| i64::try_from(*to).is_ok());
    let to = to.ok_or(Errno::Inval)?;
    open.offset = to;
    write_at(memory, out, &to.to_le_bytes())
}

pub(super) fn fd_tell(view: View<'_, '_>, memory: Memory<'_, '_>, fd: i32, out: i32) -> Outcome {
    let open = file(view, fd)?;
    if open.file.is_stream() {
        return Err(Errno::Spipe);
    }
    write_at(memory, out, &open.offset.to_le_bytes())
}
