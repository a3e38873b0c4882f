//! Many clients, and bad ones.

use tokio::net::UnixStream;
use wasmpod::pod::ExecRequest;

use super::*;

fn copy() -> ExecRequest {
    ExecRequest {
        command: vec!["copy.wat".to_owned()],
        stdin: true,
        stdout: true,
        stderr: true,
        terminal: None,
    }
}

#[tokio::test]
async fn a_status_is_answered_beside_forty_streams() {
    let root = tempfile::tempdir().unwrap();
    let pod = pod(root.path(), "{containers: [{name: web, image: ./copy.wat, stdin: true}]}");
    let handle = pod.handle();
    let socket = root.path().join("sockets/pod.api");
    let server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let client = PodClient::new(&socket);
    let talk = async {
        until(&handle, |status| status.phase.as_deref() == Some("Running")).await;
        let mut sessions = Vec::new();
        for _ in 0..40 {
            sessions.push(client.exec("web", &copy()).await.unwrap());
        }
        let _attached = client.attach("web", false).await.unwrap();
        client.status().await.unwrap();
        for (number, (writer, _)) in sessions.iter_mut().enumerate() {
            writer.write_all(format!("{number}").into()).await.unwrap();
            writer.end().await.unwrap();
        }
        for (number, (_, reader)) in sessions.iter_mut().enumerate() {
            let mut events = Vec::new();
            while !matches!(events.last(), Some(SessionEvent::End(_))) {
                events.push(timeout(PATIENCE, reader.next()).await.expect("in time").unwrap());
            }
            let expected = [
                SessionEvent::Stdout(format!("{number}").into()),
                SessionEvent::Stderr("end\n".into()),
                SessionEvent::End(Sessioned::ExitCode { code: 3, message: None }),
            ];
            assert_eq!(events, expected);
        }
        // A run that ends takes its commands with it.
        let (_writer, mut reader) = client.exec("web", &copy()).await.unwrap();
        handle.kill().await;
        let end = timeout(PATIENCE, reader.next()).await.expect("in time").unwrap();
        assert_eq!(end, SessionEvent::End(Sessioned::ExitCode { code: 137, message: None }));
    };
    tokio::join!(pod.run(), talk);
    server.finish().await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_stream_is_asked_for_as_one() {
    let root = tempfile::tempdir().unwrap();
    let pod = pod(root.path(), "{containers: [{name: web, image: ./idle.wat}]}");
    let socket = root.path().join("sockets/pod.api");
    let _server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let client = PodClient::new(&socket);
    let refused = async |path: &str| {
        let answer = client.call::<Value>(Method::POST, path, Bytes::new()).await;
        answer.unwrap_err().to_string()
    };
    let words = "Upgrade request required: the header `Upgrade: wasmpod-stream`";
    assert_eq!(refused("/containers/web/exec?command=x").await, words);
    let none = client.exec("web", &copy()).await.map(drop).unwrap_err();
    assert_eq!(none.to_string(), "container not found (\"web\")", "it has not begun");
    let none = client.stat("web", "/").await.unwrap_err();
    assert_eq!(none.to_string(), "container \"web\" has no files: it has not been started yet");
    let none = client.port_forward(80).await.unwrap_err();
    assert!(!none.is_connection_refused(), "{none}");
}

#[tokio::test]
async fn frames_that_are_none_end_their_own_session() {
    let root = tempfile::tempdir().unwrap();
    let pod = pod(root.path(), "{containers: [{name: web, image: ./copy.wat, stdin: true}]}");
    let handle = pod.handle();
    let socket = root.path().join("sockets/pod.api");
    let _server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let client = PodClient::new(&socket);
    let talk = async {
        until(&handle, |status| status.phase.as_deref() == Some("Running")).await;
        for nonsense in [&b"\x09\0\0\0\0"[..], b"\0\xff\xff\xff\xff", b"\x01\0\0\0\0"] {
            let mut stream = UnixStream::connect(&socket).await.unwrap();
            let head = "POST /containers/web/exec?command=copy.wat&stdin=1 HTTP/1.1\r\n\
                host: x\r\nconnection: upgrade\r\nupgrade: wasmpod-stream\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(nonsense).await.unwrap();
            let mut answer = Vec::new();
            let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it ends");
            assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        }
        client.status().await.unwrap();
        handle.kill().await;
    };
    tokio::join!(pod.run(), talk);
}

#[tokio::test]
async fn files_of_a_container_that_has_ended_are_there_while_its_pod_lives() {
    let root = tempfile::tempdir().unwrap();
    let spec = "{restartPolicy: Never, containers: [{name: web, image: ./idle.wat}, {name: done, image: ./copy.wat}]}";
    let pod = pod(root.path(), spec);
    let handle = pod.handle();
    let socket = root.path().join("sockets/pod.api");
    let _server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let client = PodClient::new(&socket);
    let talk = async {
        until(&handle, |status| {
            let mut containers = status.container_statuses.iter().flatten();
            let done = containers.find(|container| container.name == "done");
            let state = done.and_then(|done| done.state.as_ref());
            state.is_some_and(|state| state.terminated.is_some())
        })
        .await;
        let ended = client.exec("done", &copy()).await.map(drop).unwrap_err();
        assert_eq!(ended.to_string(), "container not found (\"done\")");
        let mut download = client.copy_from("done", "/etc/hostname").await.unwrap();
        let archive = download.next().await.unwrap().unwrap();
        assert!(archive.starts_with(b"hostname\0"), "{archive:?}");
        assert_eq!(&archive[512..517], b"idle\n");
        assert_eq!(download.next().await.unwrap(), None);
        handle.kill().await;
    };
    tokio::join!(pod.run(), talk);
    let gone = client.stat("done", "/").await.unwrap_err();
    assert_eq!(gone.to_string(), "container \"done\" has no files: its Pod has ended");
}
