//! One connection: HTTP/1.1 with keep-alive and pipelining, or HTTP/2.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;

use super::body::ResponseBody;
use super::crowd::Crowd;
use super::handler::Handler;
use super::protocol::{Protocol, Rewound, detect};
use super::request::answer;
use super::timer::ConnectionTimer;
use crate::executor::Account;
use crate::resources::memory::Held;
use crate::sandbox::network::{Accepted, Taken};

/// How long a client may take for the head of a request, or do nothing between two requests.
const HEAD_WITHIN: Duration = Duration::from_secs(60);

/// The same for a connection that is accepted while the container stops.
const LAST_HEAD_WITHIN: Duration = Duration::from_secs(1);

/// Requests that one HTTP/2 connection may have open at once.
const MOST_STREAMS: u32 = 100;

/// What a connection may have read ahead of its guest; the head of a request must fit in.
const BUFFER: usize = 64 << 10;

/// What the host holds for a connection.
pub(super) const CONNECTION: usize = BUFFER;

/// What an HTTP/2 client may send before a guest has read any of it: for one request, and for all.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;

/// Serves a connection until it ends, or its last request is answered after a stop.
pub(crate) async fn serve(handler: Arc<Handler>, account: Account, taken: Taken, held: Held) {
    // Opened here and not where it was accepted: the worker that polls this task first is the one
    // that the kernel's events will wake.
    let Ok(Accepted { stream, membership, .. }) = taken.open() else { return };
    stream.send_at_once();
    let last = handler.stopping.is_cancelled();
    let head_within = if last { LAST_HEAD_WITHIN } else { HEAD_WITHIN };
    let detected = tokio::select! {
        biased;
        // Nothing was begun: not even a byte has come.
        () = handler.stopping.cancelled(), if !last => return,
        detected = timeout(head_within, detect(stream)) => detected,
    };
    let Ok(Ok((protocol, stream))) = detected else { return };
    let outcome = match protocol {
        Protocol::Http1 => serve_http1(&handler, stream, head_within, last).await,
        Protocol::Http2 => serve_http2(&handler, stream, account).await,
    };
    if let Err(error) = outcome {
        // The client went away, spoke no HTTP, or got only a part of a response.
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
    drop((membership, held));
}

async fn serve_http1(
    handler: &Arc<Handler>,
    stream: Rewound,
    head_within: Duration,
    last: bool,
) -> hyper::Result<()> {
    let (timer, mut watch) = ConnectionTimer::new(head_within);
    let mut builder = http1::Builder::new();
    builder.timer(timer).header_read_timeout(head_within).max_buf_size(BUFFER);
    // Not `pipeline_flush`: it swallows the answer to a request that cannot be parsed.
    builder.keep_alive(!last);
    // It would be the host's date.
    builder.auto_date_header(handler.setup.clock.is_real());
    let connection = builder.serve_connection(TokioIo::new(stream), service(handler));
    let mut connection = pin!(connection);
    let mut stop = pin!(handler.stopping.cancelled());
    let mut stopping = last;
    poll_fn(|context| {
        watch.poll(context);
        if !stopping && stop.as_mut().poll(context).is_ready() {
            stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    })
    .await
}

async fn serve_http2(
    handler: &Arc<Handler>,
    stream: Rewound,
    account: Account,
) -> hyper::Result<()> {
    let streams = Arc::new(Crowd::new(account));
    let mut builder = http2::Builder::new(Streams(streams.clone()));
    builder.timer(TokioTimer::new()).max_concurrent_streams(MOST_STREAMS);
    builder.initial_stream_window_size(STREAM_WINDOW).max_send_buf_size(BUFFER);
    builder.initial_connection_window_size(CONNECTION_WINDOW);
    builder.auto_date_header(handler.setup.clock.is_real());
    // A client that is gone without a word is noticed.
    builder.keep_alive_interval(HEAD_WITHIN).keep_alive_timeout(HEAD_WITHIN);
    let connection = builder.serve_connection(TokioIo::new(stream), service(handler));
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        outcome = connection.as_mut() => return outcome,
        () = handler.stopping.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

fn service(
    handler: &Arc<Handler>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response<ResponseBody>,
    Error = Infallible,
    Future: Future<Output = Result<Response<ResponseBody>, Infallible>> + Send,
> + use<> {
    let handler = handler.clone();
    service_fn(move |request| {
        let answer = answer(handler.clone(), request);
        async move { Ok(answer.await) }
    })
}

/// The requests of an HTTP/2 connection side by side, each a task; they end with the connection.
#[derive(Clone)]
struct Streams(Arc<Crowd>);

impl<Stream: Future<Output = ()> + Send + 'static> Executor<Stream> for Streams {
    fn execute(&self, stream: Stream) {
        self.0.spawn(stream);
    }
}
