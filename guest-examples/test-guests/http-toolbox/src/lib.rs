//! A handler that does what the path says, well or badly. WASI 0.2.
//!
//! | path | what happens |
//! |---|---|
//! | `/hello` | a greeting |
//! | `/echo` | the body that came, as it comes |
//! | `/count` | how many requests this instance has served |
//! | `/grpc.health.v1.Health/Check` | how a service is, by its name |
//! | `/headers` | the request's headers, and what it was sent to |
//! | `/trap`, `/trap/soon`, `/trap/late` | a trap before the head, right after it, or in the middle of the body |
//! | `/exit` | ends with an error, without a response |
//! | `/silent` | returns without a response |
//! | `/error` | answers with an error code |
//! | `/unfinished`, `/unfinished/late` | a body that is dropped half written |
//! | `/spin`, `/spin/late` | computes for ever, before the head or after it |
//! | `/sleep/MS`, `/sleep/late/MS` | waits before the head, or after a response with its length |
//! | `/grow/MIB` | makes its memory grow and says by how much |
//! | `/stop` | answers when the container is to stop, with the signal and the minutes that are left |
//! | `/leak/COUNT` | leaves so many resources behind |
//! | `/begin/WORD` | begins a line of the log and does not end it |
//! | `/say/WORD` | writes a line to the log, in two pieces with a moment between them |
//! | `/stream/KIB` | so much in writes of 4 KiB |
//! | `/get/URL` | asks elsewhere and passes the answer on |

mod health;
mod outgoing;
mod trouble;

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse,
    ResponseOutparam,
};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

static SERVED: AtomicU32 = AtomicU32::new(0);

struct Handler;

wasip2::http::proxy::export!(Handler);

impl wasip2::exports::http::incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
        let path = request.path_with_query().unwrap_or_default();
        let mut words = path.trim_start_matches('/').splitn(2, '/');
        let (word, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match (word, rest) {
            ("hello", _) => answer(outparam, 200, "hello\n"),
            ("echo", _) => echo(request, outparam),
            ("count", _) => answer(outparam, 200, &format!("{served}\n")),
            ("grpc.health.v1.Health", "Check") => health::check(request, outparam),
            ("headers", _) => answer(outparam, 200, &headers(&request)),
            ("error", _) => ResponseOutparam::set(outparam, Err(ErrorCode::ConfigurationError)),
            ("silent", _) => {}
            ("sleep", rest) => sleep(rest, outparam),
            ("begin", word) => {
                let mut log = std::io::stdout();
                let _ = log.write_all(word.as_bytes()).and_then(|()| log.flush());
                answer(outparam, 200, "begun\n");
            }
            ("say", word) => {
                let mut log = std::io::stdout();
                let _ = log.write_all(b"said ").and_then(|()| log.flush());
                subscribe_duration(trouble::MOMENT).block();
                println!("{word}");
                answer(outparam, 200, "said\n");
            }
            ("stop", _) => stop(outparam),
            ("leak", count) => {
                for _ in 0..count.parse().unwrap_or(0) {
                    std::mem::forget(Fields::new());
                }
                answer(outparam, 200, "leaked\n");
            }
            ("stream", kib) => stream(kib.parse().unwrap_or(0), outparam),
            ("get", url) => outgoing::get(url, outparam),
            _ => trouble::make(word, rest, outparam),
        }
    }
}

fn answer(outparam: ResponseOutparam, status: u16, text: &str) {
    let (stream, body) = begin(outparam, status, Some(text.len()));
    let _ = write(&stream, text.as_bytes());
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}

/// Sends the head.
fn begin(
    outparam: ResponseOutparam,
    status: u16,
    length: Option<usize>,
) -> (OutputStream, OutgoingBody) {
    let headers = Fields::new();
    if let Some(length) = length {
        let value = length.to_string().into_bytes();
        headers.append("content-length", &value).expect("a header that may be set");
    }
    let response = OutgoingResponse::new(headers);
    response.set_status_code(status).expect("a status");
    let body = response.body().expect("the body is taken once");
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().expect("the stream is taken once");
    (stream, body)
}

fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    bytes.chunks(4096).try_for_each(|chunk| stream.blocking_write_and_flush(chunk))
}

fn echo(request: IncomingRequest, outparam: ResponseOutparam) {
    let incoming = request.consume().expect("the body is taken once");
    let input = incoming.stream().expect("the stream is taken once");
    let (output, body) = begin(outparam, 200, None);
    if copy(&input, &output).is_err() {
        return;
    }
    drop(input);
    drop(IncomingBody::finish(incoming));
    drop(output);
    let _ = OutgoingBody::finish(body, None);
}

/// Copies all of `input`. After an error the body should be dropped half written: that tells the
/// client that something went wrong.
fn copy(input: &InputStream, output: &OutputStream) -> Result<(), StreamError> {
    loop {
        match input.blocking_read(1 << 16) {
            Ok(bytes) => write(output, &bytes)?,
            Err(StreamError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn headers(request: &IncomingRequest) -> String {
    let authority = request.authority().unwrap_or_default();
    let mut text = format!("{:?} {:?} to {authority}\n", request.method(), request.scheme());
    for (name, value) in request.headers().entries() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    text
}

fn sleep(words: &str, outparam: ResponseOutparam) {
    let (late, milliseconds) = match words.strip_prefix("late/") {
        Some(milliseconds) => (true, milliseconds),
        None => (false, words),
    };
    let nanoseconds = milliseconds.parse::<u64>().unwrap_or(0) * 1_000_000;
    if late {
        answer(outparam, 200, "first\n");
        subscribe_duration(nanoseconds).block();
        println!("slept");
    } else {
        subscribe_duration(nanoseconds).block();
        answer(outparam, 200, "slept\n");
    }
}

fn stop(outparam: ResponseOutparam) {
    println!("waiting");
    let request = wasmpod_guest::p2::stop::wait();
    let minutes = request.grace.as_secs().div_ceil(60);
    answer(outparam, 200, &format!("{}, {minutes} min\n", request.signal));
}

fn stream(kib: usize, outparam: ResponseOutparam) {
    let (stream, body) = begin(outparam, 200, None);
    for _ in 0..kib / 4 {
        if stream.blocking_write_and_flush(&[b'x'; 4096]).is_err() {
            println!("the client has gone away");
            return;
        }
    }
    drop(stream);
    let _ = OutgoingBody::finish(body, None);
}
