//! A shared segment: bytes that all containers of the Pod read and write at offsets. A file of `/dev/shm`
//! is one.
//!
//! Each call is one step: no other sees half of a write, and a word may be compared and swapped, from
//! which guests build their locks. Guests have no memory in common, so each access is a call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::IpcError;
use super::charges::Charges;
use super::pages::Pages;
use super::quota::{Quota, Share};
use crate::resources::memory::{ContainerMemory, Held};

/// A segment. It lives until its name is gone and nobody has it open.
#[derive(Debug)]
pub struct Segment {
    /// Tells it from all others of the Pod.
    id: u64,
    kind: SegmentKind,
    content: Mutex<Content>,
}

/// Which of the two interfaces it is of.
#[derive(Debug)]
pub(super) enum SegmentKind {
    /// A file of `/dev/shm`, whose size changes.
    Named,
    /// One of System V, whose size stays. It counts among those.
    Keyed { _place: Share, _held: Held },
}

#[derive(Debug)]
struct Content {
    pages: Pages,
    share: Share,
    charges: Charges,
    /// The longest that it may become.
    longest: u64,
}

impl Segment {
    pub(super) fn new(
        id: u64,
        quota: &Arc<Quota>,
        kind: SegmentKind,
        size: u64,
    ) -> Result<Arc<Self>, IpcError> {
        let longest = u64::try_from(quota.most()).unwrap_or(u64::MAX);
        let mut content = Content {
            pages: Pages::default(),
            share: quota.take(0)?,
            charges: Charges::default(),
            longest,
        };
        content.set_size(size)?;
        Ok(Arc::new(Self { id, kind, content: Mutex::new(content) }))
    }

