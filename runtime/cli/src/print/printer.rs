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
    /// Prints until every sender of `lines` and of `events` is gone.
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
        tokio::select! {
            // What a container wrote comes before what happened to it then.
            biased;
            more = next_batch(&mut lines, &mut batch) => {
                if !more || !print_batch(&mut sheet, &mut batch) {
                    lines = None;
                }
                // A container that writes without pause must not hide what happens.
                while let Some(Some(told)) = events.recv().now_or_never() {
                    told.print();
                }
            }
            told = events.recv(), if watching => match told {
                Some(told) => told.print(),
                None => watching = false,
            },
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
