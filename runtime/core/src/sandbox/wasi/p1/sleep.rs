//! `poll_oneoff` of one relative clock: a sleep, as most calls of it are.
//!
//! The stock function puts the thread to sleep for it where file calls are done in place, as they
//! are on virtual time. That is real time, which the Pod's clock knows nothing of.
//!
//! A subscription to read a file stays with the stock function, which has a thread read ahead.

use std::time::Duration;

use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p0::wasi_unstable as stock_p0;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as stock_p1;
use wiggle::GuestMemory;

use super::errno::raw;
use super::link::{UNSTABLE, WASI, enter, exported_memory};
use super::memory::{Buffer, write_bytes, write_u32};
use super::poll::{Call, with_files};
use super::view::ModuleView;

/// Where the fields of a subscription are: its own, and those of a clock.
struct Layout<const SIZE: usize> {
    timeout: usize,
    flags: usize,
}

const P1: Layout<48> = Layout { timeout: 24, flags: 40 };
const P0: Layout<56> = Layout { timeout: 32, flags: 48 };

const TAG: usize = 8;
const CLOCK: u8 = 0;
const ABSOLUTE: u8 = 1;

/// An event of a clock is its user data and zeros, but for this byte: the stock function's answer.
const BYTES: usize = 16;
const EVENT: usize = 32;

/// Links `poll_oneoff` with sleeps on tokio's clock, for modules whose file calls are done in place.
/// The linker allows shadowing.
///
/// # Errors
/// The engine has no room for one more type.
pub(super) fn link<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    type Arguments = (i32, i32, i32, i32);
    linker.func_wrap_async(
        WASI,
        "poll_oneoff",
        |mut caller: Caller<'_, T>, (subscriptions, events, count, out): Arguments| {
            Box::new(async move {
                let memory = exported_memory(&mut caller)?;
                let (mut memory, mut view) = enter(&mut caller, &memory)?;
                let call = Call { subscriptions, events, count, out };
                match with_files(&mut view, &mut memory, call).await {
                    Some(answer) => answer,
                    None => poll(view.wasi, &mut memory, subscriptions, events, count, out).await,
                }
            })
        },
    )?;
    Ok(())
}

/// The same for modules of WASI before its first snapshot.
///
/// # Errors
/// As [`link`].
pub(crate) fn link_unstable<T: ModuleView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    type Arguments = (i32, i32, i32, i32);
    linker.func_wrap_async(
        UNSTABLE,
        "poll_oneoff",
        |mut caller: Caller<'_, T>, (subscriptions, events, count, out): Arguments| {
            Box::new(async move {
                let memory = exported_memory(&mut caller)?;
                let (mut memory, view) = enter(&mut caller, &memory)?;
                match P0.sleep(&memory, subscriptions, count) {
                    Some(sleep) => Ok(raw(sleep.pass(&mut memory, events, out).await)),
                    None => {
                        let (wasi, memory) = (view.wasi, &mut memory);
                        stock_p0::poll_oneoff(wasi, memory, subscriptions, events, count, out).await
                    }
                }
            })
        },
    )?;
    Ok(())
}

/// The stock `poll_oneoff`, but for sleeps.
///
/// # Errors
/// As the stock one: a trap.
pub(super) async fn poll(
    wasi: &mut WasiP1Ctx,
    memory: &mut GuestMemory<'_>,
    subscriptions: i32,
    events: i32,
    count: i32,
    out: i32,
) -> Result<i32> {
    match P1.sleep(memory, subscriptions, count) {
        Some(sleep) => Ok(raw(sleep.pass(memory, events, out).await)),
        None => stock_p1::poll_oneoff(wasi, memory, subscriptions, events, count, out).await,
    }
}

struct Sleep {
    user_data: [u8; 8],
    duration: Duration,
}

impl<const SIZE: usize> Layout<SIZE> {
    /// The sleep that is asked for, if that is all.
    fn sleep(&self, memory: &GuestMemory<'_>, offset: i32, count: i32) -> Option<Sleep> {
        let length = u32::try_from(SIZE).ok()?;
        let subscription = Buffer { offset: offset.cast_unsigned(), length };
        let subscription = match count {
            1 => memory.as_cow(subscription.pointer()).ok()?,
            _ => return None,
        };
        let eight =
            |at: usize| -> Option<[u8; 8]> { subscription.get(at..at + 8)?.try_into().ok() };
        if subscription[TAG] != CLOCK || subscription[self.flags] & ABSOLUTE != 0 {
            return None;
        }
        let nanoseconds = u64::from_le_bytes(eight(self.timeout)?);
        Some(Sleep { user_data: eight(0)?, duration: Duration::from_nanos(nanoseconds) })
    }
}

impl Sleep {
    async fn pass(self, memory: &mut GuestMemory<'_>, events: i32, out: i32) -> Result<(), Errno> {
        tokio::time::sleep(self.duration).await;
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&self.user_data);
        event[BYTES] = 1;
        write_bytes(memory, Buffer { offset: events.cast_unsigned(), length: 0 }, &event)?;
        write_u32(memory, out, 1)
    }
}
