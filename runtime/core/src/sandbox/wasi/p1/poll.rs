//! `poll_oneoff` over sockets, files of the Pod's IPC, clocks, other files and standard streams together.
//!
//! The subscriptions that are neither sockets nor of the IPC go to the stock implementation, in a small
//! memory of our own: translated, and with their place in the list as user data. All are polled side by
//! side; whoever is ready at that moment is reported.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as stock;
use wiggle::GuestMemory;

use super::connection::Readable;
use super::descriptors::{Descriptors, Slot, Socket};
use super::errno::raw;
use super::ipc::{IpcDescriptors, PolledFile};
use super::link::{WASI, enter, exported_memory};
use super::memory::{Buffer, write_bytes, write_u32};
use super::sleep;
use super::view::{ModuleCtxView, ModuleView};

/// The layout of the interface: sizes, and where fields are.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;
const ALIGNMENT: usize = 8;
const TAG: usize = 8;
const DESCRIPTOR: usize = 16;

const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
const HANG_UP: u16 = 1;

/// How many subscriptions one call may have: more than a run can hold descriptors.
const MOST_SUBSCRIPTIONS: usize = 1 << 16;

pub(super) fn link<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    type Arguments = (i32, i32, i32, i32);
    linker.func_wrap_async(
        WASI,
        "poll_oneoff",
        |mut caller: Caller<'_, T>, (subscriptions, events, count, out): Arguments| {
            Box::new(async move {
                let memory = exported_memory(&mut caller)?;
                let (mut memory, view) = enter(&mut caller, &memory)?;
                let numbers = Numbers::Translated(view.descriptors);
                let asked = match Asked::read(&memory, (numbers, &*view.ipc), subscriptions, count)
                {
                    Ok(asked) => asked,
                    Err(errno) => return Ok(raw(Err(errno))),
                };
                // What a plain sleep does is not worth a detour.
                if asked.is_stock() && !asked.translates {
                    let (wasi, memory) = (view.wasi, &mut memory);
                    return sleep::poll(wasi, memory, subscriptions, events, count, out).await;
                }
                asked.answer(view.wasi, &mut memory, (events, out)).await
            })
        },
    )?;
    Ok(())
}

/// The arguments of a call.
pub(super) struct Call {
    pub(super) subscriptions: i32,
    pub(super) events: i32,
    pub(super) count: i32,
    pub(super) out: i32,
}

/// The call of a guest without listeners, whose numbers are the stock implementation's. None where
/// nothing in it is of the IPC: then that has the answer.
pub(super) async fn with_files(
    view: &mut ModuleCtxView<'_>,
    memory: &mut GuestMemory<'_>,
    Call { subscriptions, events, count, out }: Call,
) -> Option<Result<i32>> {
    if !view.ipc.has_files() {
        return None;
    }
    let asked = Asked::read(memory, (Numbers::Stock, &*view.ipc), subscriptions, count).ok()?;
    if asked.is_stock() {
        return None;
    }
    Some(asked.answer(view.wasi, memory, (events, out)).await)
}

/// What a guest's numbers stand for.
#[derive(Clone, Copy)]
enum Numbers<'a> {
    /// The stock implementation's.
    Stock,
    Translated(&'a Descriptors),
}

/// What a guest waits for.
struct Asked {
    user_data: Vec<[u8; 8]>,
    sockets: Vec<Interest>,
    files: Vec<FileInterest>,
    /// Subscriptions for the stock implementation, by their place.
    stock: Vec<(usize, [u8; SUBSCRIPTION])>,
    /// Whether one of those has another number there.
    translates: bool,
}

struct Interest {
    place: usize,
    kind: Kind,
    socket: Socket,
}

