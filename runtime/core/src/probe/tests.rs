//! Probes against servers in the Pod's own network, on a paused clock.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use k8s_openapi::api::core::v1::{Container, Probe};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::sandbox::network::{MeteredStream, NetworkConfig};

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
    serving: impl Fn(MeteredStream) -> Serving + Send + 'static,
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
fn a_command_knows_the_values_of_the_manifest() {
    let container: Container = serde_json::from_value(json!({
        "name": "web",
        "env": [{ "name": "MODE", "value": "deep" }, { "name": "POD", "valueFrom": {} }],
    }))
    .unwrap();
    let probe = json!({ "exec": { "command": ["check", "$(MODE)", "$(POD)", "$$(MODE)"] } });
    let probe: Probe = serde_json::from_value(probe).unwrap();
    let Ok(Handler::Exec(command)) = Handler::of_probe(&probe, &container, IP) else {
        panic!("it is a command");
    };
    assert_eq!(command, ["check", "deep", "$(POD)", "$(MODE)"]);
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

/// Answers health checks of `known` with this status, of others with an error.
fn healthy(network: &Arc<Network>, known: &'static str, status: u8) -> JoinSet<()> {
    let answer = move |request: Request<hyper::body::Incoming>| async move {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        assert_eq!(request.headers()["content-type"], "application/grpc");
        let asked = request.into_body().collect().await.unwrap().to_bytes();
        let response = Response::builder().header("content-type", "application/grpc");
        let mut trailers = HeaderMap::new();
        let body = if asked.ends_with(known.as_bytes()) {
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
            Bytes::from(vec![0, 0, 0, 0, 2, 8, status])
        } else {
            trailers.insert("grpc-status", HeaderValue::from_static("5"));
            trailers.insert("grpc-message", HeaderValue::from_static("unknown service"));
            Bytes::new()
        };
        let body = Full::new(body).with_trailers(async { Some(Ok(trailers)) });
        Ok::<_, std::convert::Infallible>(response.body(body).unwrap())
    };
    serve(network, move |stream| async move {
        let server = http2::Builder::new(TokioExecutor::new());
        // The client goes away when it knows.
        let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
    })
}

async fn check(network: &Arc<Network>, service: &str) -> ProbeAnswer {
    let probe = json!({ "grpc": { "port": 8080, "service": service } });
    ask(network, &handler(probe).unwrap(), SECOND).await
}

#[tokio::test(start_paused = true)]
async fn a_health_service_says_how_it_is() {
    let network = network();
    let server = healthy(&network, "db", 1);
    assert_eq!(check(&network, "db").await, ProbeAnswer::Success);
    let unknown =
        "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service";
    assert_eq!(check(&network, "queue").await, ProbeAnswer::Failure(unknown.to_owned()));
    drop(server);

    let network = self::network();
    let _server = healthy(&network, "", 2);
    let unwell = "service unhealthy (responded with \"NOT_SERVING\")";
    assert_eq!(check(&network, "").await, ProbeAnswer::Failure(unwell.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_no_grpc_is_not_well() {
    let network = network();
    let _server = answering(&network, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let ProbeAnswer::Failure(problem) = check(&network, "").await else {
        panic!("it is no health service");
    };
    assert!(problem.starts_with("error: health rpc probe failed: "), "{problem}");
}

#[tokio::test]
async fn certificates_are_not_verified() {
    let signed = rcgen::generate_simple_self_signed(["elsewhere.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let network = network();
    let _server = serve(&network, move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    let probe = json!({ "port": 8080, "scheme": "HTTPS" });
    let handler = handler(json!({ "httpGet": probe })).unwrap();
    let generous = Duration::from_secs(60);
    assert_eq!(ask(&network, &handler, generous).await, ProbeAnswer::Success);
}