    /// Tells it from all others of the Pod.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.content().pages.size()
    }

    /// Bytes that it takes: pages that were written to.
    pub fn taken(&self) -> usize {
        self.content().pages.taken()
    }

    /// Cuts it off, or makes it longer by zeros, which take no room yet.
    ///
    /// # Errors
    /// [`IpcError::NoSpace`] for more than the Pod may ever have, [`IpcError::Invalid`] where it has a
    /// key.
    pub fn set_size(&self, size: u64) -> Result<(), IpcError> {
        match self.kind {
            SegmentKind::Named => self.content().set_size(size),
            SegmentKind::Keyed { .. } => Err(IpcError::Invalid),
        }
    }

    /// Copies what is at `offset` into `buffer`; answers how much that was: nothing at the end.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        self.content().pages.read(offset, buffer)
    }

    /// Writes all of `bytes` at `offset`, inside of its size.
    ///
    /// # Errors
    /// [`IpcError::Invalid`] for what would end outside, and those of [`Segment::write`].
    pub fn write_inside(
        &self,
        memory: &Arc<ContainerMemory>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), IpcError> {
        let mut content = self.content();
        let end = offset.checked_add(bytes.len() as u64);
        if end.is_none_or(|end| end > content.pages.size()) {
            return Err(IpcError::Invalid);
        }
        content.write(memory, offset, bytes)
    }

    /// Writes all of `bytes` at `offset`, and makes the segment longer where it ends before.
    ///
    /// # Errors
    /// [`IpcError::NoSpace`], [`IpcError::OutOfMemory`], [`IpcError::Invalid`] for an offset that no
    /// file has; nothing is written then.
    pub fn write(
        &self,
        memory: &Arc<ContainerMemory>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), IpcError> {
        self.content().write(memory, offset, bytes)
    }

    /// Writes at the end; answers where that was.
    ///
    /// # Errors
    /// As [`Segment::write`].
    pub fn append(&self, memory: &Arc<ContainerMemory>, bytes: &[u8]) -> Result<u64, IpcError> {
        let mut content = self.content();
        let end = content.pages.size();
        content.write(memory, end, bytes).map(|()| end)
    }

    /// Writes `new` in place of the word at `offset` if that is `expected`; answers what it was.
    ///
    /// # Errors
    /// [`IpcError::Invalid`] for an offset that is no multiple of the word's size or not inside, and
    /// those of [`Segment::write`].
    pub fn compare_and_swap<const BYTES: usize>(
        &self,
        memory: &Arc<ContainerMemory>,
        offset: u64,
        expected: [u8; BYTES],
        new: [u8; BYTES],
    ) -> Result<[u8; BYTES], IpcError> {
        let mut content = self.content();
        let found = content.pages.word::<BYTES>(offset)?;
        if found == expected {
            content.write(memory, offset, &new)?;
        }
        Ok(found)
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        // Each change is complete before anything can panic.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn set_size(&mut self, size: u64) -> Result<(), IpcError> {
        let fits = size <= self.longest || size <= self.pages.size();
        self.pages.check_size(size)?;
        if !fits {
            return Err(IpcError::NoSpace);
        }
        self.pages.set_size(size)?;
        self.give_back();
        Ok(())
    }

    fn write(
        &mut self,
        memory: &Arc<ContainerMemory>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), IpcError> {
        let more = self.pages.missing(offset, bytes.len())?;
        let end = offset.saturating_add(bytes.len() as u64);
        if end > self.longest && end > self.pages.size() {
            return Err(IpcError::NoSpace);
        }
        if more > 0 {
            let total = self.pages.taken().checked_add(more).ok_or(IpcError::NoSpace)?;
            self.share.set(total)?;
            if let Err(refused) = self.charges.grow(memory, more) {
                self.give_back();
                return Err(refused);
            }
        }
        self.pages.write(offset, bytes);
        Ok(())
    }

    /// Holds no more than there is.
    fn give_back(&mut self) {
        let taken = self.pages.taken();
        // It is no more than before.
        let _ = self.share.set(taken);
        self.charges.shrink_to(taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::ipc::pages::PAGE;

    fn segment(most: usize) -> (Arc<Segment>, Arc<Quota>, Arc<ContainerMemory>) {
        let quota = Quota::new(most);
        let segment = Segment::new(1, &quota, SegmentKind::Named, 0).unwrap();
        (segment, quota, ContainerMemory::apart(64 << 20))
    }

    #[test]
    fn what_is_written_takes_room_and_memory_until_it_is_cut_off() {
        let (segment, quota, memory) = segment(4 * PAGE);
        segment.set_size(4 * PAGE as u64).unwrap();
        assert_eq!((quota.used(), memory.of_host()), (0, 0));
        segment.write(&memory, 1, &[1; 2 * PAGE]).unwrap();
        assert_eq!(
            (quota.used(), memory.of_host(), segment.taken()),
            (3 * PAGE, 3 * PAGE, 3 * PAGE)
        );
        assert_eq!(segment.write(&memory, 4 * PAGE as u64, &[1]), Err(IpcError::NoSpace));
        assert_eq!(segment.set_size(4 * PAGE as u64 + 1), Err(IpcError::NoSpace));
        assert_eq!(segment.set_size(u64::MAX), Err(IpcError::Invalid));
        segment.set_size(1).unwrap();
        assert_eq!((quota.used(), memory.of_host(), segment.size()), (PAGE, PAGE, 1));
        assert_eq!(segment.append(&memory, b"end"), Ok(1));
        let mut read = [7; 8];
        assert_eq!((segment.read(0, &mut read), &read[..4]), (4, b"\0end".as_slice()));
        drop(segment);
        assert_eq!((quota.used(), memory.of_host()), (0, 0));
    }

    #[test]
    fn a_container_without_memory_is_refused_and_nothing_is_written() {
        let (segment, quota, _) = segment(64 << 20);
        let poor = ContainerMemory::apart(0);
        // The first two MiB are free.
        segment.write(&poor, 0, &vec![1; 2 << 20]).unwrap();
        assert_eq!(segment.write(&poor, 2 << 20, &[1]), Err(IpcError::OutOfMemory));
        assert_eq!((segment.size(), quota.used(), poor.of_host()), (2 << 20, 2 << 20, 2 << 20));
    }

    #[test]
    fn one_with_a_key_keeps_its_size() {
        let (quota, memory) = (Quota::new(PAGE), ContainerMemory::apart(1 << 20));
        let place = || SegmentKind::Keyed {
            _place: Quota::new(1).take(1).unwrap(),
            _held: memory.hold(1).unwrap(),
        };
        let segment = Segment::new(1, &quota, place(), 8).unwrap();
        segment.write_inside(&memory, 4, b"1234").unwrap();
        assert_eq!(segment.write_inside(&memory, 5, b"1234"), Err(IpcError::Invalid));
        assert_eq!(segment.write_inside(&memory, u64::MAX, b"1"), Err(IpcError::Invalid));
        assert_eq!(segment.set_size(9), Err(IpcError::Invalid));
        let large = Segment::new(1, &quota, place(), PAGE as u64 + 1);
        assert_eq!(large.map(drop).unwrap_err(), IpcError::NoSpace);
    }

    #[test]
    fn a_word_is_swapped_if_it_is_as_expected() {
        let (segment, _, memory) = segment(PAGE);
        segment.set_size(16).unwrap();
        let swap = |expected: u32, new: u32| {
            let (expected, new) = (expected.to_le_bytes(), new.to_le_bytes());
            segment.compare_and_swap(&memory, 4, expected, new).map(u32::from_le_bytes)
        };
        assert_eq!((swap(0, 7), swap(0, 8), swap(7, 9), swap(9, 9)), (Ok(0), Ok(7), Ok(7), Ok(9)));
        for offset in [6, 16, u64::MAX - 7] {
            let swapped = segment.compare_and_swap(&memory, offset, [0; 8], [1; 8]);
            assert_eq!(swapped, Err(IpcError::Invalid), "{offset}");
        }
    }
}
