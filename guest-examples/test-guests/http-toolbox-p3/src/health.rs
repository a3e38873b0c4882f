//! The gRPC health protocol: `/grpc.health.v1.Health/Check`. A service whose name says `ill` does not
//! serve, one whose name says `silent` never answers, every other is well.

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::{Fields, Request, Response};
use wasip3::{spawn_local, wit_future, wit_stream};

pub(crate) async fn check(request: Request) -> Response {
    let (_consumed, outcome) = wit_future::new(|| Ok(()));
    let (body, _trailers) = Request::consume_body(request, outcome);
    let question = body.collect().await;
    let says = |word: &[u8]| question.windows(word.len()).any(|part| part == word);
    if says(b"silent") {
        wait_for(u64::MAX).await;
    }
    let status = if says(b"ill") { 2 } else { 1 };
    let (trailers, reader) = wit_future::new(|| Ok(None));
    let (mut writer, body) = wit_stream::new();
    spawn_local(async move {
        let _left = writer.write_all(vec![0, 0, 0, 0, 2, 1 << 3, status]).await;
        drop(writer);
        let _ = trailers.write(Ok(Some(fields("grpc-status", "0")))).await;
    });
    let head = fields("content-type", "application/grpc");
    let (response, _sent) = Response::new(head, Some(body), reader);
    response
}

fn fields(name: &str, value: &str) -> Fields {
    let fields = Fields::new();
    fields.append(name, value.as_bytes()).expect("a header that may be set");
    fields
}
