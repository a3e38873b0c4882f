//! What this process arranges for itself with the system, before anything else.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::sleep;

/// Raises the limit on open files as far as it goes without privilege.
///
/// It starts at 1024 for the sake of programs that call `select(2)`, which knows no more; none of
/// ours does. A Pod holds a descriptor for each file and host connection of all its guests.
pub(crate) fn raise_file_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Refused where the hard limit is above the system's own: then the soft one stays.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Has the allocator keep a few megabytes of freed memory for the next use.
///
/// Bulk data crosses the Pod's network in chunks of up to 256 KiB, each allocated by the writer's
/// host call and freed by the reader's. glibc by itself returns each to the system at once, and
/// half the throughput goes into page faults. What is never touched costs nothing.
///
/// And has all threads share one heap. With one for each, what a thread leaves behind that only ran to
/// write something down is no use to the others: an idle Pod held an eighth of a megabyte that way.
/// Small pieces come from a store of each thread's own, so that the threads do not wait for each other.
#[cfg(target_env = "gnu")]
pub(crate) fn arrange_heap() {
    let settings = [
        (libc::M_ARENA_MAX, 1),
        (libc::M_TRIM_THRESHOLD, 4 << 20),
        (libc::M_TOP_PAD, 1 << 20),
        // Above the largest chunk: those that are mapped one by one are never kept.
        (libc::M_MMAP_THRESHOLD, 1 << 20),
    ];
    for (parameter, value) in settings {
        #[expect(unsafe_code, reason = "the allocator's settings have no safe interface")]
        // SAFETY: it takes two numbers and sets a variable of the allocator under its lock.
        unsafe {
            libc::mallopt(parameter, value);
        }
    }
}

/// Other allocators decide for themselves.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn arrange_heap() {}

/// By then a Pod has started, or waits for something.
const SETTLED: Duration = Duration::from_secs(1);
/// How long after that its object is written as a rule, and the store closed again.
const WRITTEN: Duration = Duration::from_millis(700);
/// How long after that it is on a slow disk.
const WRITTEN_SLOWLY: Duration = Duration::from_secs(4);

/// Gives back memory when a Pod has started, and when that is written down.
pub(crate) async fn give_back_memory_behind_start() {
    for wait in [SETTLED, WRITTEN, WRITTEN_SLOWLY] {
        sleep(wait).await;
        give_back_memory();
    }
}

/// Gives back what starting took and running does not need: some fifty kilobytes of the megabyte that
/// an idle Pod holds for itself. For the thread that the program began with.
#[cfg(target_env = "gnu")]
fn give_back_memory() {
    #[expect(unsafe_code, reason = "the allocator's upkeep has no safe interface")]
    // SAFETY: it takes a number and gives free pages back under the allocator's locks.
    unsafe {
        libc::malloc_trim(0);
    }
    give_back_stack();
}

/// Others keep what they hold.
#[cfg(not(target_env = "gnu"))]
fn give_back_memory() {}

/// Reading a manifest goes a hundred kilobytes deep; nothing after it does.
// Never part of its caller's frame, which may be larger than what is left alone below.
#[cfg(target_env = "gnu")]
#[inline(never)]
fn give_back_stack() {
    use rustix::mm::{Advice, madvise};
    use rustix::process::getpid;
    use rustix::thread::gettid;

    /// For the frames of this function and of the system call.
    const HERE: usize = 4 << 10;
    /// Deeper than any start goes, and less than the gap that the kernel leaves free below the
    /// stack of a process (a megabyte, unless it was booted with `stack_guard_gap`).
    const DEPTH: usize = 512 << 10;
    const PAGE: usize = 4 << 10;

    // The stacks of other threads have other things below them.
    if gettid() != getpid() {
        return;
    }
    let here = 0_u8;
    let end = std::ptr::from_ref(&here).addr().saturating_sub(HERE) / PAGE * PAGE;
    let start = std::ptr::without_provenance_mut(end.saturating_sub(DEPTH));
    #[expect(unsafe_code, reason = "the pages belong to no value that could be named")]
    // SAFETY: this function has a frame of its own, the last one of the only thread that has this
    // stack, and `here` is all that it holds: the range lies below every frame, so nothing in it
    // lives. What of it is not mapped yet is an error that changes nothing.
    let _ = unsafe { madvise(start, DEPTH, Advice::LinuxDontNeed) };
}
