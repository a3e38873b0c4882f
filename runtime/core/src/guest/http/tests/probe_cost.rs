//! What a probe of a handler costs beside a request that somebody makes in the same process.
//!
//! `cargo test --release --workspace --lib probe_cost -- --ignored --nocapture`

use std::time::{Duration, Instant};

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;

use super::{Bytes, PORT, World};
use crate::lifecycle::ProbeAnswer;
use crate::probe::{self, Handler};

const CALLS: usize = 2000;

#[tokio::test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn probe_cost() {
    let world = World::new();
    let _handler = world.start("http_tiny").await;
    let probe = json!({ "httpGet": { "path": "/", "port": PORT, "host": "127.0.0.1" } });
    let probe = serde_json::from_value(probe).unwrap();
    let container = serde_json::from_value(json!({ "name": "web" })).unwrap();
    let handler = Handler::of_probe(&probe, &container, [127, 0, 0, 1].into()).unwrap();
    let (mut direct, mut probed) = (Vec::new(), Vec::new());
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let mut before = 0;
    // One after the other, so that both meet the same machine; the first ones warm it up.
    for call in 0..2 * CALLS {
        if call == CALLS {
            direct.clear();
            probed.clear();
            before = threads();
        }
        let start = Instant::now();
        request(&world).await;
        direct.push(start.elapsed());
        let start = Instant::now();
        let answer = probe::ask(&world.network, &handler, Duration::from_secs(5)).await;
        probed.push(start.elapsed());
        assert_eq!(answer, ProbeAnswer::Success);
    }
    let (direct, probed) = (median(direct), median(probed));
    let ratio = probed.as_secs_f64() / direct.as_secs_f64();
    let more = threads() - before;
    println!("request {direct:?}, probe {probed:?}: {ratio:.2}; {more} more threads");
}

/// A connection, a request, its whole answer.
async fn request(world: &World) {
    let stream = world.network.connect(PORT).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let request = Request::get("/").header("host", "pod").body(Empty::<Bytes>::new()).unwrap();
    let exchange = async {
        let response = sender.send_request(request).await.unwrap();
        response.into_body().collect().await.unwrap();
        drop(sender);
    };
    let (_, ended) = tokio::join!(exchange, connection);
    ended.unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
