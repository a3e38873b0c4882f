//! Reads and writes of queues and segments.

use wasmtime_wasi::p1::types::Errno;
use wiggle::GuestMemory;

use super::table::OpenFile;
use crate::sandbox::ipc::RunIpc;
use crate::sandbox::wasi::ipc::errno;
use crate::sandbox::wasi::p1::memory::{Buffer, buffers, write_bytes, write_u32};
use crate::sandbox::wasi::p1::view::ModuleCtxView;

/// What one call moves at most of a segment.
const MOST: usize = 1 << 20;

/// Where a call reads or writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Where the last one ended.
    Here,
    /// There, and the next of the others goes on where it was.
    Offset(i64),
}

impl At {
    fn offset(self, open: &OpenFile) -> Result<u64, Errno> {
        match self {
            Self::Here => Ok(open.offset),
            // A queue takes messages one after the other.
            Self::Offset(_) if open.file.is_stream() => Err(Errno::Spipe),
            Self::Offset(offset) => u64::try_from(offset).map_err(|_| Errno::Inval),
        }
    }
}

type View<'a, 'b> = &'a mut ModuleCtxView<'b>;
type Memory<'a, 'b> = &'a mut GuestMemory<'b>;

pub(super) async fn fd_read(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    list: i32,
    count: i32,
    out: i32,
) -> Result<(), Errno> {
    let open = file(view, fd)?;
    let next = read(&view.ipc.run, &open, At::Here, memory, (list, count, out)).await?;
    file_mut(view, fd)?.offset = next;
    Ok(())
}

pub(super) async fn fd_pread(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    list: i32,
    count: i32,
    offset: i64,
    out: i32,
) -> Result<(), Errno> {
    let open = file(view, fd)?;
    let at = At::Offset(offset);
    read(&view.ipc.run, &open, at, memory, (list, count, out)).await.map(drop)
}

pub(super) async fn fd_write(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    list: i32,
    count: i32,
    out: i32,
) -> Result<(), Errno> {
    let open = file(view, fd)?;
    let next = write(&view.ipc.run, &open, At::Here, memory, (list, count, out)).await?;
    file_mut(view, fd)?.offset = next;
    Ok(())
}

pub(super) async fn fd_pwrite(
    view: View<'_, '_>,
    memory: Memory<'_, '_>,
    fd: i32,
    list: i32,
    count: i32,
    offset: i64,
    out: i32,
) -> Result<(), Errno> {
    let open = file(view, fd)?;
    let at = At::Offset(offset);
    write(&view.ipc.run, &open, at, memory, (list, count, out)).await.map(drop)
}

/// The file under a number of ours, for the time of a call.
fn file(view: View<'_, '_>, fd: i32) -> Result<OpenFile, Errno> {
    file_mut(view, fd).cloned()
}

fn file_mut<'a>(view: View<'a, '_>, fd: i32) -> Result<&'a mut OpenFile, Errno> {
    view.ipc.file(fd).unwrap_or(Err(Errno::Badf))
}

/// Reads into the buffers of a list; leaves the number of bytes at `out`. Answers where the next read is.
async fn read(
    run: &RunIpc,
    open: &OpenFile,
    at: At,
    memory: &mut GuestMemory<'_>,
    (list, count, out): (i32, i32, i32),
) -> Result<u64, Errno> {
    let buffers = buffers(memory, list, count)?;
    let room = room(&buffers).min(MOST);
    let offset = at.offset(open)?;
    let read = open.file.read(run, offset, room, open.patience()).await.map_err(errno)?;
    let mut rest = &read[..];
    for buffer in buffers {
        let (part, behind) = rest.split_at(rest.len().min(buffer.room()));
        write_bytes(memory, buffer, part)?;
        rest = behind;
    }
    write_u32(memory, out, u32::try_from(read.len()).map_err(|_| Errno::Overflow)?)?;
    Ok(after(offset, read.len()))
}

/// Writes what is in the buffers of a list, to a queue as one message; leaves the number of bytes at
/// `out`. Answers where the next write is.
async fn write(
    run: &RunIpc,
    open: &OpenFile,
    at: At,
    memory: &mut GuestMemory<'_>,
    (list, count, out): (i32, i32, i32),
) -> Result<u64, Errno> {
    let buffers = buffers(memory, list, count)?;
    let offset = at.offset(open)?;
    let length = room(&buffers);
    let length = match open.file.most_at_once() {
        Some(most) if length > most => return Err(Errno::Msgsize),
        Some(_) => length,
        None => length.min(MOST),
    };
    let bytes = gather(memory, &buffers, length)?;
    let append = open.is_append() && at == At::Here;
    let place = (!append).then_some(offset);
    open.file.write(run, place, &bytes, open.patience()).await.map_err(errno)?;
    write_u32(memory, out, u32::try_from(length).map_err(|_| Errno::Overflow)?)?;
    Ok(if append { open.file.stat().size } else { after(offset, length) })
}

fn room(buffers: &[Buffer]) -> usize {
    buffers.iter().fold(0, |sum, buffer| buffer.room().saturating_add(sum))
}

/// The first `length` bytes of them all.
fn gather(memory: &GuestMemory<'_>, buffers: &[Buffer], length: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::with_capacity(length);
    for buffer in buffers {
        let left = u32::try_from(length - bytes.len()).map_err(|_| Errno::Overflow)?;
        let part = Buffer { length: buffer.length.min(left), ..*buffer };
        bytes.extend_from_slice(&memory.as_cow(part.pointer()).map_err(|_| Errno::Fault)?);
    }
    Ok(bytes)
}

fn after(offset: u64, length: usize) -> u64 {
    offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX))
}
