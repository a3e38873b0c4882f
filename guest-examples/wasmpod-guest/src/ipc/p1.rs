//! By plain imports, for modules of WASI 0.1.

#![expect(unsafe_code, reason = "imports that take addresses")]

use super::{Creation, Error, Message, Patience, QueueSize, QueueStatus, Result, TypedMessage};

/// An open message queue.
#[derive(Debug)]
pub struct Queue {
    handle: i32,
    /// Bytes of a message.
    most: usize,
}

impl Queue {
    /// Opens the queue of that name: `/jobs`, or without the slash. A new one has the default size.
    ///
    /// # Errors
    /// Those of mq_open.
    pub fn open(name: &str, creation: Creation) -> Result<Self> {
        Self::open_any(name, creation, (0, 0))
    }

    /// As [`Queue::open`]; a new one has this size.
    ///
    /// # Errors
    /// Those of mq_open.
    pub fn open_sized(name: &str, creation: Creation, size: QueueSize) -> Result<Self> {
        match (size.messages, size.message_bytes) {
            // Which would be the default.
            (0, 0) => Err(Error::Invalid),
            size => Self::open_any(name, creation, size),
        }
    }

    fn open_any(name: &str, creation: Creation, (messages, bytes): (u32, u32)) -> Result<Self> {
        // SAFETY: the host reads `name`, of that length.
        let handle =
            unsafe { queues::open(name.as_ptr(), name.len(), creation as i32, messages, bytes) };
        let mut queue = Self { handle: checked(handle)?, most: 0 };
        let most = queue.status()?.size.message_bytes;
        queue.most = usize::try_from(most).map_err(|_| Error::Invalid)?;
        Ok(queue)
    }

    /// What is in it.
    ///
    /// # Errors
    /// None.
    pub fn status(&self) -> Result<QueueStatus> {
        let mut numbers = [0; 4];
        // SAFETY: the host writes four numbers there.
        checked(unsafe { queues::status(self.handle, numbers.as_mut_ptr()) })?;
        let [messages, message_bytes, inside, bytes] = numbers;
        let size = QueueSize { messages, message_bytes };
        Ok(QueueStatus { size, messages: inside, bytes: bytes.into() })
    }

    /// Puts a message in, as soon as there is room.
    ///
    /// # Errors
    /// Those of mq_send.
    pub fn send(&self, body: &[u8], priority: u32, patience: Patience) -> Result<()> {
        // SAFETY: the host reads `body`, of that length.
        let sent = unsafe {
            queues::send(self.handle, body.as_ptr(), body.len(), priority, nanoseconds(patience))
        };
        checked(sent).map(drop)
    }

    /// Takes the next message, as soon as there is one.
    ///
    /// # Errors
    /// Those of mq_receive.
    pub fn receive(&self, patience: Patience) -> Result<Message> {
        let (mut body, mut priority) = (vec![0; self.most], 0);
        // SAFETY: the host writes to `body`, no more than its length, and one number to `priority`.
        let length = unsafe {
            queues::receive(
                self.handle,
                body.as_mut_ptr(),
                body.len(),
                &raw mut priority,
                nanoseconds(patience),
            )
        };
        body.truncate(length_of(length)?);
        Ok(Message { priority, body })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        queues::close(self.handle);
    }
}

/// Takes a queue's name away; who has it open goes on with it.
///
/// # Errors
/// Those of mq_unlink.
pub fn unlink_queue(name: &str) -> Result<()> {
    // SAFETY: the host reads `name`, of that length.
    checked(unsafe { queues::unlink(name.as_ptr(), name.len()) }).map(drop)
}

/// A System V message queue.
#[derive(Debug)]
pub struct KeyedQueue {
    handle: i32,
}

/// No message of these queues is longer unless the Pod's sysctls say so; then the next attempt has room.
const KEYED_MESSAGE: usize = 8192;

impl KeyedQueue {
    /// The queue of that key; 0 makes a new one that nobody else finds.
    ///
    /// # Errors
    /// Those of msgget.
    pub fn get(key: u32, creation: Creation) -> Result<Self> {
        let handle = keyed_queues::get(key, creation as i32);
        Ok(Self { handle: checked(handle)? })
    }

    /// Puts a message of a type, 1 or more, in as soon as there is room.
    ///
    /// # Errors
    /// Those of msgsnd.
    pub fn send(&self, kind: i64, body: &[u8], patience: Patience) -> Result<()> {
        let patience = nanoseconds(patience);
        // SAFETY: the host reads `body`, of that length.
        let sent =
            unsafe { keyed_queues::send(self.handle, kind, body.as_ptr(), body.len(), patience) };
        checked(sent).map(drop)
    }

