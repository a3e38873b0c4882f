//! Frames of a client, and frames for it.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures::FutureExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{ReadHalf, WriteHalf};
use wasmpod::logs::LogStream;
use wasmpod::pod::{Session, SessionInput, SessionOutput};
use wasmpod::sandbox::terminal::TerminalSize;

use super::status;
use crate::podprocess::frame::{self, Channel, Frame};

/// How often it is looked whether a client is still there whose input nobody reads.
const LOOKS: Duration = Duration::from_secs(1);

/// What a client says of its terminal.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    width: u16,
    height: u16,
}

/// Why a session stops before its end.
enum Stopped {
    /// The client does not take its frames.
    Gone(io::Error),
    /// So many bytes and more did not find room.
    TooSlow(u64),
}

/// Carries a session until it has ended, or until its client is gone, which ends it.
pub(super) async fn carry(session: Session, mut connection: UnixStream, early: Bytes) {
    let Session { input, mut output, end } = session;
    let (reader, mut writer) = connection.split();
    let told = async {
        let ending = end.map(Ok);
        let telling = async {
            tell(&mut output, &mut writer).await.map_err(Stopped::Gone)?;
            // A run goes on without a client that it does not wait for.
            match output.lost() {
                0 => Ok(()),
                lost => Err(Stopped::TooSlow(lost)),
            }
        };
        let last = match tokio::try_join!(ending, telling) {
            Ok((end, ())) => status::of_end(&end),
            Err(Stopped::TooSlow(lost)) => status::too_slow(lost),
            Err(Stopped::Gone(error)) => return Err(error),
        };
        finish(&mut writer, &last).await
    };
    tokio::select! {
        biased;
        // One that does not take its frames is gone as well.
        _ = told => {}
        () = listen(&input, reader, early) => {}
    }
}

/// Sends the output until its end.
async fn tell(output: &mut SessionOutput, writer: &mut WriteHalf<'_>) -> io::Result<()> {
    while let Some((stream, bytes)) = output.next().await {
        let channel = match stream {
            LogStream::Stdout => Channel::Stdout,
            LogStream::Stderr => Channel::Stderr,
        };
        send(writer, channel, bytes).await?;
    }
    Ok(())
}

/// Sends bytes of a channel, in as many frames as they need and without a copy.
pub(super) async fn send(
    writer: &mut WriteHalf<'_>,
    channel: Channel,
    mut bytes: Bytes,
) -> io::Result<()> {
    while !bytes.is_empty() {
        let piece = bytes.split_to(bytes.len().min(frame::LONGEST));
        let head = frame::head(channel, piece.len());
        writer.write_all_buf(&mut Buf::chain(&head[..], piece)).await?;
    }
    Ok(())
}

/// Sends the last frame.
pub(super) async fn finish(writer: &mut WriteHalf<'_>, last: &Status) -> io::Result<()> {
    let json = serde_json::to_vec(last).expect("objects of the API are JSON");
    let mut frames = BytesMut::new();
    frame::encode(&mut frames, Channel::Status, &json);
    writer.write_all(&frames).await?;
    writer.shutdown().await
}

/// Takes what the client sends. Ends when it is gone, or talks nonsense.
async fn listen(input: &SessionInput, mut reader: ReadHalf<'_>, early: Bytes) {
    let mut come = BytesMut::from(early);
    loop {
        loop {
            match frame::decode(&mut come) {
                Ok(Some(frame)) => {
                    let is_there = take(input, &reader, frame).await;
                    if !is_there {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
        match reader.read_buf(&mut come).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Answers whether the client goes on.
async fn take(input: &SessionInput, reader: &ReadHalf<'_>, frame: Frame) -> bool {
    match frame.channel {
        Channel::Stdin => {
            tokio::select! {
                biased;
                () = input.write_all(&frame.payload) => true,
                () = gone(reader.as_ref()) => false,
            }
        }
        Channel::Resize => {
            // One without a terminal says nothing, or zeros.
            if let Ok(Size { width, height }) = serde_json::from_slice(&frame.payload)
                && (width, height) != (0, 0)
            {
                input.resize(TerminalSize { rows: height, columns: width });
            }
            true
        }
        Channel::Close => {
            if frame.payload[..] == [Channel::Stdin.byte()] {
                input.end();
            }
            true
        }
        Channel::Stdout | Channel::Stderr | Channel::Status => false,
    }
}

/// Waits until the client has closed the connection, though what it has sent before is not read yet.
pub(super) async fn gone(connection: &UnixStream) {
    loop {
        tokio::time::sleep(LOOKS).await;
        let ready = connection.ready(Interest::WRITABLE).now_or_never();
        if let Some(Ok(ready)) = ready
            && ready.is_write_closed()
        {
            return;
        }
    }
}
