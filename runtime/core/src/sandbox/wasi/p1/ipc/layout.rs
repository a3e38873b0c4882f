//! Answers as WASI 0.1 lays them out.

use wasmtime_wasi::p1::types::Errno;
use wiggle::GuestMemory;

use super::table::{Entry, OpenFile};
use crate::sandbox::ipc::IpcStat;
use crate::sandbox::wasi::p1::memory::{Buffer, write_bytes};

/// `filetype`
const FOLDER: u8 = 3;
const FILE: u8 = 4;

/// `rights`
pub(super) const FD_READ: u64 = 1 << 1;
pub(super) const FD_WRITE: u64 = 1 << 6;
const ALL_RIGHTS: u64 = (1 << 30) - 1;

/// No device of the host has this number.
const DEVICE: u64 = 0x7063_6970;

/// Writes bytes at an address of the guest.
///
/// # Errors
/// `fault` outside of the memory.
pub(super) fn write_at(
    memory: &mut GuestMemory<'_>,
    offset: i32,
    bytes: &[u8],
) -> Result<(), Errno> {
    write_bytes(memory, Buffer { offset: offset.cast_unsigned(), length: 0 }, bytes)
}

fn kind(folder: bool) -> u8 {
    if folder { FOLDER } else { FILE }
}

/// `fdstat`
pub(super) fn fdstat(entry: &Entry) -> [u8; 24] {
    let (folder, flags, rights) = match entry {
        Entry::Folder(_) => (true, 0, ALL_RIGHTS),
        Entry::File(OpenFile { file, flags, .. }) => {
            let (read, write) = file.access();
            let mut rights = ALL_RIGHTS;
            if !read {
                rights &= !FD_READ;
            }
            if !write {
                rights &= !FD_WRITE;
            }
            (false, *flags, rights)
        }
    };
    let mut fdstat = [0; 24];
    fdstat[0] = kind(folder);
    fdstat[2..4].copy_from_slice(&flags.to_le_bytes()[..2]);
    fdstat[8..16].copy_from_slice(&rights.to_le_bytes());
    fdstat[16..24].copy_from_slice(&rights.to_le_bytes());
    fdstat
}

/// `filestat`; there are no times.
pub(super) fn filestat(stat: IpcStat) -> [u8; 64] {
    let mut filestat = [0; 64];
    filestat[..8].copy_from_slice(&DEVICE.to_le_bytes());
    filestat[8..16].copy_from_slice(&stat.id.to_le_bytes());
    filestat[16] = kind(stat.folder);
    filestat[24..32].copy_from_slice(&1_u64.to_le_bytes());
    filestat[32..40].copy_from_slice(&stat.size.to_le_bytes());
    filestat
}

/// The entries of a folder from `cookie` on, as much as there is room for: `dirent` and name of each.
pub(super) fn dirents(names: &[(String, bool)], cookie: i64, room: usize) -> Vec<u8> {
    let dots = [(".".to_owned(), true), ("..".to_owned(), true)];
    let mut bytes = Vec::new();
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    let all = (1_u64..).zip(dots.iter().chain(names)).skip(skipped);
    for (next, (name, folder)) in all {
        if bytes.len() >= room {
            break;
        }
        bytes.extend_from_slice(&next.to_le_bytes());
        bytes.extend_from_slice(&0_u64.to_le_bytes());
        bytes.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&[kind(*folder), 0, 0, 0]);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes.truncate(room);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_goes_on_where_it_was_cut_off() {
        let names = [("ab".to_owned(), false), ("c".to_owned(), true)];
        let all = dirents(&names, 0, 1000);
        assert_eq!(all.len(), 4 * 24 + ".".len() + "..".len() + "ab".len() + "c".len());
        assert_eq!(dirents(&names, 0, 30), all[..30]);
        assert_eq!(dirents(&names, 2, 1000), all[2 * 24 + 3..]);
        assert!(dirents(&names, 4, 1000).is_empty());
        assert!(dirents(&names, i64::MAX, 1000).is_empty());
        assert!(dirents(&names, -1, 1000).is_empty());
        assert_eq!((all[20], all[2 * 24 + 3 + 20]), (FOLDER, FILE));
    }
}