    /// Takes a message, as soon as it is there: the oldest of all (0), the oldest of a type (a positive
    /// number), the oldest of the lowest type up to one (a negative number).
    ///
    /// # Errors
    /// Those of msgrcv.
    pub fn receive(&self, wanted: i64, patience: Patience) -> Result<TypedMessage> {
        let mut room = KEYED_MESSAGE;
        loop {
            let (mut body, mut kind) = (vec![0; room], 0);
            // SAFETY: the host writes to `body`, no more than its length, and one number to `kind`.
            let length = unsafe {
                keyed_queues::receive(
                    self.handle,
                    wanted,
                    body.as_mut_ptr(),
                    body.len(),
                    &raw mut kind,
                    nanoseconds(patience),
                )
            };
            if length == -TOO_BIG {
                room *= 2;
                continue;
            }
            body.truncate(length_of(length)?);
            return Ok(TypedMessage { kind, body });
        }
    }

    /// Ends the queue for all who have it.
    ///
    /// # Errors
    /// None.
    pub fn remove(&self) -> Result<()> {
        checked(keyed_queues::remove(self.handle)).map(drop)
    }
}

impl Drop for KeyedQueue {
    fn drop(&mut self) {
        keyed_queues::close(self.handle);
    }
}

/// A shared segment.
#[derive(Debug)]
pub struct Segment {
    handle: i32,
}

impl Segment {
    /// Opens the segment of that name, which is the file of that name in `/dev/shm`. A new one is empty.
    ///
    /// # Errors
    /// Those of shm_open.
    pub fn open(name: &str, creation: Creation) -> Result<Self> {
        // SAFETY: the host reads `name`, of that length.
        let handle = unsafe { segments::open(name.as_ptr(), name.len(), creation as i32) };
        Ok(Self { handle: checked(handle)? })
    }

    /// The System V segment of that key; 0 makes a new one that nobody else finds. A new one has that
    /// size for good and is full of zeros.
    ///
    /// # Errors
    /// Those of shmget.
    pub fn get(key: u32, size: u64, creation: Creation) -> Result<Self> {
        Ok(Self { handle: checked(segments::get(key, size, creation as i32))? })
    }

    /// Bytes.
    ///
    /// # Errors
    /// None.
    pub fn size(&self) -> Result<u64> {
        u64::try_from(segments::size(self.handle)).map_err(|_| Error::Invalid)
    }

    /// Cuts it off, or makes it longer by zeros.
    ///
    /// # Errors
    /// [`Error::NoSpace`], [`Error::Invalid`] where it has a key.
    pub fn set_size(&self, size: u64) -> Result<()> {
        checked(segments::set_size(self.handle, size)).map(drop)
    }

    /// Reads what is at `offset`, as much as fits, and answers how much that was: nothing at the end, and
    /// no more than a mebibyte.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an offset that no file has.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: the host writes to `buffer`, no more than its length.
        let read =
            unsafe { segments::read(self.handle, offset, buffer.as_mut_ptr(), buffer.len()) };
        length_of(read)
    }

    /// Writes all of `bytes` at `offset`, inside of its size. A mebibyte at a time is one step.
    ///
    /// # Errors
    /// [`Error::Invalid`] outside of its size, [`Error::NoSpace`], [`Error::OutOfMemory`].
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let (mut rest, mut at) = (bytes, offset);
        while !rest.is_empty() {
            // SAFETY: the host reads `rest`, no more than its length.
            let written = unsafe { segments::write(self.handle, at, rest.as_ptr(), rest.len()) };
            let written = length_of(written)?;
            rest = &rest[written..];
            at += written as u64;
        }
        Ok(())
    }

    /// Writes `new` in place of the little-endian word at `offset` if that is `expected`; answers what it
    /// was.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an offset outside, or that is no multiple of the word's size.
    pub fn compare_and_swap32(&self, offset: u64, expected: u32, new: u32) -> Result<u32> {
        let mut found = 0;
        // SAFETY: the host writes one number to `found`.
        let swapped = unsafe {
            segments::compare_and_swap32(self.handle, offset, expected, new, &raw mut found)
        };
        checked(swapped).map(|_| found)
    }

    /// The same with twice as many bits.
    ///
    /// # Errors
    /// As above.
    pub fn compare_and_swap64(&self, offset: u64, expected: u64, new: u64) -> Result<u64> {
        let mut found = 0;
        // SAFETY: as above.
        let swapped = unsafe {
            segments::compare_and_swap64(self.handle, offset, expected, new, &raw mut found)
        };
        checked(swapped).map(|_| found)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        segments::close(self.handle);
    }
}

