//! Answers every request with 128 KiB in 32 writes, by WASI 0.3.

use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::{spawn_local, wit_future, wit_stream};

const CHUNK: [u8; 4096] = [b'x'; 4096];
const CHUNKS: usize = 32;

struct Handler;

wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(_request: Request) -> Result<Response, ErrorCode> {
        let (mut writer, reader) = wit_stream::new();
        let (_no_trailers, trailers) = wit_future::new(|| Ok(None));
        let (response, _sent) = Response::new(Fields::new(), Some(reader), trailers);
        spawn_local(async move {
            for _ in 0..CHUNKS {
                let left = writer.write_all(CHUNK.to_vec()).await;
                // What is left was not taken: the client has gone away.
                if !left.is_empty() {
                    break;
                }
            }
        });
        Ok(response)
    }
}
