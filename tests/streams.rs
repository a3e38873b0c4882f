//! What other commands have of a Pod that runs, by the client that they use: commands in it, its output,
//! its ports, its files, its end.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wasmpod::pod::{ExecRequest, Folders};
use wasmpod::sandbox::filesystem::FileKind;
use wasmpod::sandbox::terminal::TerminalSize;
use wasmpod_node::podprocess::{
    ClientError, PodClient, SessionEvent, SessionReader, Sessioned, Stop,
};
use wasmpod_node::{Node, Settings};

use crate::harness::{PodText, World, eventually, guest, guest_of_0_1};

const PATIENCE: Duration = Duration::from_secs(60);

/// Does `talk` with the process of the only Pod of `world`.
pub(crate) fn talk<Talk: AsyncFnOnce(PodClient)>(world: &World, talk: Talk) {
    let folders = Folders::find(Some(&world.root())).expect("the folders are there");
    let node = Node::new(&folders, Settings::default());
    let socket = eventually("the process of the Pod answers", || {
        let pods = node.ledger().pods_now();
        pods.first().map(|pod| pod.socket.clone())
    });
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().expect("a runtime");
    let talking = async { tokio::time::timeout(PATIENCE, talk(PodClient::new(socket))).await };
    runtime.block_on(talking).expect("it takes too long");
}

pub(crate) fn exec(words: &[&str]) -> ExecRequest {
    ExecRequest {
        command: words.iter().map(|word| (*word).to_owned()).collect(),
        stdin: true,
        stdout: true,
        stderr: true,
        terminal: None,
    }
}

/// All that comes of a session: output, errors, end.
pub(crate) async fn all(reader: &mut SessionReader) -> (String, String, Sessioned) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match reader.next().await.expect("it does not break off") {
            SessionEvent::Stdout(bytes) => stdout.extend_from_slice(&bytes),
            SessionEvent::Stderr(bytes) => stderr.extend_from_slice(&bytes),
            SessionEvent::End(end) => {
                let text = |bytes| String::from_utf8(bytes).expect("text");
                return (text(stdout), text(stderr), end);
            }
        }
    }
}

/// What was shown up to `end`.
async fn until(reader: &mut SessionReader, end: &str) -> String {
    let mut shown = String::new();
    while !shown.contains(end) {
        match reader.next().await {
            Ok(SessionEvent::Stdout(bytes)) => shown += &String::from_utf8_lossy(&bytes),
            other => panic!("{other:?} behind {shown:?}"),
        }
    }
    shown
}

async fn run(client: &PodClient, words: &[&str]) -> (String, String, Sessioned) {
    let (mut writer, mut reader) = client.exec("box", &exec(words)).await.expect("it runs");
    // It may have ended before it was told.
    let _ = writer.end().await;
    all(&mut reader).await
}

fn boxes() -> [String; 2] {
    [guest("toolbox"), guest_of_0_1("toolbox")]
}

#[test]
fn commands_have_streams_and_an_exit_code() {
    for image in boxes() {
        let world = World::new();
        let file = PodText::new("p").container("box", &image, &["idle"]).write(&world);
        let pod = world.wasmpod(["run", &file]).start();
        pod.wait_for("idle");
        talk(&world, async |client| {
            let (mut writer, mut reader) =
                client.exec("box", &exec(&["toolbox.wasm", "cat"])).await.unwrap();
            let text = "0123456789".repeat(50_000);
            let writing = async {
                writer.write_all(text.clone().into()).await.unwrap();
                writer.end().await.unwrap();
            };
            let (ended, ()) = tokio::join!(all(&mut reader), writing);
            assert!(ended.0 == text, "{} bytes", ended.0.len());
            assert_eq!((ended.1.as_str(), ended.2), ("", Sessioned::Success));

            let (_, stderr, end) = run(&client, &["toolbox.wasm", "err", "oh"]).await;
            assert_eq!((stderr.as_str(), end), ("oh\n", Sessioned::Success));
            let (_, _, end) = run(&client, &["toolbox.wasm", "exit", "3"]).await;
            // The stable part of WASI 0.2 has no codes but 0 and 1.
            let code = if image.contains("wasip1") { 3 } else { 1 };
            assert_eq!(end, Sessioned::ExitCode { code, message: None });
            let (stdout, _, _) = run(&client, &["toolbox.wasm", "terminal"]).await;
            assert_eq!(stdout, "stdin false, stdout false, stderr false\n");

            let (_, _, end) = run(&client, &["nope"]).await;
            let Sessioned::ExitCode { code: 127, message: Some(message) } = end else {
                panic!("{end:?}")
            };
            assert!(message.starts_with("\"nope\": not found"), "{message}");

            let refused = client.exec("other", &exec(&["x"])).await.map(drop).unwrap_err();
            assert_eq!(refused.to_string(), "container other is not valid for pod p");
            client.kill().await.unwrap();
        });
        let result = pod.finish();
        assert!(!result.stdout.contains("0123"), "a command's output is not the log's: {result}");
    }
}