/// Takes a segment's name away; who has it open goes on with it.
///
/// # Errors
/// Those of shm_unlink.
pub fn unlink_segment(name: &str) -> Result<()> {
    // SAFETY: the host reads `name`, of that length.
    checked(unsafe { segments::unlink(name.as_ptr(), name.len()) }).map(drop)
}

/// Takes a segment's key away; who has it goes on with it.
///
/// # Errors
/// [`Error::NotFound`]
pub fn remove_segment(key: u32) -> Result<()> {
    checked(segments::remove(key)).map(drop)
}

fn nanoseconds(patience: Patience) -> i64 {
    match patience {
        Patience::None => 0,
        // Zero would be no patience at all, which is another error.
        Patience::Within(time) => i64::try_from(time.as_nanos()).unwrap_or(i64::MAX).max(1),
        Patience::Endless => -1,
    }
}

fn length_of(answer: i32) -> Result<usize> {
    usize::try_from(checked(answer)?).map_err(|_| Error::Invalid)
}

/// `E2BIG` of WASI 0.1.
const TOO_BIG: i32 = 1;

/// What is negative is an errno of WASI 0.1.
fn checked(answer: i32) -> Result<i32> {
    if answer >= 0 {
        return Ok(answer);
    }
    Err(match -answer {
        2 => Error::Access,
        6 => Error::WouldBlock,
        20 => Error::Exists,
        24 => Error::Removed,
        27 => Error::Interrupted,
        31 => Error::IsDirectory,
        35 => Error::MessageSize,
        37 => Error::NameTooLong,
        44 => Error::NotFound,
        48 => Error::OutOfMemory,
        49 => Error::NoMessage,
        51 => Error::NoSpace,
        73 => Error::TimedOut,
        // Among them those that this module gives no occasion for.
        _ => Error::Invalid,
    })
}

mod queues {
    // SAFETY: the host gives exactly these functions; what they say of addresses is said where they are
    // called.
    #[link(wasm_import_module = "wasmpod:ipc/queues")]
    unsafe extern "C" {
        pub(super) fn open(
            name: *const u8,
            length: usize,
            creation: i32,
            messages: u32,
            message_bytes: u32,
        ) -> i32;
        pub(super) fn send(
            handle: i32,
            body: *const u8,
            length: usize,
            priority: u32,
            patience: i64,
        ) -> i32;
        pub(super) fn receive(
            handle: i32,
            buffer: *mut u8,
            room: usize,
            priority_out: *mut u32,
            patience: i64,
        ) -> i32;
        pub(super) fn status(handle: i32, out: *mut u32) -> i32;
        pub(super) fn unlink(name: *const u8, length: usize) -> i32;
        pub(super) safe fn close(handle: i32) -> i32;
    }
}

mod keyed_queues {
    // SAFETY: as above.
    #[link(wasm_import_module = "wasmpod:ipc/keyed-queues")]
    unsafe extern "C" {
        pub(super) safe fn get(key: u32, creation: i32) -> i32;
        pub(super) fn send(
            handle: i32,
            kind: i64,
            body: *const u8,
            length: usize,
            patience: i64,
        ) -> i32;
        pub(super) fn receive(
            handle: i32,
            wanted: i64,
            buffer: *mut u8,
            room: usize,
            kind_out: *mut i64,
            patience: i64,
        ) -> i32;
        pub(super) safe fn remove(handle: i32) -> i32;
        pub(super) safe fn close(handle: i32) -> i32;
    }
}

mod segments {
    // SAFETY: as above.
    #[link(wasm_import_module = "wasmpod:ipc/segments")]
    unsafe extern "C" {
        pub(super) fn open(name: *const u8, length: usize, creation: i32) -> i32;
        pub(super) safe fn get(key: u32, size: u64, creation: i32) -> i32;
        pub(super) safe fn size(handle: i32) -> i64;
        pub(super) safe fn set_size(handle: i32, size: u64) -> i32;
        pub(super) fn read(handle: i32, offset: u64, buffer: *mut u8, length: usize) -> i32;
        pub(super) fn write(handle: i32, offset: u64, bytes: *const u8, length: usize) -> i32;
        pub(super) fn compare_and_swap32(
            handle: i32,
            offset: u64,
            expected: u32,
            new: u32,
            found_out: *mut u32,
        ) -> i32;
        pub(super) fn compare_and_swap64(
            handle: i32,
            offset: u64,
            expected: u64,
            new: u64,
            found_out: *mut u64,
        ) -> i32;
        pub(super) fn unlink(name: *const u8, length: usize) -> i32;
        pub(super) safe fn remove(key: u32) -> i32;
        pub(super) safe fn close(handle: i32) -> i32;
    }
}
