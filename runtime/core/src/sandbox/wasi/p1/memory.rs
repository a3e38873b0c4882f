//! A guest's memory for one call: numbers, and lists of buffers.

use wasmtime_wasi::p1::types::Errno;
use wiggle::{GuestMemory, GuestPtr};

/// A buffer of the guest.
#[derive(Clone, Copy)]
pub(super) struct Buffer {
    pub(super) offset: u32,
    pub(super) length: u32,
}

impl Buffer {
    /// The buffer behind its first `count` bytes.
    pub(super) fn after(self, count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(self.length);
        Self { offset: self.offset.saturating_add(count), length: self.length - count }
    }

    /// How many bytes it holds.
    pub(super) fn room(self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    pub(super) fn pointer(self) -> GuestPtr<[u8]> {
        GuestPtr::new((self.offset, self.length))
    }
}

/// How many buffers one call may name, as `IOV_MAX` of Linux.
const MOST_BUFFERS: i32 = 1024;

/// The buffers of an `iovec` or `ciovec` array.
///
/// # Errors
/// `inval` for more than 1024 of them, `fault` outside of the memory.
pub(super) fn buffers(
    memory: &GuestMemory<'_>,
    array: i32,
    count: i32,
) -> Result<Vec<Buffer>, Errno> {
    if !(0..=MOST_BUFFERS).contains(&count) {
        return Err(Errno::Inval);
    }
    (0..count.cast_unsigned())
        .map(|index| {
            let entry = array.cast_unsigned().checked_add(index * 8).ok_or(Errno::Fault)?;
            let length = entry.checked_add(4).ok_or(Errno::Fault)?;
            Ok(Buffer { offset: read_u32(memory, entry)?, length: read_u32(memory, length)? })
        })
        .collect()
}

pub(super) fn read_u32(memory: &GuestMemory<'_>, offset: u32) -> Result<u32, Errno> {
    memory.read(GuestPtr::<u32>::new(offset)).map_err(|_| Errno::Fault)
}

pub(super) fn write_u32(
    memory: &mut GuestMemory<'_>,
    offset: i32,
    value: u32,
) -> Result<(), Errno> {
    memory.write(GuestPtr::<u32>::new(offset.cast_unsigned()), value).map_err(|_| Errno::Fault)
}

/// Copies bytes to the start of a buffer that has room for them.
pub(super) fn write_bytes(
    memory: &mut GuestMemory<'_>,
    buffer: Buffer,
    bytes: &[u8],
) -> Result<(), Errno> {
    let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
    let pointer = Buffer { offset: buffer.offset, length }.pointer();
    memory.copy_from_slice(bytes, pointer).map_err(|_| Errno::Fault)
}
