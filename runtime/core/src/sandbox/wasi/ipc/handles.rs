//! The numbers by which a module of WASI 0.1 knows its queues and segments. Pure.

use std::collections::BTreeMap;

use super::view::{KeyedQueueHandle, QueueHandle, SegmentHandle};
use crate::sandbox::ipc::IpcError;

/// A module's table. It is apart from the descriptors of WASI.
#[derive(Debug)]
pub struct IpcHandles {
    open: BTreeMap<i32, Handle>,
    most: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Handle {
    Queue(QueueHandle),
    KeyedQueue(KeyedQueueHandle),
    Segment(SegmentHandle),
}

impl IpcHandles {
    /// An empty table for so many.
    pub fn new(most: usize) -> Self {
        Self { open: BTreeMap::new(), most }
    }

    /// Whether one more has a place.
    ///
    /// # Errors
    /// [`IpcError::TooManyHandles`]
    pub(super) fn check_room(&self) -> Result<(), IpcError> {
        if self.open.len() < self.most { Ok(()) } else { Err(IpcError::TooManyHandles) }
    }

    /// Puts something under the lowest free number.
    ///
    /// # Errors
    /// [`IpcError::TooManyHandles`]
    pub(super) fn insert(&mut self, handle: Handle) -> Result<i32, IpcError> {
        self.check_room()?;
        let taken = self.open.keys().zip(0..).take_while(|(number, at)| *number == at).count();
        let number = i32::try_from(taken).map_err(|_| IpcError::TooManyHandles)?;
        self.open.insert(number, handle);
        Ok(number)
    }

    /// # Errors
    /// [`IpcError::BadDescriptor`]
    pub(super) fn remove(&mut self, number: i32) -> Result<(), IpcError> {
        self.open.remove(&number).map(drop).ok_or(IpcError::BadDescriptor)
    }

    /// # Errors
    /// [`IpcError::BadDescriptor`], as for the other kinds.
    pub(super) fn queue(&self, number: i32) -> Result<QueueHandle, IpcError> {
        match self.open.get(&number) {
            Some(Handle::Queue(queue)) => Ok(queue.clone()),
            _ => Err(IpcError::BadDescriptor),
        }
    }

    pub(super) fn keyed_queue(&self, number: i32) -> Result<KeyedQueueHandle, IpcError> {
        match self.open.get(&number) {
            Some(Handle::KeyedQueue(queue)) => Ok(queue.clone()),
            _ => Err(IpcError::BadDescriptor),
        }
    }

    pub(super) fn segment(&self, number: i32) -> Result<SegmentHandle, IpcError> {
        match self.open.get(&number) {
            Some(Handle::Segment(segment)) => Ok(segment.clone()),
            _ => Err(IpcError::BadDescriptor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::memory::ContainerMemory;
    use crate::sandbox::ipc::{Creation, IpcLimits, PodIpc};

    #[test]
    fn the_lowest_free_number_is_given_out_and_there_is_a_bound() {
        let (ipc, memory) = (PodIpc::new(IpcLimits::default()), ContainerMemory::apart(1 << 20));
        let queue = ipc.open_queue(&memory, "q", Creation::Always, None).unwrap();
        let mut handles = IpcHandles::new(2);
        assert_eq!(handles.insert(Handle::Queue(queue.clone())), Ok(0));
        assert_eq!(handles.check_room(), Ok(()));
        assert_eq!(handles.insert(Handle::Queue(queue.clone())), Ok(1));
        assert_eq!(handles.check_room(), Err(IpcError::TooManyHandles));
        assert_eq!(handles.insert(Handle::Queue(queue.clone())), Err(IpcError::TooManyHandles));
        assert_eq!(handles.remove(0), Ok(()));
        assert_eq!(handles.remove(0), Err(IpcError::BadDescriptor));
        assert_eq!(handles.insert(Handle::Queue(queue)), Ok(0));
        assert!(handles.queue(0).is_ok());
        assert_eq!(handles.segment(0).map(drop), Err(IpcError::BadDescriptor));
        assert_eq!(handles.keyed_queue(-1).map(drop), Err(IpcError::BadDescriptor));
    }
}
