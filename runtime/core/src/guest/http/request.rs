//! One request, from its own head to the head of its response.

use std::fmt;
use std::sync::Arc;
use std::task::Poll;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use hyper::body::Incoming;
use wasmtime_wasi_http::WasiBody;

use super::body::{BodyError, Progress, ResponseBody};
use super::call::{Head, HeadSlot, call};
use super::deadline::Deadline;
use super::handler::Handler;
use crate::lifecycle::Exit;

/// What a log says a request was.
pub(crate) struct RequestLine {
    method: Method,
    uri: Uri,
}

impl fmt::Display for RequestLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.uri)
    }
}

impl RequestLine {
    /// Whether a response to it with this status has no body, whatever its headers say.
    pub(crate) fn has_no_body(&self, status: StatusCode) -> bool {
        self.method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }
}

/// What came of a call by the time its response's head was due.
enum Begun {
    Head(Head, Option<Result<(), Exit>>),
    Ended(Result<(), Exit>),
    TimedOut,
}

/// Answers a request. It always has an answer: what goes wrong is the status, and a line in the
/// container's log.
///
/// # Cancel safety
/// Dropping it ends the guest.
pub(crate) async fn answer(
    handler: Arc<Handler>,
    mut request: Request<Incoming>,
) -> Response<ResponseBody> {
    if let Err(problem) = settle_host(&mut request) {
        return plain(StatusCode::BAD_REQUEST, problem);
    }
    let line = RequestLine { method: request.method().clone(), uri: request.uri().clone() };
    let mut deadline = Deadline::new(handler.settings.timeout);
    let slot = HeadSlot::default();
    let mut call = call(handler.clone(), request, slot.clone());
    let begun = std::future::poll_fn(|context| {
        let ended = match call.as_mut().poll(context) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        };
        match (slot.take(), ended) {
            (Some(head), ended) => Poll::Ready(Begun::Head(head, ended)),
            (None, Some(ended)) => Poll::Ready(Begun::Ended(ended)),
            (None, None) => deadline.poll(context).map(|()| Begun::TimedOut),
        }
    })
    .await;
    match begun {
        Begun::Head(Ok(response), ended) => {
            let call = Some(call);
            let progress = Progress { call, deadline, handler, line, length: None, no_body: false };
            respond(response, ended, progress)
        }
        Begun::Head(Err(code), ended) => {
            handler.log(&line, format_args!("the handler answered with the error {code}"));
            match ended {
                None => handler.finish_in_background(call, deadline, line),
                Some(Err(exit)) => handler.report(&line, &exit),
                Some(Ok(())) => {}
            }
            failed()
        }
        Begun::Ended(Err(exit)) => {
            handler.report(&line, &exit);
            failed()
        }
        Begun::Ended(Ok(())) => {
            handler.log(&line, "the handler returned without a response");
            failed()
        }
        Begun::TimedOut => {
            handler.log(&line, "no response within the time that a request may take");
            plain(StatusCode::GATEWAY_TIMEOUT, "the handler took too long\n")
        }
    }
}

fn respond(
    response: Response<WasiBody>,
    ended: Option<Result<(), Exit>>,
    mut progress: Progress,
) -> Response<ResponseBody> {
    let (head, body) = response.into_parts();
    // hyper refuses to send these, and would close the connection without a word.
    if head.status.is_informational() {
        let problem = format_args!("{} is no status of a final response", head.status);
        progress.handler.log(&progress.line, problem);
        return failed();
    }
    // Nothing has gone out yet: an honest status is better than a response that breaks off.
    match ended {
        Some(Err(exit)) => {
            progress.handler.report(&progress.line, &exit);
            return failed();
        }
        Some(Ok(())) => progress.call = None,
        None => {}
    }
    progress.length = content_length(&head.headers);
    progress.no_body = progress.line.has_no_body(head.status);
    match ResponseBody::of_guest(body, progress) {
        Ok(body) => Response::from_parts(head, body),
        Err(BodyError) => failed(),
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Makes sure that the request says whom it is for, as `wasi:http` wants it.
///
/// # Errors
/// What is wrong with the request; RFC 9112 3.2 asks for status 400 then.
fn settle_host(request: &mut Request<Incoming>) -> Result<(), &'static str> {
    let version = request.version();
    let has_authority = request.uri().authority().is_some();
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err("a request has one Host header\n"),
        (Some(host), None) if host.to_str().is_err() => Err("the Host header is not text\n"),
        (Some(_), None) => Ok(()),
        (None, _) if has_authority => Ok(()),
        (None, _) if version <= Version::HTTP_10 => {
            // HTTP/1.0 need not name it, and a guest of wasi:http must be told something.
            request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
            Ok(())
        }
        (None, _) => Err("a request needs a Host header\n"),
    }
}

fn failed() -> Response<ResponseBody> {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "the handler failed\n")
}

/// A short answer of the host's own.
fn plain(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::text(text));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
