//! The printing of a Pod: what its containers write and what happens to it, as it comes.
//!
//! A terminal that is stopped must stop the guests' output (the queue is bounded), never the Pod's
//! worker. So what may have to wait for its reader is printed on a thread for blocking work, which
//! comes with the output and goes soon after it; most lines go into a pipe that has room for them.
//! Where the system has no thread for it, printing ends; the log files go on.

use std::io;

use futures::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use wasmpod::logs::{LogLines, OwnedLogLine};

use super::events::Told;
use super::logs::{Layout, Sheet};
use super::problem;

/// Bytes of output that may wait for a slow terminal before guests wait too.
pub(crate) const WAITING: usize = 1 << 20;

/// Lines about the Pod that may wait; what comes then is only counted.
pub(crate) const WAITING_EVENTS: usize = 64;

/// The printing of one Pod, under way.
#[derive(Debug)]
pub(crate) struct Printer {
    /// One task.
    printing: JoinSet<()>,
}

impl Printer {
    /// Prints until `lines` are closed and nothing follows in `events`. Within a tokio runtime.
    pub(crate) fn start(lines: LogLines, layout: Layout, events: mpsc::Receiver<Told>) -> Self {
        let desk = Desk { lines: Some(lines), events: Some(events) };
        let mut printing = JoinSet::new();
        printing.spawn(desk.print(Sheet::new(layout)));
        Self { printing }
    }

    /// Waits until all is printed.
    pub(crate) async fn finish(mut self) {
        // One that panicked has said so.
        let _ = self.printing.join_next().await;
    }
}

/// Where what is to be printed comes in; `None` once nothing more comes.
struct Desk {
    lines: Option<LogLines>,
    events: Option<mpsc::Receiver<Told>>,
}

/// What is printed in one go: the lines, then what is told.
#[derive(Default)]
struct Page {
    lines: Vec<OwnedLogLine>,
    /// Lines are on the sheet, and not all of them are written.
    begun: bool,
    told: Vec<Told>,
}

/// So many lines and bytes, a fraction of what a sheet gathers, are printed by the Pod's own thread
/// if they need not wait.
const SHORT_LINES: usize = 32;
const SHORT_BYTES: usize = 16 << 10;

impl Desk {
    async fn print(mut self, mut sheet: Sheet) {
        while let Some(mut page) = self.next_page().await {
            let mut goes_on = page.print_now(&mut sheet);
            if !page.is_empty() {
                let printed = spawn_blocking(move || {
                    let goes_on = page.print(&mut sheet);
                    (sheet, goes_on)
                });
                (sheet, goes_on) = match printed.await {
                    Ok(printed) => printed,
                    Err(_) => return,
                };
            }
            if !goes_on {
                self.lines = None;
            }
            // A reader who keeps up with a guest that writes without pause: others come in between.
            yield_now().await;
        }
    }

    /// `None` when there will be no other.
    async fn next_page(&mut self) -> Option<Page> {
        let mut page = Page::default();
        if self.lines.is_none() && self.events.is_none() {
            return None;
        }
        // What was told by now is told after the lines that wait by now, since they were written
        // before; what comes while those are printed comes after the next ones.
        let due = self.events.as_ref().map_or(0, mpsc::Receiver::len);
        tokio::select! {
            biased;
            () = next_lines(&mut self.lines, &mut page.lines) => {
                // A container that writes without pause must not hide what happens.
                for _ in 0..due {
                    let told = next_told(&mut self.events).now_or_never().flatten();
                    page.told.extend(told);
                }
            }
            told = next_told(&mut self.events) => {
                // Lines that came in this very moment.
                let _ = next_lines(&mut self.lines, &mut page.lines).now_or_never();
                page.told.extend(told);
            }
        }
        Some(page)
    }
}

/// Waits for lines and takes all that wait.
async fn next_lines(lines: &mut Option<LogLines>, batch: &mut Vec<OwnedLogLine>) {
    let more = match lines {
        Some(lines) => lines.next_batch(batch).await,
        None => std::future::pending().await,
    };
    if !more {
        *lines = None;
    }
}

/// Waits for what is told; nothing when that was the last.
async fn next_told(events: &mut Option<mpsc::Receiver<Told>>) -> Option<Told> {
    let told = match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    };
    match told {
        Some(Told::Last) | None => {
            *events = None;
            None
        }
        told => told,
    }
}

impl Page {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && !self.begun && self.told.is_empty()
    }

    /// Prints lines that need not wait; answers whether there is any use in lines to come.
    fn print_now(&mut self, sheet: &mut Sheet) -> bool {
        let bytes: usize = self.lines.iter().map(|line| line.bytes.len()).sum();
        if self.lines.len() > SHORT_LINES || bytes > SHORT_BYTES || !sheet.gathers() {
            return true;
        }
        let lines = std::mem::take(&mut self.lines);
        let added = lines.iter().try_for_each(|line| sheet.add(line));
        let written = added.and_then(|()| sheet.flush_now());
        goes_on(written.map(|all| self.begun = !all))
    }

    /// Prints the rest; answers whether there is any use in lines to come.
    fn print(self, sheet: &mut Sheet) -> bool {
        let added = self.lines.iter().try_for_each(|line| sheet.add(line));
        let goes_on = goes_on(added.and_then(|()| sheet.flush()));
        self.told.into_iter().for_each(Told::print);
        goes_on
    }
}

fn goes_on(printed: io::Result<()>) -> bool {
    match printed {
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
