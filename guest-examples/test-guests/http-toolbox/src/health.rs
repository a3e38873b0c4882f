//! The gRPC health protocol: `/grpc.health.v1.Health/Check`. A service whose name says `ill` does not
//! serve, one whose name says `silent` never answers, every other is well.

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

use crate::write;

pub(crate) fn check(request: IncomingRequest, outparam: ResponseOutparam) {
    let incoming = request.consume().expect("the body is taken once");
    let input = incoming.stream().expect("the stream is taken once");
    let mut question = Vec::new();
    while let Ok(bytes) = input.blocking_read(4096) {
        question.extend(bytes);
    }
    let says = |word: &[u8]| question.windows(word.len()).any(|part| part == word);
    if says(b"silent") {
        subscribe_duration(u64::MAX).block();
    }
    let status = if says(b"ill") { 2 } else { 1 };
    let fields = |name: &str, value: &str| {
        let fields = Fields::new();
        fields.append(name, value.as_bytes()).expect("a header that may be set");
        fields
    };
    let response = OutgoingResponse::new(fields("content-type", "application/grpc"));
    let body = response.body().expect("the body is taken once");
    ResponseOutparam::set(outparam, Ok(response));
    let stream = body.write().expect("the stream is taken once");
    let _ = write(&stream, &[0, 0, 0, 0, 2, 1 << 3, status]);
    drop(stream);
    let _ = OutgoingBody::finish(body, Some(fields("grpc-status", "0")));
}
