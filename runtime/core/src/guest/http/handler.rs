//! What the requests of one container share.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::call::Call;
use super::crowd::Crowd;
use super::deadline::Deadline;
use super::instance::{IdleInstances, Instances};
use super::request::RequestLine;
use super::settings::HttpSettings;
use crate::guest::program;
use crate::guest::wasi::WasiSetup;
use crate::lifecycle::{Exit, ExitReason};

/// Guests that go on after their responses are complete; more are cut off.
const MOST_IN_BACKGROUND: usize = 256;

pub(crate) struct Handler {
    pub(crate) program: Arc<program::Shared>,
    pub(crate) setup: Arc<WasiSetup>,
    pub(crate) settings: HttpSettings,
    pub(crate) idle: IdleInstances,
    pub(crate) instances: Instances,
    /// Turns for instances, where the Pod says how many there may be.
    pub(crate) turns: Option<Arc<Semaphore>>,
    /// The container was asked to stop.
    pub(crate) stopping: CancellationToken,
    /// The container cannot go on; see [`Handler::failure`].
    failed: CancellationToken,
    failure: Mutex<Option<Exit>>,
    /// Owned by the run: a task of it must not keep it alive.
    tasks: Weak<Crowd>,
    background: Arc<Semaphore>,
}

impl Handler {
    pub(crate) fn new(
        program: Arc<program::Shared>,
        setup: Arc<WasiSetup>,
        settings: HttpSettings,
        stopping: CancellationToken,
        tasks: &Arc<Crowd>,
    ) -> Self {
        Self {
            program,
            setup,
            settings,
            idle: IdleInstances::default(),
            instances: Instances::default(),
            turns: settings.instances.map(|most| Arc::new(Semaphore::new(most as usize))),
            stopping,
            failed: CancellationToken::new(),
            failure: Mutex::default(),
            tasks: Arc::downgrade(tasks),
            background: Arc::new(Semaphore::new(MOST_IN_BACKGROUND)),
        }
    }

    /// A line in the container's log, on standard error, about one of its requests.
    pub(crate) fn log(&self, line: &RequestLine, problem: impl Display) {
        let output = &self.setup.stderr;
        // A log that cannot keep up loses the host's remarks first: nobody waits for them here.
        if let Poll::Ready(()) = output.poll_ready(&mut Context::from_waker(Waker::noop())) {
            let _ = output.write(format!("wasmpod: {line}: {problem}\n").as_bytes());
        }
    }

    /// Tells how a call failed, and ends the container where a process would have been killed.
    pub(crate) fn report(&self, line: &RequestLine, exit: &Exit) {
        match &exit.message {
            Some(message) => self.log(line, message),
            None => self.log(line, format_args!("the handler exited with code {}", exit.code)),
        }
        if matches!(exit.reason, ExitReason::OomKilled | ExitReason::FuelExhausted) {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| exit.clone());
            self.failed.cancel();
        }
    }

    /// Waits until one request has brought the whole container down.
    pub(crate) async fn failure(&self) -> Exit {
        self.failed.cancelled().await;
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().expect("set before the token was cancelled")
    }

    /// Lets a guest come to its end after its response is complete, until its deadline. One too
    /// many is dropped.
    pub(crate) fn finish_in_background(
        self: &Arc<Self>,
        mut call: Call,
        mut deadline: Deadline,
        line: RequestLine,
    ) {
        let (Some(tasks), Ok(place)) =
            (self.tasks.upgrade(), self.background.clone().try_acquire_owned())
        else {
            self.log(&line, "cut off after its response: too many others still run");
            return;
        };
        let handler = self.clone();
        tasks.spawn(async move {
            let ended = std::future::poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending => deadline.poll(context).map(|()| None),
            });
            match ended.await {
                Some(Ok(())) => {}
                Some(Err(exit)) => handler.report(&line, &exit),
                None => handler.log(&line, "still ran after its response when its time was over"),
            }
            drop(place);
        });
    }
}
