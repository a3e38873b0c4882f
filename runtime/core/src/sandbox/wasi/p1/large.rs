//! WASI 0.1 as wasmtime has it, save that a call with a large buffer does a part of it.
//!
//! The stock functions copy what a guest hands over, all of it at once: a guest could double what the
//! host has of its memory. They bound that by what [`hostcall_fuel`](wasmtime::Store::hostcall_fuel)
//! allows and fail beyond. A write or a read of a part is what every caller can cope with, as of a
//! kernel.

use wasmtime::Result;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as stock;
pub(super) use wasmtime_wasi::p1::wasi_snapshot_preview1::*;
use wiggle::GuestMemory;

use super::errno::raw;
use super::memory::{Buffer, buffers, read_u32, write_bytes, write_u32};

/// What one call moves at most.
const MOST: u32 = 1 << 20;

/// Random bytes that are made at once.
const RANDOM: i32 = 64 << 10;

/// How many of a call's buffers are looked at: the stock functions use the first that is not empty.
const LOOKED_AT: i32 = 16;

/// What a call moves in place of a guest's large buffer: a memory of its own, with one buffer in it.
struct Part {
    memory: Vec<u8>,
    /// Where the guest's buffer begins.
    at: Buffer,
}

/// Where things lie in a [`Part`]: the list of one buffer, the count of bytes, the buffer itself.
const LIST: i32 = 0;
const COUNT: i32 = 8;
const BYTES: u32 = 16;

impl Part {
    /// Of the first buffer that is not empty, if that is too large.
    fn of(memory: &GuestMemory<'_>, list: i32, count: i32) -> Option<Self> {
        // What is wrong with the list is for the stock function to say.
        let listed = buffers(memory, list, count.min(LOOKED_AT)).ok()?;
        let first = listed.into_iter().find(|buffer| !buffer.is_empty())?;
        if first.length <= MOST {
            return None;
        }
        let mut part = vec![0; usize::try_from(BYTES + MOST).ok()?];
        part[..4].copy_from_slice(&BYTES.to_le_bytes());
        part[4..8].copy_from_slice(&MOST.to_le_bytes());
        Some(Self { memory: part, at: Buffer { offset: first.offset, length: MOST } })
    }

    /// Takes the bytes from the guest.
    fn fill(&mut self, memory: &GuestMemory<'_>) -> Result<(), Errno> {
        let bytes = memory.as_cow(self.at.pointer()).map_err(|_| Errno::Fault)?;
        self.bytes().copy_from_slice(&bytes);
        Ok(())
    }

    fn guest(&mut self) -> GuestMemory<'_> {
        GuestMemory::Unshared(&mut self.memory)
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[16..]
    }

    /// Tells the guest how much was moved; what was read goes to its buffer.
    fn tell(&mut self, memory: &mut GuestMemory<'_>, out: i32, moved: Moved) -> Result<(), Errno> {
        let count = read_u32(&self.guest(), COUNT.cast_unsigned())?;
        if moved == Moved::In {
            let length = usize::try_from(count).map_err(|_| Errno::Fault)?;
            let at = self.at;
            let bytes = self.bytes().get(..length).ok_or(Errno::Fault)?;
            write_bytes(memory, at, bytes)?;
        }
        write_u32(memory, out, count)
    }
}

/// Which way bytes go, from where the guest is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    In,
    Out,
}

macro_rules! in_parts {
    ($($name:ident($($offset:ident: $type:ty)?) $moved:ident;)*) => {$(
        pub(super) async fn $name(
            wasi: &mut WasiP1Ctx,
            memory: &mut GuestMemory<'_>,
            descriptor: i32,
            list: i32,
            count: i32,
            $($offset: $type,)?
            out: i32,
        ) -> Result<i32> {
            let Some(mut part) = Part::of(memory, list, count) else {
                return stock::$name(wasi, memory, descriptor, list, count, $($offset,)? out).await;
            };
            if Moved::$moved == Moved::Out
                && let Err(errno) = part.fill(memory)
            {
                return Ok(raw(Err(errno)));
            }
            let done =
                stock::$name(wasi, &mut part.guest(), descriptor, LIST, 1, $($offset,)? COUNT).await?;
            if done != raw(Ok(())) {
                return Ok(done);
            }
            Ok(raw(part.tell(memory, out, Moved::$moved)))
        }
    )*};
}

in_parts! {
    fd_read() In;
    fd_pread(offset: i64) In;
    fd_write() Out;
    fd_pwrite(offset: i64) Out;
}

/// All of it, a little at a time.
pub(super) fn random_get(
    wasi: &mut WasiP1Ctx,
    memory: &mut GuestMemory<'_>,
    buffer: i32,
    length: i32,
) -> Result<i32> {
    let (mut at, mut left) = (buffer.cast_unsigned(), length.cast_unsigned());
    loop {
        let some = left.min(RANDOM.cast_unsigned());
        let done = stock::random_get(wasi, memory, at.cast_signed(), some.cast_signed())?;
        left -= some;
        if left == 0 || done != raw(Ok(())) {
            return Ok(done);
        }
        at = at.wrapping_add(some);
    }
}
