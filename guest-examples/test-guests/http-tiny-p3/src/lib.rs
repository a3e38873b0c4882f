//! Answers every request with `hello`, by WASI 0.3.

use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{spawn_local, wit_future, wit_stream};

struct Handler;

wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let (mut writer, reader) = wit_stream::new();
        let (_no_trailers, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(Fields::new(), Some(reader), trailers);
        spawn_local(async move {
            // What is left was not taken: the client has gone away.
            let _left = writer.write_all(b"hello\n".to_vec()).await;
        });
        Ok(response)
    }
}
