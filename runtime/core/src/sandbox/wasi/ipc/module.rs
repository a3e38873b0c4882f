//! `wasmpod:ipc` for core modules: functions of numbers.
//!
//! What is negative is an error: an errno of WASI 0.1 with its sign turned. Names are UTF-8. `creation`
//! is 0 for never, 1 for if it is missing, 2 for always; `patience` nanoseconds, 0 not to wait at all,
//! -1 without an end. `…_out` are addresses, of little-endian numbers. All are 32 bits wide but for those
//! marked `i64`.
//!
//! | `wasmpod:ipc/queues` | answer |
//! |---|---|
//! | `open(name, length, creation, messages, message_bytes)` | a handle; two zeros are the default size |
//! | `send(handle, body, length, priority, patience i64)` | 0 |
//! | `receive(handle, buffer, room, priority_out, patience i64)` | the length of the message |
//! | `status(handle, out)` | 0; messages and bytes of one that it is made for, messages and bytes in it |
//! | `unlink(name, length)`, `close(handle)` | 0 |
//!
//! | `wasmpod:ipc/keyed-queues` | answer |
//! |---|---|
//! | `get(key, creation)` | a handle |
//! | `send(handle, kind i64, body, length, patience i64)` | 0 |
//! | `receive(handle, wanted i64, buffer, room, kind_out, patience i64)` | the length of the message |
//! | `remove(handle)`, `close(handle)` | 0 |
//!
//! | `wasmpod:ipc/segments` | answer |
//! |---|---|
//! | `open(name, length, creation)` | a handle |
//! | `get(key, size i64, creation)` | a handle |
//! | `size(handle)` | an `i64` |
//! | `set_size(handle, size i64)` | 0 |
//! | `read(handle, offset i64, buffer, length)` | how many bytes |
//! | `write(handle, offset i64, bytes, length)` | how many bytes |
//! | `compare_and_swap32(handle, offset i64, expected, new, found_out)` | 0 |
//! | `compare_and_swap64(handle, offset i64, expected i64, new i64, found_out)` | 0 |
//! | `unlink(name, length)`, `remove(key)`, `close(handle)` | 0 |

use wasmtime::{Caller, Extern, Linker, Memory, Module, Result};
use wasmtime_wasi::p1::types::Errno;

use super::errno::errno;
use super::handles::Handle;
use super::view::IpcView;
use crate::sandbox::ipc::{
    Creation, IpcError, Message, Patience, QueueSize, RunIpc, TypedMessage, Wanted,
};

const QUEUES: &str = "wasmpod:ipc/queues";
const KEYED_QUEUES: &str = "wasmpod:ipc/keyed-queues";
const SEGMENTS: &str = "wasmpod:ipc/segments";

/// What one read or write of a segment moves at most.
const MOST: usize = 1 << 20;

/// No name is longer; the next byte is what makes it so.
const LONGEST_NAME: usize = 257;

/// Links what `module` imports of the three.
///
/// # Errors
/// The linker has it already.
pub fn link_module<Data: IpcView + 'static>(
    linker: &mut Linker<Data>,
    module: &Module,
) -> Result<()> {
    let imports = |name| module.imports().any(|import| import.module() == name);
    if imports(QUEUES) {
        link_queues(linker)?;
        link_close(linker, QUEUES)?;
    }
    if imports(KEYED_QUEUES) {
        link_keyed_queues(linker)?;
        link_close(linker, KEYED_QUEUES)?;
    }
    if imports(SEGMENTS) {
        link_segments(linker)?;
        link_close(linker, SEGMENTS)?;
    }
    Ok(())
}

/// Defines a function by an async block over the guest, which may fail.
macro_rules! define {
    (
        $linker:ident, $module:expr, $name:literal,
        ($($argument:ident: $type:ty),*) -> $answer:ty, |$guest:ident| $body:expr
    ) => {
        $linker.func_wrap_async(
            $module,
            $name,
            |caller: Caller<'_, Data>, ($($argument,)*): ($($type,)*)| {
                Box::new(async move {
                    let answer: Outcome<$answer> = async move {
                        let mut $guest = Guest::of(caller)?;
                        $body
                    }
                    .await;
                    answer.unwrap_or_else(|errno| -<$answer>::from(u16::from(errno)))
                })
            },
        )?;
    };
}

