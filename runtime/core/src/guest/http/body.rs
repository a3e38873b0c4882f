//! The body of a response: polling it is what makes the guest go on.
//!
//! ```text
//! frame buffered? ─yes─▶ send it
//!       │ no
//! poll the guest ─▶ frame now? ─▶ send it │ guest failed ─▶ error │ deadline ─▶ error │ wait
//! ```
//!
//! The guest is polled only when nothing is buffered, so that it fills the buffer at each turn. A
//! guest that fails ends the body with an error, never as if it were complete: the connection is
//! closed, and the client knows. A guest that has more to do when its response is complete does it
//! in the background; in any other case it ends with the body.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::WasiBody;

use super::call::Call;
use super::deadline::Deadline;
use super::handler::Handler;
use super::request::RequestLine;

/// The body of a response.
pub(crate) struct ResponseBody(Inner);

enum Inner {
    /// Known as a whole; `sized` if the head does not tell its length.
    Whole {
        data: Option<Bytes>,
        sized: bool,
    },
    Streamed(Box<Streamed>),
}

/// The body ends early. The container's log says why.
#[derive(Debug, thiserror::Error)]
#[error("the handler did not finish its response")]
pub(crate) struct BodyError;

/// What is known of a call when its response begins.
pub(crate) struct Progress {
    /// The guest, unless it has ended well.
    pub(crate) call: Option<Call>,
    pub(crate) deadline: Deadline,
    pub(crate) handler: Arc<Handler>,
    pub(crate) line: RequestLine,
    /// How many bytes the head promises.
    pub(crate) length: Option<u64>,
    /// The response has no body, whatever the guest writes.
    pub(crate) no_body: bool,
}

struct Streamed {
    body: WasiBody,
    /// Frames that were looked at already, in order.
    ahead: [Option<Frame<Bytes>>; 2],
    /// Taken once there is nothing left to tell of it.
    progress: Option<Progress>,
    failed: bool,
    /// The client has all of it.
    complete: bool,
}

impl ResponseBody {
    /// A text of the host's own.
    pub(crate) fn text(text: &'static str) -> Self {
        Self(Inner::Whole { data: Some(Bytes::from_static(text.as_bytes())), sized: true })
    }

    /// The body of a guest's response.
    ///
    /// # Errors
    /// The guest has ended and left the body unfinished.
    pub(crate) fn of_guest(body: WasiBody, progress: Progress) -> Result<Self, BodyError> {
        let (has_ended, no_body) = (progress.call.is_none(), progress.no_body);
        let sized = progress.length.is_none();
        let mut streamed = Box::new(Streamed {
            body,
            ahead: [None, None],
            complete: progress.no_body || progress.length == Some(0),
            progress: Some(progress),
            failed: false,
        });
        if has_ended {
            match streamed.whole() {
                Ok(Some(data)) => return Ok(Self(Inner::Whole { data: Some(data), sized })),
                // What is unfinished would not be sent anyway.
                Err(error) if !no_body => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
        Ok(Self(Inner::Streamed(streamed)))
    }
}

impl Streamed {
    /// The body of a guest that has ended, if it is one frame and no more: its length can be told
    /// then, and it goes out with the head.
    fn whole(&mut self) -> Result<Option<Bytes>, BodyError> {
        let mut nobody = Context::from_waker(Waker::noop());
        let first = match self.poll_body(&mut nobody) {
            Poll::Ready(None) => return Ok(Some(Bytes::new())),
            Poll::Ready(Some(frame)) => frame?,
            Poll::Pending => return Ok(None),
        };
        let second = if first.is_data() { self.poll_body(&mut nobody) } else { Poll::Pending };
        match (first.into_data(), second) {
            (Ok(whole), Poll::Ready(None)) => return Ok(Some(whole)),
            (Ok(data), Poll::Ready(Some(second))) => {
                self.ahead = [Some(Frame::data(data)), Some(second?)];
            }
            (Ok(data), Poll::Pending) => self.ahead = [Some(Frame::data(data)), None],
            (Err(trailers), _) => self.ahead = [Some(trailers), None],
        }
        Ok(None)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(frame) = self.ahead.iter_mut().find_map(Option::take) {
            return Poll::Ready(Some(Ok(frame)));
        }
        // Nobody to wake: what the guest writes in the poll below is looked for right after it.
        let buffered = self.poll_body(&mut Context::from_waker(Waker::noop()));
        if buffered.is_ready() {
            return buffered;
        }
        let running = self.poll_guest(context);
        let written = self.poll_body(context);
        if written.is_ready() || !running {
            return written;
        }
        let Some(progress) = &mut self.progress else { return Poll::Pending };
        if progress.deadline.poll(context).is_pending() {
            return Poll::Pending;
        }
        progress.call = None;
        progress.handler.log(&progress.line, "its time was over in the middle of the response");
        Poll::Ready(Some(Err(BodyError)))
    }

    /// Polls the guest; whether it goes on after that.
    fn poll_guest(&mut self, context: &mut Context<'_>) -> bool {
        let Some(progress) = &mut self.progress else { return false };
        let Some(call) = &mut progress.call else { return false };
        match call.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(outcome) => {
                progress.call = None;
                if let Err(exit) = outcome {
                    progress.handler.report(&progress.line, &exit);
                    self.failed = true;
                }
                false
            }
        }
    }

    fn poll_body(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(self.sent(frame)))),
            // The buffers of a guest that failed end as if it had finished.
            Poll::Ready(None) if self.failed => Poll::Ready(Some(Err(BodyError))),
            Poll::Ready(None) => {
                self.complete = true;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                if let Some(progress) = &self.progress {
                    let problem = format_args!("its response is unfinished: {error}");
                    progress.handler.log(&progress.line, problem);
                }
                Poll::Ready(Some(Err(BodyError)))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Counts a frame on its way to the client.
    fn sent(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        if let Some(progress) = &mut self.progress
            && let (Some(left), Some(data)) = (&mut progress.length, frame.data_ref())
        {
            *left = left.saturating_sub(u64::try_from(data.len()).unwrap_or(u64::MAX));
            self.complete |= *left == 0;
        }
        frame
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        // hyper lets go of a body as soon as it has as many bytes as the head promised.
        if self.complete
            && let Some(Progress { call: Some(call), deadline, handler, line, .. }) =
                self.progress.take()
        {
            handler.finish_in_background(call, deadline, line);
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Inner::Whole { data, .. } => Poll::Ready(data.take().map(|data| Ok(Frame::data(data)))),
            Inner::Streamed(streamed) => streamed.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Whole { data, .. } => data.as_ref().is_none_or(Bytes::is_empty),
            // Trailers may follow the last byte.
            Inner::Streamed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole { data, sized: true } => {
                let length = data.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            // hyper takes the length that the head tells, and minds one that differs.
            Inner::Whole { sized: false, .. } | Inner::Streamed(_) => SizeHint::default(),
        }
    }
}
