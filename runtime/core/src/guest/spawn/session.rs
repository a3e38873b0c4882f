//! One exec of the toolbox: all its processes, and what they have in common.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use wasmtime_wasi::p1::types::Errno;

use super::table::{Awaited, Pid, Removed, Table, Waited};
use crate::executor::Task;
use crate::guest::exec::Loader;
use crate::guest::program::Program;
use crate::guest::run::{GuestHost, RunSpec};
use crate::lifecycle::Exit;
use crate::sandbox::network::Endpoint;

/// A program has that part of the descriptors that its exec has.
const DESCRIPTORS: usize = 4;

/// What the host holds for a process beside its linear memory: Store, descriptors, a little of its stack.
const PROCESS: usize = 64 << 10;

/// What a title may have, in bytes.
const TITLE: usize = 256;

/// The processes of one exec.
pub(super) struct Session {
    pub(super) toolbox: Program,
    /// The container's own.
    pub(super) program: Program,
    pub(super) loader: Loader,
    /// The command line of the container itself.
    pub(super) own: Vec<String>,
    /// What the exec got, for each of its processes.
    pub(super) spec: RunSpec,
    host: GuestHost,
    table: Mutex<Table>,
}

impl Session {
    /// A session whose root is to run with `host` and `spec`.
    pub(super) fn new(
        toolbox: Program,
        program: Program,
        loader: Loader,
        own: Vec<String>,
        host: &GuestHost,
        spec: &RunSpec,
    ) -> Arc<Self> {
        Arc::new(Self {
            toolbox,
            program,
            loader,
            own,
            spec: spec.clone(),
            host: share(host, Arc::clone(&host.endpoint), host.containers),
            table: Mutex::new(Table::new(title(&spec.argv))),
        })
    }

    /// For a program of the container, which has a place of its own on the network.
    pub(super) fn host_of_program(&self) -> GuestHost {
        let containers = self.host.containers.saturating_mul(DESCRIPTORS);
        share(&self.host, Arc::new(self.host.endpoint.beside()), containers)
    }

    pub(super) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.host.endpoint
    }

    /// The table, for a glance.
    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        // Each change is complete before anything can panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a child of `parent`: what `make` makes of its number runs on the container's account.
    ///
    /// # Errors
    /// `again` when there are too many processes, `nomem` without memory for one, and those of `make`.
    pub(super) async fn begin<Making, Running>(
        self: &Arc<Self>,
        parent: Pid,
        background: bool,
        make: impl FnOnce(Pid) -> Making,
    ) -> Result<Pid, Errno>
    where
        Making: Future<Output = Result<Running, Errno>>,
        Running: Future<Output = u8> + Send + 'static,
    {
        let pid = self.table().add(parent, background)?;
        let place = Place { session: self, pid: Some(pid) };
        let held = self.spec.memory.hold(PROCESS).map_err(|_| Errno::Nomem)?;
        let running = make(pid).await?;
        let session = Arc::clone(self);
        let task = self.host.account.spawn(async move {
            let code = running.await;
            drop(held);
            session.end(pid, code);
        });
        place.take(task);
        Ok(pid)
    }

    /// A process has ended, or is to end now.
    pub(super) fn end(&self, pid: Pid, code: u8) {
        let removed = self.table().end(pid, code);
        removed.drop_and_wake();
    }

    /// A process and all that it has begun end now.
    pub(super) fn kill(&self, pid: Pid, code: u8) {
        let removed = self.table().kill(pid, code);
        removed.drop_and_wake();
    }

    /// Waits for the end of a child of `parent`; `None` when it does not and none has ended.
    ///
    /// # Errors
    /// `child` when there is no such child.
    ///
    /// # Cancel safety
    /// Safe: an end that nobody was told of stays.
    pub(super) async fn wait(
        &self,
        parent: Pid,
        awaited: Awaited,
        patient: bool,
    ) -> Result<Option<(Pid, u8)>, Errno> {
        poll_fn(|context| {
            let mut table = self.table();
            match table.wait(parent, awaited) {
                Waited::Ended(pid, code) => Poll::Ready(Ok(Some((pid, code)))),
                Waited::NoChild => Poll::Ready(Err(Errno::Child)),
                Waited::Runs if !patient => Poll::Ready(Ok(None)),
                Waited::Runs => {
                    table.wake_at_end(context.waker());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Ends all that is left but the root, and nothing begins any more.
    pub(super) fn close(&self) -> Vec<Task<()>> {
        let mut removed = self.table().end_all();
        removed.wake();
        std::mem::take(&mut removed.tasks)
    }

    /// Says on a process's standard error why it has ended, if that was no choice of its own.
    pub(super) async fn explain(&self, exit: &Exit, stderr: &super::end::End) {
        let Some(message) = &exit.message else { return };
        let mut text = format!("{message}\n").into_bytes();
        while !text.is_empty() {
            match stderr.write(&text).await {
                Ok(written) => drop(text.drain(..written)),
                Err(_) => return,
            }
        }
    }
}

impl Removed {
    pub(super) fn drop_and_wake(mut self) {
        self.tasks.clear();
        self.wake();
    }
}

/// The place of a process that has not begun; given up when dropped.
struct Place<'session> {
    session: &'session Arc<Session>,
    pid: Option<Pid>,
}

impl Place<'_> {
    fn take(mut self, task: Task<()>) {
        let Some(pid) = self.pid.take() else { return };
        let refused = self.session.table().begin(pid, task);
        drop(refused);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            self.session.table().forget(pid);
        }
    }
}

fn share(host: &GuestHost, endpoint: Arc<Endpoint>, containers: usize) -> GuestHost {
    GuestHost {
        endpoint,
        files: Arc::clone(&host.files),
        account: host.account.clone(),
        clock: host.clock,
        random: host.random.clone(),
        pace: host.pace,
        containers,
        ipc: Arc::clone(&host.ipc),
    }
}

/// A command line as `ps` shows it.
pub(super) fn title(words: &[String]) -> String {
    let line = words.join(" ").replace(char::is_control, " ");
    line[..line.floor_char_boundary(TITLE.min(line.len()))].to_owned()
}
