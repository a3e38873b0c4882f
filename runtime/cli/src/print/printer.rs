//! The printing thread of a Pod: what its containers write and what happens to it, as it comes.
//!
//! A thread of its own: a terminal that is stopped must stop the guests' output (the queue is
//! bounded), never the Pod's worker.

use std::io;

use futures::FutureExt as _;
use futures::executor::block_on;
use tokio::sync::{mpsc, oneshot};
use wasmpod::logs::{LogLines, OwnedLogLine};

use super::events::Told;
use super::logs::{Layout, Sheet};
use super::problem;

/// Bytes of output that may wait for a slow terminal before guests wait too.
pub(crate) const WAITING: usize = 1 << 20;

/// Lines about the Pod that may wait; what comes then is only counted.
pub(crate) const WAITING_EVENTS: usize = 64;

/// The printing thread.
#[derive(Debug)]
pub(crate) struct Printer {
    /// Dropped when all is printed.
    printing: oneshot::Receiver<()>,
}

impl Printer {
    /// Prints until `lines` are closed and nothing follows in `events`.
    pub(crate) fn start(
        lines: LogLines,
        layout: Layout,
        events: mpsc::Receiver<Told>,
    ) -> io::Result<Self> {
        let (printed, printing) = oneshot::channel();
        // Not joined: one that is held up by its reader may end with the process.
        std::thread::Builder::new().name("printer".into()).stack_size(256 << 10).spawn(
            move || {
                block_on(print(lines, &layout, events));
                drop(printed);
            },
        )?;
        Ok(Self { printing })
    }

    /// Waits until all is printed.
    pub(crate) async fn finish(self) {
        // It is never sent to; a printer that panicked has said so.
        let _ = self.printing.await;
    }
}

async fn print(lines: LogLines, layout: &Layout, mut events: mpsc::Receiver<Told>) {
    let mut sheet = Sheet::new(layout);
    let mut batch = Vec::new();
    let (mut lines, mut watching) = (Some(lines), true);
    while lines.is_some() || watching {
        // What was told by now is told after the lines that wait by now, since they were written
        // before; what comes while those are printed comes after the next ones.
        let due = events.len();
        tokio::select! {
            biased;
            more = next_batch(&mut lines, &mut batch) => {
                if !more || !print_batch(&mut sheet, &mut batch) {
                    lines = None;
                }
                // A container that writes without pause must not hide what happens.
                for _ in 0..due {
                    if let Some(told) = events.recv().now_or_never() {
                        watching &= tell(told);
                    }
                }
            }
            told = events.recv(), if watching => {
                // Lines that came in this very moment.
                if next_batch(&mut lines, &mut batch).now_or_never() == Some(true)
                    && !print_batch(&mut sheet, &mut batch)
                {
                    lines = None;
                }
                watching = tell(told);
            }
        }
    }
}

/// Prints a line about the Pod; answers whether another may follow.
fn tell(told: Option<Told>) -> bool {
    match told {
        Some(Told::Last) | None => false,
        Some(told) => {
            told.print();
            true
        }
    }
}

async fn next_batch(lines: &mut Option<LogLines>, batch: &mut Vec<OwnedLogLine>) -> bool {
    match lines {
        Some(lines) => lines.next_batch(batch).await,
        None => std::future::pending().await,
    }
}

/// Answers whether there is any use in going on.
fn print_batch(sheet: &mut Sheet<'_>, batch: &mut Vec<OwnedLogLine>) -> bool {
    let printed = batch.drain(..).try_for_each(|line| sheet.add(&line));
    match printed.and_then(|()| sheet.flush()) {
        Ok(()) => true,
        // Nobody reads any more, which ends the Pod.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => false,
        Err(error) => {
            problem::warning(&format!(
                "the output of the containers goes to their log files only: {error}"
            ));
            false
        }
    }
}
