//! A real Pod, asked over its socket.

mod attached;
mod crowded;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use k8s_openapi::api::core::v1::PodStatus;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;
use wasmpod::image::Compiler;
use wasmpod::manifest::{self, Source};
use wasmpod::pod::{Folders, Host, Pod, PodBuilder};
use wasmpod::worker::PodHandle;

use super::*;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Sleeps for ever.
const IDLE: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i64.store (i32.const 24) (i64.const 1000000000000))
        (i32.store (i32.const 16) (i32.const 1))
        (loop (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
            (br 0))))"#;

/// Copies its input to its output, up to the end, then writes `end` to its errors and ends with 3. As a
/// command of its own, `columns` is the width of its terminal.
const COPY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasmpod_terminal" "size" (func $size (result i32)))
    (import "wasmpod_terminal" "set_raw" (func $set_raw (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 512) "end\n")
    (func (export "columns") (result i32) (i32.and (call $size) (i32.const 0xffff)))
    (func (export "raw") (result i32)
        (drop (call $set_raw (i32.const 1)))
        (i32.store (i32.const 16) (i32.const 1024))
        (i32.store (i32.const 20) (i32.const 1))
        (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
        (i32.load8_u (i32.const 1024)))
    (func (export "_start")
        (block $end (loop $more
            (i32.store (i32.const 16) (i32.const 1024))
            (i32.store (i32.const 20) (i32.const 16384))
            (br_if $end (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
            (br_if $end (i32.eqz (i32.load (i32.const 24))))
            (i32.store (i32.const 20) (i32.load (i32.const 24)))
            (br_if $end (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 28)))
            (br $more)))
        (i32.store (i32.const 16) (i32.const 512))
        (i32.store (i32.const 20) (i32.const 4))
        (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 28)))
        (call $exit (i32.const 3))))"#;

pub(crate) fn pod(root: &Path, spec: &str) -> Pod {
    std::fs::write(root.join("idle.wat"), IDLE).unwrap();
    std::fs::write(root.join("copy.wat"), COPY).unwrap();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: idle}}\nspec: {spec}");
    let name = root.join("pod.yaml").display().to_string();
    let mut manifest = manifest::load(&[Source { name, bytes: text.into_bytes() }]).unwrap();
    let host = Host::builder(Folders::find(Some(root)).unwrap());
    let host = host.compiler(Compiler::InProcess).build().unwrap();
    PodBuilder::new(&host, manifest.pods.remove(0)).build().unwrap()
}

async fn until(handle: &PodHandle, wanted: impl Fn(&PodStatus) -> bool) {
    let mut status = handle.status();
    let reached = timeout(PATIENCE, status.wait_for(|status| wanted(status)));
    reached.await.expect("in time").expect("the Pod still lives");
}

fn restarts(status: &PodStatus) -> i32 {
    status.container_statuses.iter().flatten().map(|container| container.restart_count).sum()
}

#[tokio::test]
async fn a_pod_is_asked_and_told_over_its_socket() {
    let root = tempfile::tempdir().unwrap();
    let pod = pod(root.path(), "{containers: [{name: web, image: ./idle.wat}]}");
    let handle = pod.handle();
    let socket = root.path().join("sockets/pod.api");
    let server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    let client = PodClient::new(&socket);
    let talk = async {
        until(&handle, |status| status.phase.as_deref() == Some("Running")).await;
        let object = client.status().await.unwrap();
        assert_eq!(object.metadata.name.as_deref(), Some("idle"));
        assert_eq!(object.status.unwrap().phase.as_deref(), Some("Running"));

        let stats = client.stats().await.unwrap();
        assert_eq!(stats.containers[0].name, "web");
        assert_eq!(stats.containers[0].memory.working_set_bytes, 65_536);

        let eviction = Eviction { message: "it holds too much".to_owned() };
        let refused = client.evict_container("db", &eviction).await.unwrap_err();
        assert_eq!(refused.to_string(), "container db is not valid for pod idle");
        client.evict_container("web", &eviction).await.unwrap();
        until(&handle, |status| restarts(status) == 1).await;
        let status = client.status().await.unwrap().status.unwrap();
        let last = status.container_statuses.unwrap().remove(0).last_state.unwrap();
        let last = last.terminated.unwrap();
        assert_eq!((last.exit_code, last.reason.as_deref()), (137, Some("OOMKilled")));
        assert_eq!(last.message.as_deref(), Some("it holds too much"));

        client.evict(&eviction).await.unwrap();
    };
    let (finished, ()) = tokio::join!(pod.run(), talk);
    assert_eq!(finished.status.reason.as_deref(), Some("Evicted"));
    assert_eq!(finished.status.message.as_deref(), Some("it holds too much"));
    drop(server);
    assert!(!socket.exists());
    assert!(matches!(client.status().await, Err(ClientError::Gone { .. })));
}

#[tokio::test]
async fn nonsense_is_refused_in_the_words_of_the_api() {
    let root = tempfile::tempdir().unwrap();
    let pod = pod(root.path(), "{containers: [{name: web, image: ./idle.wat}]}");
    let socket = root.path().join("sockets/pod.api");
    let _server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let client = PodClient::new(&socket);
    let code = async |method: Method, path: &str, body: &'static str| match client
        .call::<Value>(method, path, Bytes::from_static(body.as_bytes()))
        .await
    {
        Err(ClientError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(Method::GET, "/secrets", "").await, StatusCode::NOT_FOUND);
    assert_eq!(code(Method::GET, "/evict", "").await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(code(Method::POST, "/evict", "{").await, StatusCode::BAD_REQUEST);
    assert_eq!(code(Method::POST, "/evict", "{}").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_caller_that_sends_too_much_is_cut_off_and_the_others_are_answered() {
    let root = tempfile::tempdir().unwrap();
    let pod = pod(root.path(), "{containers: [{name: web, image: ./idle.wat}]}");
    let socket = root.path().join("sockets/pod.api");
    let _server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let mut endless = UnixStream::connect(&socket).await.unwrap();
    // It may be cut off while it still writes.
    let _ = endless.write_all(b"GET /status HTTP/1.1\r\nx: ").await;
    let _ = endless.write_all(&[b'a'; 1 << 20]).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, endless.read_to_end(&mut answer)).await.expect("it is cut off");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    let silent: Vec<UnixStream> = futures::future::join_all(
        (0..8).map(|_| async { UnixStream::connect(&socket).await.unwrap() }),
    )
    .await;
    let object = PodClient::new(&socket).status().await.unwrap();
    assert_eq!(object.metadata.name.as_deref(), Some("idle"));
    drop(silent);
}