#[test]
fn a_command_may_have_a_terminal() {
    for image in boxes() {
        let world = World::new();
        let file = PodText::new("p").container("box", &image, &["idle"]).write(&world);
        let pod = world.wasmpod(["run", &file]).start();
        pod.wait_for("idle");
        talk(&world, async |client| {
            let terminal = |words| ExecRequest {
                terminal: Some(TerminalSize { rows: 24, columns: 80 }),
                ..exec(words)
            };
            let (_writer, mut reader) =
                client.exec("box", &terminal(&["toolbox.wasm", "terminal"])).await.unwrap();
            let (shown, _, _) = all(&mut reader).await;
            assert_eq!(shown, "stdin true, stdout true, stderr true\r\n");
            let (_writer, mut reader) =
                client.exec("box", &terminal(&["toolbox.wasm", "env"])).await.unwrap();
            let (shown, _, _) = all(&mut reader).await;
            for variable in ["TERM=xterm\r\n", "COLUMNS=80\r\n", "LINES=24\r\n"] {
                assert!(shown.contains(variable), "{shown}");
            }

            // Lines are edited before the guest has them, and Ctrl-D is the end.
            let (mut writer, mut reader) =
                client.exec("box", &terminal(&["toolbox.wasm", "cat"])).await.unwrap();
            writer.write_all("hellx\x7fo\r".into()).await.unwrap();
            let shown = until(&mut reader, "\nhello\r\n").await;
            assert_eq!(shown, "hellx\x08 \x08o\r\nhello\r\n");
            writer.write_all("\x04".into()).await.unwrap();
            assert_eq!(all(&mut reader).await.2, Sessioned::Success);

            let (mut writer, mut reader) =
                client.exec("box", &terminal(&["toolbox.wasm", "cat"])).await.unwrap();
            writer.write_all("half\x03".into()).await.unwrap();
            let (_, _, end) = all(&mut reader).await;
            assert_eq!(end, Sessioned::ExitCode { code: 130, message: None });
            client.kill().await.unwrap();
        });
        pod.finish();
    }
}

