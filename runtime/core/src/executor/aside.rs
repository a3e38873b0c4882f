//! CPU time of the threads on which blocking work is done: files, for the most part.
//!
//! They come and go with the work, and the kernel keeps count; here it is read while they live and
//! when they end.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use super::clock::{self, Nanos};
use super::task::lock;

/// The threads of a pool's workers that do blocking work.
#[derive(Debug, Default)]
pub(super) struct Aside {
    threads: Mutex<Vec<Counted>>,
}

#[derive(Debug)]
struct Counted {
    thread: ThreadId,
    /// The first number in it is CPU time in nanoseconds. Not every kernel has it: there the thread
    /// is counted when it ends.
    schedstat: Option<File>,
    cpu: Nanos,
}

impl Aside {
    /// Called by a thread that begins.
    pub(super) fn begin(&self) {
        let schedstat = File::open("/proc/thread-self/schedstat").ok();
        let thread = thread::current().id();
        lock(&self.threads).push(Counted { thread, schedstat, cpu: 0 });
    }

    /// Called by a thread that ends: what it has used since it was last counted.
    pub(super) fn end(&self) -> Nanos {
        let ended = thread::current().id();
        let mut threads = lock(&self.threads);
        let Some(place) = threads.iter().position(|counted| counted.thread == ended) else {
            return 0;
        };
        clock::thread_cpu().saturating_sub(threads.swap_remove(place).cpu)
    }

    /// What all that live have used since they were last counted.
    pub(super) fn count(&self) -> Nanos {
        lock(&self.threads).iter_mut().map(Counted::count).sum()
    }
}

impl Counted {
    fn count(&mut self) -> Nanos {
        let Some(now) = self.schedstat.as_ref().and_then(read) else { return 0 };
        let new = now.saturating_sub(self.cpu);
        self.cpu += new;
        new
    }
}

fn read(schedstat: &File) -> Option<Nanos> {
    let mut text = [0; 64];
    let length = schedstat.read_at(&mut text, 0).ok()?;
    let text = std::str::from_utf8(&text[..length]).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::executor::clock::MILLISECOND;

    fn compute(time: Nanos) {
        let start = clock::thread_cpu();
        while clock::thread_cpu() - start < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_thread_is_counted_while_it_lives_and_when_it_ends() {
        let aside = Arc::new(Aside::default());
        let (computed, has_computed) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let thread = thread::spawn({
            let aside = Arc::clone(&aside);
            move || {
                aside.begin();
                compute(20 * MILLISECOND);
                computed.send(()).unwrap();
                may_go_on.recv().unwrap();
                compute(10 * MILLISECOND);
                aside.end()
            }
        });
        has_computed.recv().unwrap();
        let living = aside.count();
        go_on.send(()).unwrap();
        let ended = thread.join().unwrap();
        // A kernel without the file counts all of it at the end.
        assert!(living == 0 || living >= 20 * MILLISECOND, "{living}");
        assert!(living + ended >= 30 * MILLISECOND, "{living} {ended}");
        assert!(ended >= 10 * MILLISECOND && aside.count() == 0);
    }
}
