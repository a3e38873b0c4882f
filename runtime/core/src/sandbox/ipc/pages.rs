//! Bytes with holes: what a segment, or a file of `/dev/shm`, is made of. Pure.
//!
//! As in a tmpfs a page is there once it was written to; what was never written reads as zeros and takes
//! no room.

use std::collections::BTreeMap;

use super::IpcError;

/// Bytes of a page, as on most machines.
pub(super) const PAGE: usize = 4096;
const PAGE_BYTES: u64 = PAGE as u64;

/// No file is longer: offsets are signed in most interfaces.
const LONGEST: u64 = i64::MAX.cast_unsigned();

/// The bytes of one segment.
#[derive(Debug, Default)]
pub(super) struct Pages {
    size: u64,
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl Pages {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that it takes.
    pub(super) fn taken(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Cuts it off, or makes it longer by zeros.
    ///
    /// # Errors
    /// [`IpcError::Invalid`] for more than any file may have.
    pub(super) fn set_size(&mut self, size: u64) -> Result<(), IpcError> {
        self.check_size(size)?;
        if size < self.size {
            self.pages.split_off(&size.div_ceil(PAGE_BYTES));
            let (page, inside) = place(size);
            // What is made longer again reads as zeros.
            if let Some(page) = self.pages.get_mut(&page) {
                page[inside..].fill(0);
            }
        }
        self.size = size;
        Ok(())
    }

    /// # Errors
    /// As [`Pages::set_size`].
    pub(super) fn check_size(&self, size: u64) -> Result<(), IpcError> {
        if size > LONGEST { Err(IpcError::Invalid) } else { Ok(()) }
    }

    /// Bytes that a write of `length` at `offset` would take besides.
    ///
    /// # Errors
    /// [`IpcError::Invalid`] beyond what any file may have.
    pub(super) fn missing(&self, offset: u64, length: usize) -> Result<usize, IpcError> {
        if length == 0 {
            return Ok(0);
        }
        let length = u64::try_from(length).map_err(|_| IpcError::Invalid)?;
        let end = offset.checked_add(length).filter(|end| *end <= LONGEST);
        let end = end.ok_or(IpcError::Invalid)?;
        let touched = offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES);
        let there = self.pages.range(touched.clone()).count();
        let touched = usize::try_from(touched.end - touched.start).unwrap_or(usize::MAX);
        Ok((touched - there).saturating_mul(PAGE))
    }

    /// Copies what is at `offset` into `buffer`; answers how much that was.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        let (mut rest, mut offset) = (&mut buffer[..length], offset);
        while !rest.is_empty() {
            let (page, inside) = place(offset);
            let (part, behind) = rest.split_at_mut(rest.len().min(PAGE - inside));
            match self.pages.get(&page) {
                Some(page) => part.copy_from_slice(&page[inside..inside + part.len()]),
                None => part.fill(0),
            }
            offset += part.len() as u64;
            rest = behind;
        }
        length
    }

    /// Writes at `offset`, where [`missing`](Self::missing) had nothing against it.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let (mut rest, mut at) = (bytes, offset);
        while !rest.is_empty() {
            let (page, inside) = place(at);
            let (part, behind) = rest.split_at(rest.len().min(PAGE - inside));
            let page = self.pages.entry(page).or_insert_with(|| Box::new([0; PAGE]));
            page[inside..inside + part.len()].copy_from_slice(part);
            at += part.len() as u64;
            rest = behind;
        }
        if !bytes.is_empty() {
            self.size = self.size.max(at);
        }
    }

    /// The word at `offset`, if it lies inside and where a word of its size may.
    ///
    /// # Errors
    /// [`IpcError::Invalid`] otherwise.
    pub(super) fn word<const BYTES: usize>(&self, offset: u64) -> Result<[u8; BYTES], IpcError> {
        let size = BYTES as u64;
        let end = offset.checked_add(size).filter(|end| *end <= self.size);
        if end.is_none() || !offset.is_multiple_of(size) {
            return Err(IpcError::Invalid);
        }
        let mut word = [0; BYTES];
        self.read(offset, &mut word);
        Ok(word)
    }
}

/// In which page an offset lies, and where there.
fn place(offset: u64) -> (u64, usize) {
    let inside = usize::try_from(offset % PAGE_BYTES).expect("less than a page");
    (offset / PAGE_BYTES, inside)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pages: &Pages) -> Vec<u8> {
        let mut bytes = vec![7; usize::try_from(pages.size()).unwrap()];
        assert_eq!(pages.read(0, &mut bytes), bytes.len());
        bytes
    }

    #[test]
    fn holes_take_no_room() {
        let mut pages = Pages::default();
        pages.set_size(1 << 40).unwrap();
        assert_eq!(pages.taken(), 0);
        assert_eq!(pages.missing(PAGE_BYTES - 1, 2), Ok(2 * PAGE));
        pages.write(PAGE_BYTES - 1, b"ab");
        assert_eq!((pages.missing(0, 2 * PAGE), pages.taken()), (Ok(0), 2 * PAGE));
        let mut read = [7; 4];
        assert_eq!(pages.read(PAGE_BYTES - 2, &mut read), 4);
        assert_eq!(&read, b"\0ab\0");
        assert_eq!(pages.read(1 << 40, &mut read), 0);
        assert_eq!(pages.read(u64::MAX, &mut read), 0);
    }

    #[test]
    fn nothing_lies_beyond_what_an_offset_can_say() {
        let mut pages = Pages::default();
        for (offset, length) in [(u64::MAX, 1), (LONGEST, 1), (LONGEST - 1, 2), (0, usize::MAX)] {
            assert_eq!(pages.missing(offset, length), Err(IpcError::Invalid), "{offset} {length}");
        }
        assert_eq!(pages.missing(LONGEST - 1, 1), Ok(PAGE));
        assert_eq!(pages.missing(u64::MAX, 0), Ok(0));
        assert_eq!(pages.set_size(LONGEST + 1), Err(IpcError::Invalid));
    }

    #[test]
    fn words_lie_inside_and_aligned() {
        let mut pages = Pages::default();
        pages.write(0, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(pages.word::<4>(4), Ok([5, 6, 7, 8]));
        assert_eq!(pages.word::<8>(0), Ok([1, 2, 3, 4, 5, 6, 7, 8]));
        for offset in [1, 2, 8, u64::MAX, u64::MAX - 3] {
            assert_eq!(pages.word::<4>(offset), Err(IpcError::Invalid), "{offset}");
        }
    }

    proptest! {
        /// A plain vector is the model.
        #[test]
        fn it_reads_what_was_written(
            steps in prop::collection::vec((0_u64..20_000, prop::option::of(prop::collection::vec(1_u8.., 0..6000))), 0..20),
        ) {
            let (mut pages, mut model) = (Pages::default(), Vec::new());
            for (at, bytes) in steps {
                let start = usize::try_from(at).unwrap();
                match bytes {
                    Some(bytes) => {
                        let more = pages.missing(at, bytes.len()).unwrap();
                        let before = pages.taken();
                        pages.write(at, &bytes);
                        prop_assert_eq!(pages.taken(), before + more);
                        if !bytes.is_empty() {
                            model.resize(model.len().max(start + bytes.len()), 0);
                            model[start..start + bytes.len()].copy_from_slice(&bytes);
                        }
                    }
                    None => {
                        pages.set_size(at).unwrap();
                        model.resize(start, 0);
                    }
                }
                prop_assert_eq!(&all(&pages), &model);
            }
        }
    }
}
