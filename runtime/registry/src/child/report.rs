//! Progress on standard output, as fast as somebody reads it and no faster than somebody looks at it.
//!
//! The work tells what happens and never waits; a thread writes. What it has not written yet is at most
//! two things of each blob: that it is wanted, and the newest of what became of it since.

use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::{Message, Progress};

/// Between two lines about a blob: ten a second are enough for any terminal.
const PAUSE: Duration = Duration::from_millis(100);

/// The thread that writes.
pub(super) struct Report {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pending: Pending,
    finished: bool,
}

impl Report {
    pub(super) fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let writing = shared.clone();
        Self { shared, thread: thread::spawn(move || write(&writing)) }
    }

    pub(super) fn tell(&self, progress: Progress) {
        self.change(|state| state.pending.tell(progress));
    }

    /// Writes what is left and ends.
    pub(super) fn finish(self) {
        self.change(|state| state.finished = true);
        // One that panicked has said so, and the answer is still to come.
        let _ = self.thread.join();
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.changed.notify_one();
    }
}

fn write(shared: &Shared) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let wait =
            shared.changed.wait_while(state, |state| state.pending.is_empty() && !state.finished);
        state = wait.unwrap_or_else(PoisonError::into_inner);
        let (news, finished) = (state.pending.take(), state.finished);
        drop(state);
        // Nobody reads any more: whoever asked has gone, and standard input ends as well.
        if print(news).is_err() || finished {
            return;
        }
        let again = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = shared.changed.wait_timeout_while(again, PAUSE, |state| !state.finished);
        state = pause.unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn print(news: Vec<Progress>) -> io::Result<()> {
    let mut lines = String::new();
    for progress in news {
        let message = Message::Progress(progress);
        lines += &serde_json::to_string(&message).expect("progress has no maps");
        lines.push('\n');
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines.as_bytes())?;
    stdout.flush()
}

/// What is not written yet, in the order in which the blobs were told of.
#[derive(Default)]
struct Pending(Vec<News>);

/// Of one blob.
struct News {
    digest: Digest,
    begins: Option<Progress>,
    newest: Option<Progress>,
}

impl Pending {
    fn tell(&mut self, progress: Progress) {
        let digest = progress.digest();
        // An image has some hundred blobs at most.
        let known = self.0.iter().position(|news| news.digest == *digest);
        let index = known.unwrap_or_else(|| {
            let digest = digest.clone();
            self.0.push(News { digest, begins: None, newest: None });
            self.0.len() - 1
        });
        let news = &mut self.0[index];
        match progress {
            Progress::Begins { .. } => (news.begins, news.newest) = (Some(progress), None),
            Progress::At { .. } | Progress::Waits { .. } | Progress::Done { .. } => {
                news.newest = Some(progress);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self) -> Vec<Progress> {
        let all = std::mem::take(&mut self.0);
        all.into_iter().flat_map(|news| [news.begins, news.newest]).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_each_blob_is_told() {
        let (a, b) = (Digest::sha256(b"a"), Digest::sha256(b"b"));
        let begins = |digest: &Digest| Progress::Begins { digest: digest.clone(), size: 9 };
        let at = |digest: &Digest, bytes| Progress::At { digest: digest.clone(), bytes };
        let mut pending = Pending::default();
        for progress in [begins(&a), begins(&b), at(&b, 1), at(&a, 2), at(&b, 3)] {
            pending.tell(progress);
        }
        assert_eq!(pending.take(), [begins(&a), at(&a, 2), begins(&b), at(&b, 3)]);
        assert!(pending.is_empty());
        let done = Progress::Done { digest: a.clone() };
        for progress in [at(&a, 5), Progress::Waits { digest: a.clone() }, at(&a, 9), done.clone()]
        {
            pending.tell(progress);
        }
        assert_eq!(pending.take(), [done]);
        // From another server, from the beginning.
        for progress in [begins(&a), at(&a, 5), begins(&a)] {
            pending.tell(progress);
        }
        assert_eq!(pending.take(), [begins(&a)]);
    }
}