struct FileInterest {
    place: usize,
    kind: Kind,
    file: PolledFile,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

/// One event, as the interface lays it out but for the user data.
#[derive(Clone, Copy)]
struct Answer {
    errno: u16,
    kind: u8,
    bytes: u64,
    flags: u16,
}

impl Asked {
    fn read(
        memory: &GuestMemory<'_>,
        tables: (Numbers<'_>, &IpcDescriptors),
        offset: i32,
        count: i32,
    ) -> Result<Self, Errno> {
        let count = usize::try_from(count.cast_unsigned()).map_err(|_| Errno::Inval)?;
        if count == 0 || count > MOST_SUBSCRIPTIONS {
            return Err(Errno::Inval);
        }
        let length = u32::try_from(count * SUBSCRIPTION).map_err(|_| Errno::Inval)?;
        let list = Buffer { offset: offset.cast_unsigned(), length };
        let list = memory.as_cow(list.pointer()).map_err(|_| Errno::Fault)?;
        let mut asked = Self {
            user_data: Vec::with_capacity(count),
            sockets: Vec::new(),
            files: Vec::new(),
            stock: Vec::new(),
            translates: false,
        };
        let (subscriptions, _) = list.as_chunks::<SUBSCRIPTION>();
        for (place, subscription) in subscriptions.iter().enumerate() {
            asked.add(tables, place, *subscription)?;
        }
        Ok(asked)
    }

    /// # Errors
    /// `badf` for a descriptor that is not there: it fails the call, as in the stock implementation.
    fn add(
        &mut self,
        (numbers, ipc): (Numbers<'_>, &IpcDescriptors),
        place: usize,
        mut subscription: [u8; SUBSCRIPTION],
    ) -> Result<(), Errno> {
        let field = |at: usize| -> [u8; 4] { std::array::from_fn(|byte| subscription[at + byte]) };
        self.user_data.push(std::array::from_fn(|byte| subscription[byte]));
        let kind = match subscription[TAG] {
            FD_READ => Kind::Read,
            FD_WRITE => Kind::Write,
            // Clocks, and what the stock implementation will refuse.
            _ => {
                self.stock.push((place, subscription));
                return Ok(());
            }
        };
        let number = i32::from_le_bytes(field(DESCRIPTOR));
        let stock = match numbers {
            Numbers::Stock => number,
            Numbers::Translated(table) => match table.get(number)? {
                Slot::Stock(stock) => stock.cast_signed(),
                Slot::Socket(socket) => {
                    self.sockets.push(Interest { place, kind, socket: socket.clone() });
                    return Ok(());
                }
            },
        };
        if let Some(file) = ipc.polled(stock) {
            self.files.push(FileInterest { place, kind, file });
            return Ok(());
        }
        self.translates |= stock != number;
        subscription[DESCRIPTOR..DESCRIPTOR + 4].copy_from_slice(&stock.to_le_bytes());
        self.stock.push((place, subscription));
        Ok(())
    }

    /// Whether the stock implementation knows of all of it.
    fn is_stock(&self) -> bool {
        self.sockets.is_empty() && self.files.is_empty()
    }

    /// Waits, and leaves what is ready at `events` and its number at `out`.
    async fn answer(
        &self,
        wasi: &mut WasiP1Ctx,
        memory: &mut GuestMemory<'_>,
        (events, out): (i32, i32),
    ) -> Result<i32> {
        Ok(match self.wait(wasi).await? {
            Ok(answers) => raw(report(memory, self, &answers, events, out)),
            Err(errno) => errno,
        })
    }

    /// Waits until something is ready; the inner error is an errno of the whole call.
    async fn wait(&self, wasi: &mut WasiP1Ctx) -> Result<Result<BTreeMap<usize, Answer>, i32>> {
        let (mut answers, mut failed) = (BTreeMap::new(), None);
        let mut files: Vec<_> = self.files.iter().map(|file| Box::pin(file.answer())).collect();
        let mut scratch = Scratch::new(&self.stock);
        let stock = {
            let mut stock = pin!(scratch.poll(wasi));
            poll_fn(|context| {
                let polled = if self.stock.is_empty() {
                    Poll::Pending
                } else {
                    stock.as_mut().poll(context)
                };
                for interest in &self.sockets {
                    if let Poll::Ready(answer) = interest.poll(context) {
                        answers.insert(interest.place, answer);
                    }
                }
                // None is polled again once it is ready: then the wait is over.
                for (interest, file) in self.files.iter().zip(&mut files) {
                    match file.as_mut().poll(context) {
                        Poll::Ready(Ok(answer)) => {
                            answers.insert(interest.place, answer);
                        }
                        Poll::Ready(Err(errno)) => failed = Some(errno),
                        Poll::Pending => {}
                    }
                }
                match polled {
                    Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                    Poll::Pending if answers.is_empty() && failed.is_none() => Poll::Pending,
                    // The stock part is given up: its timers would only be late.
                    Poll::Pending => Poll::Ready(None),
                }
            })
            .await
        };
        match stock {
            None => {}
            Some(outcome) => match outcome? {
                0 => scratch.collect(&mut answers),
                errno => return Ok(Err(errno)),
            },
        }
        Ok(match failed {
            None => Ok(answers),
            Some(errno) => Err(raw(Err(errno))),
        })
    }
}

impl FileInterest {
    /// Waits until it is ready.
    async fn answer(&self) -> Result<Answer, Errno> {
        let (kind, bytes) = match self.kind {
            Kind::Read => (FD_READ, self.file.readable().await?),
            Kind::Write => (FD_WRITE, self.file.writable().await?),
        };
        Ok(Answer { errno: 0, kind, bytes, flags: 0 })
    }
}

impl Interest {
    fn poll(&self, context: &mut Context<'_>) -> Poll<Answer> {
        let ready = |kind, bytes, flags| Answer { errno: 0, kind, bytes, flags };
        match (&self.socket, self.kind) {
            (Socket::Listener(listener), Kind::Read) => {
                listener.listener.poll_ready(context).map(|()| ready(FD_READ, 1, 0))
            }
            // A listener is never writable.
            (Socket::Listener(_), Kind::Write) => Poll::Pending,
            (Socket::Connection(connection), Kind::Read) => {
                connection.poll_readable(context).map(|readable| match readable {
                    Readable::Bytes(count) => {
                        ready(FD_READ, u64::try_from(count).unwrap_or(u64::MAX), 0)
                    }
                    Readable::HangUp => ready(FD_READ, 0, HANG_UP),
                })
            }
            (Socket::Connection(connection), Kind::Write) => connection
                .stream
                .poll_writable(context)
                .map(|()| match connection.stream.write_permit() {
                    Ok(room) => ready(FD_WRITE, u64::try_from(room).unwrap_or(u64::MAX), 0),
                    Err(_) => ready(FD_WRITE, 0, HANG_UP),
                }),
        }
    }
}

/// A memory with subscriptions, room for their events, and their number.
struct Scratch {
    bytes: Vec<u8>,
    /// Where it begins, aligned as the interface wants it.
    start: usize,
    count: usize,
}

impl Scratch {
    fn new(subscriptions: &[(usize, [u8; SUBSCRIPTION])]) -> Self {
        // A single clock would be a sleep of this thread where the context allows such sleeps, and
        // no socket would be heard meanwhile: it goes in twice.
        let twice = usize::from(subscriptions.len() == 1);
        let count = subscriptions.len() + twice;
        let size = count * (SUBSCRIPTION + EVENT) + 4;
        let mut bytes = vec![0; size + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        let (slots, _) = bytes[start..].as_chunks_mut::<SUBSCRIPTION>();
        let all = subscriptions.iter().chain(subscriptions.iter().take(twice));
        for (slot, (place, subscription)) in slots.iter_mut().zip(all) {
            *slot = *subscription;
            slot[..8].copy_from_slice(&u64::try_from(*place).unwrap_or(u64::MAX).to_le_bytes());
        }
        Self { bytes, start, count }
    }

    async fn poll(&mut self, wasi: &mut WasiP1Ctx) -> Result<i32> {
        let at = |offset: usize| i32::try_from(offset).expect("bounded by MOST_SUBSCRIPTIONS");
        let (events, out) = (at(self.events()), at(self.out()));
        let count = at(self.count);
        let mut memory = GuestMemory::Unshared(&mut self.bytes[self.start..]);
        stock::poll_oneoff(wasi, &mut memory, 0, events, count, out).await
    }

    fn events(&self) -> usize {
        self.count * SUBSCRIPTION
    }

    fn out(&self) -> usize {
        self.count * (SUBSCRIPTION + EVENT)
    }

    fn collect(&self, answers: &mut BTreeMap<usize, Answer>) {
        let bytes = &self.bytes[self.start..];
        let number: [u8; 4] = std::array::from_fn(|byte| bytes[self.out() + byte]);
        let number = usize::try_from(u32::from_le_bytes(number)).unwrap_or(0).min(self.count);
        let (events, _) = bytes[self.events()..self.out()].as_chunks::<EVENT>();
        for event in &events[..number] {
            let wide = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| event[at + byte]));
            let short = |at: usize| u16::from_le_bytes([event[at], event[at + 1]]);
            let place = usize::try_from(wide(0)).unwrap_or(usize::MAX);
            let answer =
                Answer { errno: short(8), kind: event[10], bytes: wide(16), flags: short(24) };
            answers.insert(place, answer);
        }
    }
}

fn report(
    memory: &mut GuestMemory<'_>,
    asked: &Asked,
    answers: &BTreeMap<usize, Answer>,
    events: i32,
    out: i32,
) -> Result<(), Errno> {
    let mut offset = events.cast_unsigned();
    for (place, answer) in answers {
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(asked.user_data.get(*place).ok_or(Errno::Io)?);
        event[8..10].copy_from_slice(&answer.errno.to_le_bytes());
        event[10] = answer.kind;
        event[16..24].copy_from_slice(&answer.bytes.to_le_bytes());
        event[24..26].copy_from_slice(&answer.flags.to_le_bytes());
        write_bytes(memory, Buffer { offset, length: 0 }, &event)?;
        offset = offset.checked_add(32).ok_or(Errno::Fault)?;
    }
    let count = u32::try_from(answers.len()).map_err(|_| Errno::Overflow)?;
    write_u32(memory, out, count)
}
