//! Counting what a module reads from its files and writes to them.

use wiggle::GuestMemory;

use super::memory::read_u32;
use crate::sandbox::filesystem::FileTraffic;

/// The first descriptor of the stock implementation that is no standard stream.
const FIRST: i32 = 3;

/// Which way the bytes went.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Read,
    Written,
}

/// A call of the stock implementation, on its own descriptor `fd`, has come to `errno`, which is
/// given back; when that is no error it left the number of bytes at `out`.
pub(super) fn counted(
    files: &FileTraffic,
    memory: &GuestMemory<'_>,
    way: Way,
    (fd, out, errno): (i32, i32, i32),
) -> i32 {
    if errno == 0
        && fd >= FIRST
        && let Ok(bytes) = read_u32(memory, out.cast_unsigned())
    {
        match way {
            Way::Read => files.read(bytes.into()),
            Way::Written => files.wrote(bytes.into()),
        }
    }
    errno
}