type Outcome<Answer> = std::result::Result<Answer, Errno>;

fn link_close<Data: IpcView + 'static>(linker: &mut Linker<Data>, module: &str) -> Result<()> {
    define!(linker, module, "close", (handle: i32) -> i32, |guest| {
        guest.caller.data_mut().ipc().handles.remove(handle).map_err(errno)?;
        Ok(0)
    });
    Ok(())
}

fn link_queues<Data: IpcView + 'static>(linker: &mut Linker<Data>) -> Result<()> {
    define!(
        linker, QUEUES, "open",
        (name: i32, length: i32, creation: i32, messages: i32, message_bytes: i32) -> i32,
        |guest| {
            let (name, run) = (guest.name(name, length)?, guest.run());
            let size = match (size(messages)?, size(message_bytes)?) {
                (0, 0) => None,
                (messages, message_bytes) => Some(QueueSize { messages, message_bytes }),
            };
            let creation = creation_of(creation)?;
            guest.check_room()?;
            let queue = run.pod().open_queue(run.memory(), &name, creation, size);
            guest.insert(Handle::Queue(queue.map_err(errno)?))
        }
    );
    define!(
        linker, QUEUES, "send",
        (handle: i32, body: i32, length: i32, priority: i32, patience: i64) -> i32,
        |guest| {
            let run = guest.run();
            let queue = guest.caller.data_mut().ipc().handles.queue(handle).map_err(errno)?;
            let most = queue.status().size.message_bytes;
            let body = guest.bytes(body, length, most, Errno::Msgsize)?;
            let charge = run.charge(body.len()).map_err(errno)?;
            let priority = priority.cast_unsigned();
            let message = Message { priority, body: body.into(), charge };
            let patience = Patience::of_nanoseconds(patience);
            queue.send(message, patience, run.interrupt()).await.map_err(errno)?;
            Ok(0)
        }
    );
    define!(
        linker, QUEUES, "receive",
        (handle: i32, buffer: i32, room: i32, priority_out: i32, patience: i64) -> i32,
        |guest| {
            let run = guest.run();
            let queue = guest.caller.data_mut().ipc().handles.queue(handle).map_err(errno)?;
            guest.check(buffer, room)?;
            guest.check(priority_out, 4)?;
            let patience = Patience::of_nanoseconds(patience);
            let received = queue.receive(size(room)?, patience, run.interrupt()).await;
            let message = received.map_err(errno)?;
            guest.write(priority_out, &message.priority.to_le_bytes())?;
            guest.write(buffer, &message.body)?;
            count(message.body.len())
        }
    );
    define!(linker, QUEUES, "status", (handle: i32, out: i32) -> i32, |guest| {
        let queue = guest.caller.data_mut().ipc().handles.queue(handle).map_err(errno)?;
        let status = queue.status();
        let numbers =
            [status.size.messages, status.size.message_bytes, status.messages, status.bytes];
        let numbers = numbers.map(|number| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        guest.write(out, numbers.as_flattened())?;
        Ok(0)
    });
    define!(linker, QUEUES, "unlink", (name: i32, length: i32) -> i32, |guest| {
        let name = guest.name(name, length)?;
        guest.run().pod().unlink_queue(&name).map_err(errno)?;
        Ok(0)
    });
    Ok(())
}