#[test]
fn a_client_that_goes_away_ends_its_command() {
    let world = World::new();
    let file = PodText::new("p").container("box", &guest("toolbox"), &["idle"]).write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("idle");
    talk(&world, async |client| {
        let ticking = exec(&["toolbox.wasm", "append-often", "/tmp/ticks", "1000000"]);
        let (mut writer, reader) = client.exec("box", &ticking).await.unwrap();
        let size = async || client.stat("box", "/tmp/ticks").await.map(|stat| stat.size);
        while !matches!(size().await, Ok(1..)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // More than fits on the way to somebody who does not read.
        let much = writer.write_all(vec![b'x'; 8 << 20].into());
        let stuck = tokio::time::timeout(Duration::from_millis(100), much).await;
        assert!(stuck.is_err(), "it is read");
        drop((writer, reader));
        // Once it stays as it is for a while, nobody writes any more.
        let mut before = size().await.unwrap();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = size().await.unwrap();
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        client.kill().await.unwrap();
    });
    pod.finish();
}

#[test]
fn ports_are_reached_without_being_published() {
    let world = World::new();
    let address = "127.0.0.1:7000";
    let file = PodText::new("p")
        .container("box", &guest("toolbox"), &["tcp-echo", address, "1000"])
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    talk(&world, async |client| {
        let mut connection = loop {
            match client.port_forward(7000).await {
                Ok(connection) => break connection,
                Err(error) if error.is_connection_refused() => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        connection.write_all(b"hello").await.unwrap();
        let mut answer = [0; 5];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"hello");
        let (mut reader, mut writer) = connection.into_split();
        let sent = vec![b'x'; 16 << 20];
        let writing = async {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        let reading = async {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).await.unwrap();
            read.len()
        };
        let ((), read) = tokio::join!(writing, reading);
        assert_eq!(read, sent.len());

        let refused = client.port_forward(7001).await.unwrap_err();
        assert!(refused.is_connection_refused(), "{refused:?}");
        let words = "dial tcp4 127.0.0.1:7001: connect: connection refused";
        assert_eq!(refused.to_string(), words);
        client.kill().await.unwrap();
    });
    pod.finish();
}

#[test]
fn files_go_in_and_out() {
    let world = World::new();
    let file = PodText::new("p")
        .container("box", &guest("toolbox"), &["idle"])
        .with("volumeMounts: [{ name: data, mountPath: /data }]")
        .spec("volumes: [{ name: data, emptyDir: {} }]")
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("idle");
    talk(&world, async |client| {
        run(&client, &["toolbox.wasm", "write", "/data/made", "by the guest"]).await;
        let stat = client.stat("box", "/data/made").await.unwrap();
        assert_eq!((stat.kind, stat.size), (FileKind::File, 13));

        let mut archive = Vec::new();
        let mut download = client.copy_from("box", "/data").await.unwrap();
        while let Some(bytes) = download.next().await.unwrap() {
            archive.extend_from_slice(&bytes);
        }
        assert_eq!(download.copied().map(|copied| copied.entries), Some(2));

        let mut upload = client.copy_to("box", "/tmp").await.unwrap();
        assert!(upload.push(archive.into()).await);
        assert_eq!(upload.finish().await.unwrap().bytes, 13);
        let (read, _, _) = run(&client, &["toolbox.wasm", "read", "/tmp/data/made"]).await;
        assert!(read.contains("by the guest"), "{read}");

        let missing = client.stat("box", "/nope").await.unwrap_err();
        let ClientError::Refused { reason, message, .. } = missing else { panic!("{missing:?}") };
        let expected = ("NotFound", "/nope: No such file or directory (os error 2)");
        assert_eq!((reason.as_str(), message.as_str()), expected);
        let mut download = client.copy_from("box", "/nope").await.unwrap();
        assert_eq!(download.next().await.unwrap_err().to_string(), message);
        let mut upload = client.copy_to("box", "/tmp").await.unwrap();
        upload.push(vec![1; 1 << 20].into()).await;
        let broken = upload.finish().await.unwrap_err().to_string();
        assert_eq!(broken, "the archive cannot be read: a header whose sum is wrong");
        client.kill().await.unwrap();
    });
    pod.finish();
}

#[test]
fn a_pod_is_watched_to_its_end() {
    let world = World::new();
    let file = PodText::new("p")
        .container("box", &guest("toolbox"), &["await-stop"])
        .restart_policy("Never")
        .write(&world);
    let pod = world.wasmpod(["run", &file]).start();
    pod.wait_for("waiting");
    talk(&world, async |client| {
        let mut watch = client.watch_status().await.unwrap();
        let (_writer, mut attached) = client.attach("box", false).await.unwrap();
        let phase = |pod: &k8s_openapi::api::core::v1::Pod| {
            pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default()
        };
        let mut last = watch.next().await.unwrap().expect("what it is now");
        assert_eq!(phase(&last), "Running");
        client.stop(&Stop { grace_period_seconds: Some(3600) }).await.unwrap();
        let (heard, _, end) = all(&mut attached).await;
        assert_eq!((heard.as_str(), end), ("SIGTERM, 60 min\n", Sessioned::Success));
        while let Some(now) = watch.next().await.unwrap() {
            last = now;
        }
        assert_eq!(phase(&last), "Succeeded");
        assert_eq!(last.metadata.deletion_grace_period_seconds, Some(3600));
    });
    pod.finish();
}
