//! Probes against servers in the Pod's own network, on a paused clock.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Probe};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::*;
use crate::sandbox::network::{NetworkConfig, Stream};

const IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 244, 0, 2));
const SECOND: Duration = Duration::from_secs(1);

fn network() -> Arc<Network> {
    Network::new(NetworkConfig::new("pod", vec![IP]))
}

fn container() -> Container {
    let ports = json!([{ "name": "http", "containerPort": 8080 }]);
    serde_json::from_value(json!({ "name": "web", "ports": ports })).unwrap()
}

fn handler(probe: Value) -> Result<Handler, HandlerError> {
    let probe: Probe = serde_json::from_value(probe).unwrap();
    Handler::of_probe(&probe, &container(), IP)
}

/// Serves connections to port 8080 until it is dropped.
fn serve<Serving: Future<Output = ()> + Send + 'static>(
    network: &Arc<Network>,
    serving: impl Fn(Stream) -> Serving + Send + 'static,
) -> JoinSet<()> {
    let endpoint = network.endpoint();
    let listener = endpoint.listen_any(8080).unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        // As long as the endpoint lives the port is open.
        let _endpoint = endpoint;
        let mut connections = JoinSet::new();
        while let Ok(accepted) = listener.accept().await {
            connections.spawn(serving(accepted.stream));
        }
    });
    server
}

/// Answers each request of a connection with these bytes, whatever it asks.
fn answering(network: &Arc<Network>, answer: &'static str) -> JoinSet<()> {
    serve(network, move |mut stream| async move {
        let mut request = [0; 1024];
        while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
}

async fn get(network: &Arc<Network>, probe: Value) -> ProbeAnswer {
    ask(network, &handler(json!({ "httpGet": probe })).unwrap(), SECOND).await
}

#[tokio::test(start_paused = true)]
async fn the_status_of_an_answer_is_the_answer() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", ProbeAnswer::Success),
        ("HTTP/1.1 204 No Content\r\n\r\n", ProbeAnswer::Success),
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            ProbeAnswer::Failure("HTTP probe failed with statuscode: 503".to_owned()),
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 3\r\n\r\nbye",
            ProbeAnswer::Warning("Probe terminated redirects, Response body: bye".to_owned()),
        ),
        (
            "HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n",
            ProbeAnswer::Failure(
                "Get \"http://10.244.0.2:8080/\": stopped after 10 redirects".to_owned(),
            ),
        ),
        (
            "HTTP/1.1 304 Not Modified\r\n\r\n",
            ProbeAnswer::Warning("Probe terminated redirects, Response body: ".to_owned()),
        ),
    ] {
        let network = network();
        let _server = answering(&network, answer);
        assert_eq!(get(&network, json!({ "port": "http" })).await, expected, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_speaks_no_http_is_not_well() {
    let network = network();
    let _server = answering(&network, "SSH-2.0-guest\r\n");
    let ProbeAnswer::Failure(problem) = get(&network, json!({ "port": 8080 })).await else {
        panic!("a garbled answer is a failure");
    };
    assert!(problem.starts_with("Get \"http://10.244.0.2:8080/\": "), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn a_body_without_an_end_is_read_to_its_bound() {
    let network = network();
    let _server = serve(&network, |mut stream| async move {
        let head = "HTTP/1.1 500 Internal Server Error\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(head.as_bytes()).await;
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    });
    let expected = ProbeAnswer::Failure("HTTP probe failed with statuscode: 500".to_owned());
    assert_eq!(get(&network, json!({ "port": 8080 })).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_accepts_and_says_nothing_times_out() {
    let network = network();
    let _server = serve(&network, |stream| async move {
        let _held = stream;
        std::future::pending().await
    });
    let expected = "Get \"http://10.244.0.2:8080/slow\": context deadline exceeded \
                    (Client.Timeout exceeded while awaiting headers)";
    assert_eq!(
        get(&network, json!({ "path": "/slow", "port": 8080 })).await,
        ProbeAnswer::Failure(expected.to_owned())
    );
    let grpc = handler(json!({ "grpc": { "port": 8080 } })).unwrap();
    let expected = "timeout: health rpc did not complete within 1s";
    assert_eq!(ask(&network, &grpc, SECOND).await, ProbeAnswer::Failure(expected.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_a_failure_of_each_kind() {
    let network = network();
    let refused = "dial tcp 10.244.0.2:8080: connect: connection refused";
    for (probe, expected) in [
        (json!({ "tcpSocket": { "port": "http" } }), refused.to_owned()),
        (
            json!({ "httpGet": { "path": "healthy", "port": "http" } }),
            format!("Get \"http://10.244.0.2:8080/healthy\": {refused}"),
        ),
        (
            json!({ "grpc": { "port": 8080 } }),
            format!("error: failed to connect service at \"10.244.0.2:8080\": {refused}"),
        ),
    ] {
        let handler = handler(probe).unwrap();
        assert_eq!(ask(&network, &handler, SECOND).await, ProbeAnswer::Failure(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_enough_for_tcp() {
    let network = network();
    let _server = answering(&network, "");
    for host in [None, Some("127.0.0.1"), Some("localhost")] {
        let handler = handler(json!({ "tcpSocket": { "host": host, "port": 8080 } })).unwrap();
        assert_eq!(ask(&network, &handler, SECOND).await, ProbeAnswer::Success, "{host:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_request_is_a_kubelets() {
    let network = network();
    let (heard, mut hear) = tokio::sync::mpsc::channel(1);
    let _server = serve(&network, move |mut stream| {
        let heard = heard.clone();
        async move {
            let mut request = vec![0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            request.truncate(length);
            heard.send(String::from_utf8(request).unwrap()).await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let headers =
        json!([{ "name": "Host", "value": "kuard.example" }, { "name": "X-A", "value": "b" }]);
    get(&network, json!({ "path": "/ready?full=1", "port": 8080, "httpHeaders": headers })).await;
    let request = hear.recv().await.unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(request.replace("\r\n", "\n"), @r"
    GET /ready?full=1 HTTP/1.1
    host: kuard.example
    x-a: b
    user-agent: kube-probe/wasmpod-VERSION
    accept: */*
    connection: close
    ");
}

#[test]
fn a_port_that_is_not_there_is_no_answer() {
    for (probe, expected) in [
        (json!({ "httpGet": { "port": "admin" } }), "port admin not found"),
        (json!({ "tcpSocket": { "port": 0 } }), "invalid port number: 0"),
        (json!({ "tcpSocket": { "port": 70_000 } }), "invalid port number: 70000"),
        (json!({}), "missing probe handler for web"),
    ] {
        assert_eq!(handler(probe).unwrap_err().to_string(), expected);
    }
    assert!(matches!(
        handler(json!({ "tcpSocket": { "port": "9090" } })),
        Ok(Handler::Tcp(Target { port: 9090, .. }))
    ));
}