fn link_keyed_queues<Data: IpcView + 'static>(linker: &mut Linker<Data>) -> Result<()> {
    define!(linker, KEYED_QUEUES, "get", (key: i32, creation: i32) -> i32, |guest| {
        let (run, creation) = (guest.run(), creation_of(creation)?);
        guest.check_room()?;
        let queue = run.pod().keyed_queue(run.memory(), key.cast_unsigned(), creation);
        guest.insert(Handle::KeyedQueue(queue.map_err(errno)?))
    });
    define!(
        linker, KEYED_QUEUES, "send",
        (handle: i32, kind: i64, body: i32, length: i32, patience: i64) -> i32,
        |guest| {
            let run = guest.run();
            let queue = guest.caller.data_mut().ipc().handles.keyed_queue(handle).map_err(errno)?;
            let most = queue.status().map_err(errno)?.most_bytes;
            let body = guest.bytes(body, length, most, Errno::Inval)?;
            let charge = run.charge(body.len()).map_err(errno)?;
            let message = TypedMessage { kind, body: body.into(), charge };
            let patience = Patience::of_nanoseconds(patience);
            queue.send(message, patience, run.interrupt()).await.map_err(errno)?;
            Ok(0)
        }
    );
    define!(
        linker, KEYED_QUEUES, "receive",
        (handle: i32, wanted: i64, buffer: i32, room: i32, kind_out: i32, patience: i64) -> i32,
        |guest| {
            let run = guest.run();
            let queue = guest.caller.data_mut().ipc().handles.keyed_queue(handle).map_err(errno)?;
            guest.check(buffer, room)?;
            guest.check(kind_out, 8)?;
            let (wanted, patience) = (Wanted::of(wanted), Patience::of_nanoseconds(patience));
            let received = queue.receive(wanted, size(room)?, patience, run.interrupt()).await;
            let message = received.map_err(errno)?;
            guest.write(kind_out, &message.kind.to_le_bytes())?;
            guest.write(buffer, &message.body)?;
            count(message.body.len())
        }
    );
    define!(linker, KEYED_QUEUES, "remove", (handle: i32) -> i32, |guest| {
        let queue = guest.caller.data_mut().ipc().handles.keyed_queue(handle).map_err(errno)?;
        guest.run().pod().remove_keyed_queue(&queue);
        Ok(0)
    });
    Ok(())
}

fn link_segments<Data: IpcView + 'static>(linker: &mut Linker<Data>) -> Result<()> {
    define!(linker, SEGMENTS, "open", (name: i32, length: i32, creation: i32) -> i32, |guest| {
        let (name, run) = (guest.name(name, length)?, guest.run());
        let creation = creation_of(creation)?;
        guest.check_room()?;
        let segment = run.pod().open_segment(run.memory(), &name, creation);
        guest.insert(Handle::Segment(segment.map_err(errno)?))
    });
    define!(linker, SEGMENTS, "get", (key: i32, size: i64, creation: i32) -> i32, |guest| {
        let (run, creation) = (guest.run(), creation_of(creation)?);
        guest.check_room()?;
        let (key, size) = (key.cast_unsigned(), size.cast_unsigned());
        let segment = run.pod().keyed_segment(run.memory(), key, size, creation);
        guest.insert(Handle::Segment(segment.map_err(errno)?))
    });
    define!(linker, SEGMENTS, "size", (handle: i32) -> i64, |guest| {
        let segment = guest.caller.data_mut().ipc().handles.segment(handle).map_err(errno)?;
        i64::try_from(segment.size()).map_err(|_| Errno::Overflow)
    });
    define!(linker, SEGMENTS, "set_size", (handle: i32, size: i64) -> i32, |guest| {
        let segment = guest.caller.data_mut().ipc().handles.segment(handle).map_err(errno)?;
        segment.set_size(place(size)?).map_err(errno)?;
        Ok(0)
    });
    define!(
        linker, SEGMENTS, "read",
        (handle: i32, offset: i64, buffer: i32, length: i32) -> i32,
        |guest| {
            let segment = guest.caller.data_mut().ipc().handles.segment(handle).map_err(errno)?;
            let buffer = guest.buffer(buffer, size(length)?.min(MOST))?;
            count(segment.read(place(offset)?, buffer))
        }
    );
    define!(
        linker, SEGMENTS, "write",
        (handle: i32, offset: i64, bytes: i32, length: i32) -> i32,
        |guest| {
            let run = guest.run();
            let segment = guest.caller.data_mut().ipc().handles.segment(handle).map_err(errno)?;
            let bytes = guest.buffer(bytes, size(length)?.min(MOST))?;
            segment.write_inside(run.memory(), place(offset)?, bytes).map_err(errno)?;
            count(bytes.len())
        }
    );
    define!(
        linker, SEGMENTS, "compare_and_swap32",
        (handle: i32, offset: i64, expected: i32, new: i32, found_out: i32) -> i32,
        |guest| {
            let (expected, new) = (expected.to_le_bytes(), new.to_le_bytes());
            guest.compare_and_swap(handle, offset, (expected, new), found_out)
        }
    );
    define!(
        linker, SEGMENTS, "compare_and_swap64",
        (handle: i32, offset: i64, expected: i64, new: i64, found_out: i32) -> i32,
        |guest| {
            let (expected, new) = (expected.to_le_bytes(), new.to_le_bytes());
            guest.compare_and_swap(handle, offset, (expected, new), found_out)
        }
    );
    define!(linker, SEGMENTS, "unlink", (name: i32, length: i32) -> i32, |guest| {
        let name = guest.name(name, length)?;
        guest.run().pod().unlink_segment(&name).map_err(errno)?;
        Ok(0)
    });
    define!(linker, SEGMENTS, "remove", (key: i32) -> i32, |guest| {
        guest.run().pod().remove_keyed_segment(key.cast_unsigned()).map_err(errno)?;
        Ok(0)
    });
    Ok(())
}

