//! What this process arranges for itself with the system, before anything else.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
#[cfg(target_env = "gnu")]
pub(crate) fn keep_freed_memory() {
    let settings = [
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
pub(crate) fn keep_freed_memory() {}
