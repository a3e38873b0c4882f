//! Archives of files, out of a container and into it.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::ReadHalf;
use wasmpod::pod::{Download, Upload};

use super::session::{finish, send};
use super::status;
use crate::podprocess::frame::{self, Channel};

/// How long a client may go on sending that has had its answer: closed before, it might not read it.
const FAREWELL: Duration = Duration::from_secs(1);

/// Sends an archive as standard output, and how it ended.
pub(super) async fn download(mut download: Download, mut connection: UnixStream) {
    let (mut reader, mut writer) = connection.split();
    let telling = async {
        while let Some(bytes) = download.next().await {
            send(&mut writer, Channel::Stdout, bytes).await?;
        }
        finish(&mut writer, &status::of_copy(&download.finish().await)).await
    };
    tokio::select! {
        biased;
        _ = telling => {}
        // It has nothing to say: what comes is its end.
        _ = reader.read_u8() => {}
    }
}

/// Takes an archive as standard input, up to its end, and says how that ended.
pub(super) async fn upload(upload: Upload, mut connection: UnixStream, early: Bytes) {
    let (mut reader, mut writer) = connection.split();
    // Gone without an end: so is the archive.
    if receive(&upload, &mut reader, early).await.is_err() {
        return;
    }
    let copied = upload.finish().await;
    if finish(&mut writer, &status::of_copy(&copied)).await.is_ok() {
        let rest = async {
            while matches!(
                reader.read_buf(&mut BytesMut::with_capacity(frame::LONGEST)).await,
                Ok(1..)
            ) {}
        };
        let _ = tokio::time::timeout(FAREWELL, rest).await;
    }
    let _ = writer.shutdown().await;
}

/// Passes on what comes, until its end or until no more is wanted.
async fn receive(upload: &Upload, reader: &mut ReadHalf<'_>, early: Bytes) -> io::Result<()> {
    let mut come = BytesMut::from(early);
    loop {
        while let Some(frame) = frame::decode(&mut come).map_err(io::Error::other)? {
            match frame.channel {
                Channel::Stdin if !upload.push(frame.payload).await => return Ok(()),
                Channel::Stdin | Channel::Resize => {}
                Channel::Close => return Ok(()),
                Channel::Stdout | Channel::Stderr | Channel::Status => {
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        if reader.read_buf(&mut come).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