/// The caller and its memory.
struct Guest<'a, Data: 'static> {
    caller: Caller<'a, Data>,
    memory: Memory,
}

impl<'a, Data: IpcView + 'static> Guest<'a, Data> {
    fn of(mut caller: Caller<'a, Data>) -> Outcome<Self> {
        match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => Ok(Self { caller, memory }),
            _ => Err(Errno::Fault),
        }
    }

    fn run(&mut self) -> RunIpc {
        self.caller.data_mut().ipc().run.clone()
    }

    /// Whether there is a handle for one more, before anything is made.
    fn check_room(&mut self) -> Outcome<()> {
        self.caller.data_mut().ipc().handles.check_room().map_err(errno)
    }

    fn insert(&mut self, handle: Handle) -> Outcome<i32> {
        self.caller.data_mut().ipc().handles.insert(handle).map_err(errno)
    }

    /// Its memory from `offset` on.
    fn buffer(&mut self, offset: i32, length: usize) -> Outcome<&mut [u8]> {
        let start = size(offset)?;
        let end = start.checked_add(length).ok_or(Errno::Fault)?;
        self.memory.data_mut(&mut self.caller).get_mut(start..end).ok_or(Errno::Fault)
    }

    /// Whether something could be written there, before a message is taken.
    fn check(&mut self, offset: i32, length: i32) -> Outcome<()> {
        self.buffer(offset, size(length)?).map(drop)
    }

    fn bytes(&mut self, offset: i32, length: i32, most: usize, more: Errno) -> Outcome<Vec<u8>> {
        let length = size(length)?;
        if length > most {
            return Err(more);
        }
        self.buffer(offset, length).map(|bytes| bytes.to_vec())
    }

    fn name(&mut self, offset: i32, length: i32) -> Outcome<String> {
        let bytes = self.bytes(offset, length, LONGEST_NAME, Errno::Nametoolong)?;
        String::from_utf8(bytes).map_err(|_| Errno::Ilseq)
    }

    fn write(&mut self, offset: i32, bytes: &[u8]) -> Outcome<()> {
        self.buffer(offset, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    fn compare_and_swap<const BYTES: usize>(
        &mut self,
        handle: i32,
        offset: i64,
        (expected, new): ([u8; BYTES], [u8; BYTES]),
        found_out: i32,
    ) -> Outcome<i32> {
        let run = self.run();
        let segment = self.caller.data_mut().ipc().handles.segment(handle).map_err(errno)?;
        self.buffer(found_out, BYTES)?;
        let found = segment.compare_and_swap(run.memory(), place(offset)?, expected, new);
        self.write(found_out, &found.map_err(errno)?)?;
        Ok(0)
    }
}

/// A 32-bit address or length.
fn size(number: i32) -> Outcome<usize> {
    usize::try_from(number.cast_unsigned()).map_err(|_| Errno::Fault)
}

/// An offset or a size of a segment: not negative.
fn place(number: i64) -> Outcome<u64> {
    u64::try_from(number).map_err(|_| Errno::Inval)
}

fn count(length: usize) -> Outcome<i32> {
    i32::try_from(length).map_err(|_| Errno::Overflow)
}

fn creation_of(number: i32) -> Outcome<Creation> {
    match number {
        0 => Ok(Creation::Never),
        1 => Ok(Creation::IfMissing),
        2 => Ok(Creation::Always),
        _ => Err(errno(IpcError::Invalid)),
    }
}
