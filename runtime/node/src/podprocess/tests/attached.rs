//! Clients at the streams of a container.

use k8s_openapi::api::core::v1::PodStatus;
use wasmpod::pod::ExecRequest;
use wasmpod::sandbox::terminal::TerminalSize;

use super::*;

/// A Pod with one container, served, while `talk` goes on.
async fn with_pod<Talk: AsyncFnOnce(&PodClient, &PodHandle)>(container: &str, talk: Talk) {
    let root = tempfile::tempdir().unwrap();
    let spec = format!(
        "{{restartPolicy: Never, containers: [{{name: web, image: ./copy.wat, {container}}}]}}"
    );
    let pod = pod(root.path(), &spec);
    let handle = pod.handle();
    let socket = root.path().join("sockets/pod.api");
    let server = ControlServer::serve(pod.view(), Arc::default(), &socket).unwrap();
    let client = PodClient::new(&socket);
    let talking = async {
        until(&handle, |status| status.phase.as_deref() == Some("Running")).await;
        talk(&client, &handle).await;
        handle.kill().await;
    };
    timeout(PATIENCE, async { tokio::join!(pod.run(), talking) }).await.expect("in time");
    server.finish().await;
}

async fn heard(reader: &mut SessionReader, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        match timeout(PATIENCE, reader.next()).await.expect("in time") {
            Ok(SessionEvent::Stdout(bytes) | SessionEvent::Stderr(bytes)) => {
                text += &String::from_utf8_lossy(&bytes);
            }
            other => panic!("{other:?} behind {text:?}"),
        }
    }
    text
}

fn exit_code(status: &PodStatus) -> Option<i32> {
    let container = status.container_statuses.as_ref()?.first()?;
    Some(container.state.as_ref()?.terminated.as_ref()?.exit_code)
}

#[tokio::test]
async fn several_clients_read_and_write_one_container() {
    with_pod("stdin: true", async |client, handle| {
        let (mut one, mut heard_by_one) = client.attach("web", true).await.unwrap();
        one.write_all("first\n".into()).await.unwrap();
        assert_eq!(heard(&mut heard_by_one, "\n").await, "first\n");
        let (mut other, mut heard_by_other) = client.attach("web", true).await.unwrap();
        other.write_all("second\n".into()).await.unwrap();
        assert_eq!(heard(&mut heard_by_one, "\n").await, "second\n");
        assert_eq!(heard(&mut heard_by_other, "\n").await, "second\n", "from now on");
        // Without stdinOnce the end of a client is not that of the input.
        other.end().await.unwrap();
        drop((other, heard_by_other));
        one.write_all("third\n".into()).await.unwrap();
        assert_eq!(heard(&mut heard_by_one, "\n").await, "third\n");
        assert_eq!(exit_code(&handle.status().borrow()), None);
    })
    .await;
}

#[tokio::test]
async fn with_stdin_once_the_first_client_has_the_input() {
    with_pod("stdin: true, stdinOnce: true", async |client, handle| {
        let (mut one, mut reader) = client.attach("web", true).await.unwrap();
        one.write_all("mine\n".into()).await.unwrap();
        assert_eq!(heard(&mut reader, "\n").await, "mine\n");
        let (mut late, _late_reader) = client.attach("web", true).await.unwrap();
        late.write_all("not mine\n".into()).await.unwrap();
        late.end().await.unwrap();
        one.end().await.unwrap();
        assert_eq!(heard(&mut reader, "end\n").await, "end\n");
        assert_eq!(reader.next().await.unwrap(), SessionEvent::End(Sessioned::Success));
        until(handle, |status| exit_code(status) == Some(3)).await;
        let ended = client.attach("web", true).await.map(drop).unwrap_err();
        let words = "cannot attach a container in a completed pod; current phase is Failed";
        assert!(
            [words, "container not found (\"web\")"].contains(&ended.to_string().as_str()),
            "{ended}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_container_may_have_a_terminal() {
    with_pod("stdin: true, tty: true", async |client, handle| {
        let (mut writer, mut reader) = client.attach("web", true).await.unwrap();
        writer.write_all("hex\x7fllo\r".into()).await.unwrap();
        let shown = heard(&mut reader, "\nhello\r\n").await;
        assert_eq!(shown, "hex\x08 \x08llo\r\nhello\r\n");
        writer.write_all("\x03".into()).await.unwrap();
        until(handle, |status| exit_code(status) == Some(130)).await;
    })
    .await;
}

#[tokio::test]
async fn a_command_sees_its_terminal_change() {
    with_pod("stdin: true", async |client, _| {
        let command = |word: &str, columns| ExecRequest {
            command: vec![word.to_owned()],
            stdin: true,
            stdout: true,
            stderr: true,
            terminal: Some(TerminalSize { rows: 24, columns }),
        };
        let (_writer, mut reader) = client.exec("web", &command("columns", 90)).await.unwrap();
        let end = SessionEvent::End(Sessioned::ExitCode { code: 90, message: None });
        assert_eq!(reader.next().await.unwrap(), end);

        // It gets bytes as they are typed, Ctrl-C too.
        let (mut writer, mut reader) = client.exec("web", &command("raw", 80)).await.unwrap();
        let code = loop {
            let _ = writer.write_all("\x1d".into()).await;
            match timeout(Duration::from_millis(20), reader.next()).await {
                Ok(Ok(SessionEvent::End(end))) => break end,
                // Typed before it was raw: shown, and a part of no line yet.
                Ok(Ok(_)) | Err(_) => {}
                Ok(Err(error)) => panic!("{error}"),
            }
        };
        assert_eq!(code, Sessioned::ExitCode { code: 0x1d, message: None });

        let (mut writer, mut reader) = client.exec("web", &command("copy.wat", 80)).await.unwrap();
        writer.resize(TerminalSize { rows: 50, columns: 132 }).await.unwrap();
        writer.write_all("x\r".into()).await.unwrap();
        heard(&mut reader, "\nx\r\n").await;
        writer.write_all("\x04".into()).await.unwrap();
        heard(&mut reader, "end\r\n").await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_is_cut_off_and_told() {
    with_pod("stdin: true", async |client, _| {
        let (mut writer, mut reader) = client.attach("web", true).await.unwrap();
        let (_slow_writer, mut slow) = client.attach("web", false).await.unwrap();
        let piece = Bytes::from("0123456789abcde\n".repeat(4096));
        let count = 64;
        let writing = async {
            for _ in 0..count {
                writer.write_all(piece.clone()).await.unwrap();
            }
        };
        let reading = async {
            let mut read = 0;
            while read < piece.len() * count {
                let Ok(SessionEvent::Stdout(bytes)) = reader.next().await else { panic!() };
                read += bytes.len();
            }
        };
        timeout(PATIENCE, async { tokio::join!(writing, reading) }).await.expect("nobody waits");
        let mut read = 0;
        let end = loop {
            match timeout(PATIENCE, slow.next()).await.expect("in time") {
                Ok(SessionEvent::Stdout(bytes)) => read += bytes.len(),
                other => break other,
            }
        };
        assert!(read > 1 << 19, "what had come is there: {read} bytes");
        assert!(read < piece.len() * count);
        assert!(end.unwrap_err().to_string().starts_with("the client reads too slowly"));
    })
    .await;
}
