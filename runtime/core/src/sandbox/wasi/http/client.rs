//! One request out of the Pod: connect, perhaps TLS, HTTP/1.1, response.
//!
//! The exchange is a task on the container's account, so that its work is charged to the container
//! and ends with whoever waits for it. A connection serves one request: guests come and go with
//! theirs, and what one of them was told on a connection is not another's business.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::connect::connect;
use super::error::{self, During};
use super::hooks::BODY;
use super::tls;
use crate::executor::{Account, Task, TaskError};
use crate::resources::memory::Held;
use crate::sandbox::network::Endpoint;

/// What a guest waits for each step unless it says otherwise; as in the wasmtime CLI.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a connection may have read ahead, and the same for what it has still to write.
const BUFFER: usize = 64 << 10;

/// The rest of a connection's life after the response's head.
pub(super) type Rest = Task<Result<(), Error>>;

/// Sends `request` and waits for the head of its response.
///
/// # Errors
/// In the words of `wasi:http`.
///
/// # Cancel safety
/// Dropping it ends the exchange.
pub(super) async fn send(
    endpoint: Arc<Endpoint>,
    account: Account,
    request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<(Response<WasiBody>, Rest), Error> {
    let connections = account.clone();
    let exchange = account.spawn(exchange(endpoint, connections, request, options));
    joined(exchange).await
}

/// The outcome of a task; one that was aborted lost its container.
pub(super) async fn joined<Value>(task: Task<Result<Value, Error>>) -> Result<Value, Error> {
    match task.await {
        Ok(outcome) => outcome,
        Err(TaskError::Aborted) => Err(Error::ConnectionTerminated),
        Err(TaskError::Panicked(message)) => Err(Error::InternalError(Some(message))),
    }
}

async fn exchange(
    endpoint: Arc<Endpoint>,
    account: Account,
    mut request: Request<WasiBody>,
    options: RequestOptions,
) -> Result<(Response<WasiBody>, Rest), Error> {
    let body = if request.body().is_end_stream() { 0 } else { BODY };
    let held = endpoint.memory().hold(2 * BUFFER + body);
    let held = held.map_err(|_refused| Error::ConnectionLimitReached)?;
    let target = Target::of(&request)?;
    *request.uri_mut() = target.origin_form.clone();
    let connecting = timeout(options.connect_timeout.unwrap_or(PATIENCE), async {
        let stream = connect(&endpoint, &target.host, target.port).await?;
        if target.tls {
            handshake(&account, tls::connect(&target.host, stream).await?, held).await
        } else {
            handshake(&account, stream, held).await
        }
    });
    let (mut sender, rest) = connecting.await.map_err(|_elapsed| Error::ConnectionTimeout)??;
    let first_byte = options.first_byte_timeout.unwrap_or(PATIENCE);
    let response = timeout(first_byte, sender.send_request(request))
        .await
        .map_err(|_elapsed| Error::ConnectionReadTimeout)?
        .map_err(|error| error::of_hyper(error, During::Head))?;
    let between_bytes = options.between_bytes_timeout.unwrap_or(PATIENCE);
    let response = response.map(|body| ResponseBody::new(body, between_bytes).boxed_unsync());
    Ok((response, rest))
}

async fn handshake(
    account: &Account,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    held: Held,
) -> Result<(http1::SendRequest<WasiBody>, Rest), Error> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error::of_hyper(error, During::Head))?;
    let rest = account.spawn(async move {
        let ended = connection.await.map_err(|error| error::of_hyper(error, During::Body));
        drop(held);
        ended
    });
    Ok((sender, rest))
}

/// Where a request goes.
#[derive(Debug)]
struct Target {
    /// A name or an address, without brackets.
    host: String,
    port: u16,
    tls: bool,
    /// Path and query alone, as a server that is no proxy expects them.
    origin_form: Uri,
}

impl Target {
    /// # Errors
    /// [`Error::HttpRequestUriInvalid`] for what has no host, or a user in it;
    /// [`Error::HttpRequestMethodInvalid`] for CONNECT, which `wasi:http` has no use for.
    fn of<Content>(request: &Request<Content>) -> Result<Self, Error> {
        if *request.method() == Method::CONNECT {
            return Err(Error::HttpRequestMethodInvalid);
        }
        let uri = request.uri();
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        let host = authority.host();
        let unbracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        // A port that is no number is no port of `Authority`, and would be left out in silence.
        let has_port = authority.as_str().len() > host.len();
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(Error::HttpRequestUriInvalid);
        }
        let tls = uri.scheme() == Some(&Scheme::HTTPS);
        let port = match authority.port_u16() {
            Some(port) => port,
            None if has_port => return Err(Error::HttpRequestUriInvalid),
            None if tls => 443,
            None => 80,
        };
        let path = match uri.path_and_query() {
            // An empty one calls itself "/" too, and is written as nothing.
            Some(path) if path.as_str() != "/" => path.clone(),
            Some(_) | None => PathAndQuery::from_static("/"),
        };
        let host = unbracketed.unwrap_or(host).to_owned();
        Ok(Self { host, port, tls, origin_form: Uri::from(path) })
    }
}

/// A response's body that gives up when nothing comes for too long.
struct ResponseBody {
    incoming: Incoming,
    between_bytes: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl ResponseBody {
    fn new(incoming: Incoming, between_bytes: Duration) -> Self {
        Self { incoming, between_bytes, timer: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut body.incoming).poll_frame(context) {
            body.timer = None;
            return Poll::Ready(
                frame.map(|frame| frame.map_err(|error| error::of_hyper(error, During::Body))),
            );
        }
        // Counted from when the guest began to wait.
        let timer = body.timer.get_or_insert_with(|| Box::pin(sleep(body.between_bytes)));
        timer.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: Method, uri: &str) -> Result<(String, u16, bool, String), String> {
        let request = Request::builder().method(method).uri(uri).body(()).unwrap();
        let Target { host, port, tls, origin_form } =
            Target::of(&request).map_err(|error| format!("{error:?}"))?;
        Ok((host, port, tls, origin_form.to_string()))
    }

    #[test]
    fn a_request_says_where_it_goes() {
        let to = |uri| target(Method::GET, uri).unwrap();
        let own = |host: &str, port, tls, path: &str| (host.to_owned(), port, tls, path.to_owned());
        assert_eq!(to("http://web/a?b=c"), own("web", 80, false, "/a?b=c"));
        assert_eq!(to("https://web"), own("web", 443, true, "/"));
        assert_eq!(to("http://10.0.0.1:81/"), own("10.0.0.1", 81, false, "/"));
        assert_eq!(to("http://[fd00::2]:81/"), own("fd00::2", 81, false, "/"));
        assert_eq!(to("https://[::1]/"), own("::1", 443, true, "/"));
    }

    #[test]
    fn an_empty_path_is_the_root() {
        let uri = Uri::builder().scheme("http").authority("web").path_and_query("");
        let request = Request::builder().uri(uri.build().unwrap()).body(()).unwrap();
        assert_eq!(Target::of(&request).unwrap().origin_form.to_string(), "/");
    }

    #[test]
    fn what_goes_nowhere_is_refused() {
        let refused = |method, uri| target(method, uri).unwrap_err();
        assert_eq!(refused(Method::GET, "/path"), "HttpRequestUriInvalid");
        assert_eq!(refused(Method::GET, "http://me:secret@web/"), "HttpRequestUriInvalid");
        assert_eq!(refused(Method::CONNECT, "web:80"), "HttpRequestMethodInvalid");
    }
}
