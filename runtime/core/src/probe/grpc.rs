//! `grpc`: one call of the health protocol, `grpc.health.v1.Health/Check`.
//!
//! The call is one message each way, and a message one field; a library for it would be the largest
//! part of this program that nearly no Pod uses.
//!
//! Rule: the gRPC health checking protocol, and gRPC over HTTP/2.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::OUTPUT;
use super::dial::dial;
use super::handler::Target;
use super::http::beside;
use crate::error::chain;
use crate::lifecycle::ProbeAnswer;
use crate::sandbox::network::Endpoint;

/// `grpc-status` of a call that went well, and of a method that the server does not have.
const OK: &str = "0";
const UNIMPLEMENTED: &str = "12";

/// Asks whether `service` is well; the empty one is the server as a whole.
pub(super) async fn check(endpoint: &Endpoint, to: &Target, service: &str) -> ProbeAnswer {
    let stream = match dial(endpoint, &to.host, to.port).await {
        Ok(stream) => stream,
        Err(problem) => {
            let problem =
                format!("error: failed to connect service at {:?}: {problem}", to.to_string());
            return ProbeAnswer::Failure(problem);
        }
    };
    let failed = |problem: String| {
        ProbeAnswer::Failure(format!("error: health rpc probe failed: {problem}"))
    };
    let tasks = Arc::default();
    let executor = Tasks(Arc::downgrade(&tasks));
    let handshake = http2::handshake(executor, TokioIo::new(stream)).await;
    let (mut sender, connection) = match handshake {
        Ok(connected) => connected,
        Err(error) => return failed(chain(&error)),
    };
    let talk = async {
        let response = sender.send_request(request(to, service)).await.map_err(|e| chain(&e))?;
        outcome(response).await
    };
    match beside(connection, talk).await {
        Ok(Outcome::Status(1)) => ProbeAnswer::Success,
        Ok(Outcome::Status(status)) => {
            let name = status_name(status);
            ProbeAnswer::Failure(format!("service unhealthy (responded with {name:?})"))
        }
        Ok(Outcome::Refused { code, message }) if code == UNIMPLEMENTED => {
            ProbeAnswer::Failure(format!(
                "error: this server does not implement the grpc health protocol \
                 (grpc.health.v1.Health): {message}"
            ))
        }
        Ok(Outcome::Refused { code, message }) => {
            failed(format!("rpc error: code = {} desc = {message}", code_name(&code)))
        }
        Err(problem) => failed(problem),
    }
}

/// Where the tasks of a connection go: they end with whoever holds the set.
#[derive(Clone)]
struct Tasks(Weak<Mutex<JoinSet<()>>>);

impl<Work: Future<Output = ()> + Send + 'static> Executor<Work> for Tasks {
    fn execute(&self, work: Work) {
        if let Some(tasks) = self.0.upgrade() {
            tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(work);
        }
    }
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// `HealthCheckResponse.status`
    Status(u64),
    /// The call failed.
    Refused { code: String, message: String },
}

fn request(to: &Target, service: &str) -> Request<Full<Bytes>> {
    let message = encode(service);
    let mut framed = vec![0]; // not compressed
    framed.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend(message);
    Request::post(format!("http://{to}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", super::handler::PROBE_AGENT)
        .body(Full::new(framed.into()))
        .expect("an address and constants")
}

async fn outcome(response: Response<Incoming>) -> Result<Outcome, String> {
    let (head, body) = response.into_parts();
    // An answer without a message has its trailers in the head.
    if let Some(refused) = refusal(&head.headers) {
        return Ok(refused);
    }
    if !head.status.is_success() {
        return Err(format!("unexpected HTTP status code received from server: {}", head.status));
    }
    let body = Limited::new(body, OUTPUT).collect().await.map_err(|error| error.to_string())?;
    if let Some(refused) = body.trailers().and_then(refusal) {
        return Ok(refused);
    }
    decode(body.to_bytes()).map(Outcome::Status).ok_or_else(|| "malformed response".to_owned())
}

fn refusal(headers: &HeaderMap) -> Option<Outcome> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let code = text("grpc-status").filter(|code| *code != OK)?.into_owned();
    Some(Outcome::Refused { code, message: text("grpc-message").unwrap_or_default().into_owned() })
}

/// `HealthCheckRequest { string service = 1; }`
fn encode(service: &str) -> Vec<u8> {
    if service.is_empty() {
        return Vec::new();
    }
    let mut message = vec![1 << 3 | 2];
    let mut length = service.len();
    while length > 0x7f {
        message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    message.push(u8::try_from(length).unwrap_or_default());
    message.extend(service.as_bytes());
    message
}

/// `HealthCheckResponse { ServingStatus status = 1; }` in its frame; fields of later versions are
/// passed over.
fn decode(mut body: Bytes) -> Option<u64> {
    if body.try_get_u8().ok()? != 0 {
        return None;
    }
    let length = usize::try_from(body.try_get_u32().ok()?).ok()?;
    if length > body.len() {
        return None;
    }
    let mut message = body.split_to(length);
    let mut status = 0;
    while message.has_remaining() {
        let tag = varint(&mut message)?;
        match (tag >> 3, tag & 7) {
            (1, 0) => status = varint(&mut message)?,
            (_, 0) => drop(varint(&mut message)?),
            (_, 1) => skip(&mut message, 8)?,
            (_, 2) => {
                let length = varint(&mut message)?;
                skip(&mut message, usize::try_from(length).ok()?)?;
            }
            (_, 5) => skip(&mut message, 4)?,
            _ => return None,
        }
    }
    Some(status)
}

fn varint(bytes: &mut Bytes) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn skip(bytes: &mut Bytes, count: usize) -> Option<()> {
    (count <= bytes.len()).then(|| bytes.advance(count))
}

fn status_name(status: u64) -> String {
    match status {
        0 => "UNKNOWN".to_owned(),
        1 => "SERVING".to_owned(),
        2 => "NOT_SERVING".to_owned(),
        3 => "SERVICE_UNKNOWN".to_owned(),
        other => other.to_string(),
    }
}

/// As Go's gRPC writes them.
fn code_name(code: &str) -> &str {
    const NAMES: [&str; 17] = [
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    ];
    code.parse::<usize>().ok().and_then(|code| NAMES.get(code)).copied().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(message: &[u8]) -> Bytes {
        let mut framed = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
        framed.extend(message);
        framed.into()
    }

    #[test]
    fn messages_are_those_of_protobuf() {
        assert_eq!(encode(""), b"");
        assert_eq!(encode("db"), b"\x0a\x02db");
        assert_eq!(encode(&"x".repeat(300))[..3], [0x0a, 0xac, 0x02]);
        assert_eq!(decode(framed(b"\x08\x01")), Some(1));
        assert_eq!(decode(framed(b"")), Some(0));
        assert_eq!(decode(framed(b"\x12\x02ab\x08\x02\x1d\x00\x00\x00\x00")), Some(2));
    }

    #[test]
    fn what_is_no_message_is_no_status() {
        for wrong in [&b""[..], b"\x01\x00\x00\x00\x00", b"\x00\x00\x00\x00\x05\x08\x01"] {
            assert_eq!(decode(Bytes::copy_from_slice(wrong)), None, "{wrong:?}");
        }
        assert_eq!(decode(framed(b"\x08")), None);
        assert_eq!(decode(framed(b"\x12\x09a")), None);
        assert_eq!(decode(framed(&[0xff; 12])), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            decode(bytes.into());
        }
    }
}
