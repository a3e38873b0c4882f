//! A command in a container, and a client that is attached to one.

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, StatusCode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Status, StatusCause};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use wasmpod::pod::ExecRequest;
use wasmpod::sandbox::terminal::TerminalSize;

use super::error::refused;
use super::open::Opened;
use super::{ClientError, PodClient};
use crate::podprocess::frame::{self, Channel, Frame};
use crate::podprocess::query;
use crate::podprocess::streams::{EXIT_CODE, EXIT_MESSAGE, NON_ZERO_EXIT_CODE};

/// A client's writing end. The session goes on without it: only [`end`](Self::end) ends the input.
pub struct SessionWriter {
    /// Until it is dropped.
    stream: Option<OwnedWriteHalf>,
}

/// A client's reading end. The session ends when both ends are dropped.
pub struct SessionReader {
    stream: OwnedReadHalf,
    come: BytesMut,
}

/// What comes of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// Was written to standard output, or shown by the terminal.
    Stdout(Bytes),
    /// Was written to standard error.
    Stderr(Bytes),
    /// It has ended.
    End(Sessioned),
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sessioned {
    /// The command with code 0, or the run that the client was attached to.
    Success,
    /// The command with another code.
    ExitCode {
        /// 1 to 255.
        code: u8,
        /// Why, if that was not the command's own choice: it cannot be found, it has trapped.
        message: Option<String>,
    },
}

impl PodClient {
    /// Runs a command in `container`.
    ///
    /// # Errors
    /// [`ClientError`]: it does not run.
    pub async fn exec(
        &self,
        container: &str,
        request: &ExecRequest,
    ) -> Result<(SessionWriter, SessionReader), ClientError> {
        let path = format!("/containers/{container}/exec?{}", query::of_exec(request));
        Ok(ends(self.open(Method::POST, &path).await?))
    }

    /// Attaches to the run of `container`: its output from now on, and with `stdin` its input, if it has one.
    ///
    /// # Errors
    /// [`ClientError`]: it does not run.
    pub async fn attach(
        &self,
        container: &str,
        stdin: bool,
    ) -> Result<(SessionWriter, SessionReader), ClientError> {
        let path = format!("/containers/{container}/attach?stdin={}", u8::from(stdin));
        Ok(ends(self.open(Method::POST, &path).await?))
    }

    /// Connects to `port` of the Pod: the bytes of the connection. Who listens sees it come from its own
    /// loopback.
    ///
    /// # Errors
    /// [`ClientError`]; [`is_connection_refused`](ClientError::is_connection_refused) where nobody listens.
    pub async fn port_forward(&self, port: u16) -> Result<UnixStream, ClientError> {
        let Opened { stream, early } =
            self.open(Method::POST, &format!("/portforward?port={port}")).await?;
        if early.is_empty() {
            return Ok(stream);
        }
        Err(self.protocol("it sends before the connection is made"))
    }
}

pub(super) fn ends(opened: Opened) -> (SessionWriter, SessionReader) {
    let (reader, writer) = opened.stream.into_split();
    (SessionWriter { stream: Some(writer) }, SessionReader { stream: reader, come: opened.early })
}

impl SessionWriter {
    /// Sends standard input; waits while nobody reads it.
    ///
    /// # Errors
    /// [`ClientError::BrokenOff`]: the session has ended, and the [reader](SessionReader) tells how.
    ///
    /// # Cancel safety
    /// Not safe: the session cannot be written to any more.
    pub async fn write_all(&mut self, bytes: Bytes) -> Result<(), ClientError> {
        self.send(Channel::Stdin, bytes).await
    }

    /// Ends standard input.
    ///
    /// # Errors
    /// As [`write_all`](Self::write_all).
    pub async fn end(&mut self) -> Result<(), ClientError> {
        self.send(Channel::Close, Bytes::from_static(&[0])).await
    }

    /// Tells of another size of the client's terminal.
    ///
    /// # Errors
    /// As [`write_all`](Self::write_all).
    pub async fn resize(&mut self, size: TerminalSize) -> Result<(), ClientError> {
        let size = json!({ "Width": size.columns, "Height": size.rows });
        self.send(Channel::Resize, size.to_string().into()).await
    }

    pub(super) async fn send(&mut self, channel: Channel, bytes: Bytes) -> Result<(), ClientError> {
        let stream = self.stream.as_mut().expect("there until it is dropped");
        let mut rest = bytes;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(frame::LONGEST));
            let head = frame::head(channel, piece.len());
            let sent = stream.write_all_buf(&mut Buf::chain(&head[..], piece)).await;
            sent.map_err(ClientError::broken_off)?;
        }
        Ok(())
    }
}

impl Drop for SessionWriter {
    fn drop(&mut self) {
        // It would close the connection for writing, which means that the client is gone.
        if let Some(stream) = self.stream.take() {
            stream.forget();
        }
    }
}

impl SessionReader {
    /// What comes next. Behind an end comes nothing.
    ///
    /// # Errors
    /// [`ClientError`]: it has broken off, or it has failed and says why.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Result<SessionEvent, ClientError> {
        loop {
            let Frame { channel, payload } = self.frame().await?;
            match channel {
                Channel::Stdout => return Ok(SessionEvent::Stdout(payload)),
                Channel::Stderr => return Ok(SessionEvent::Stderr(payload)),
                Channel::Status => return of_status(read_status(&payload)?).map(SessionEvent::End),
                Channel::Stdin | Channel::Resize | Channel::Close => {}
            }
        }
    }

    /// The next frame.
    pub(super) async fn frame(&mut self) -> Result<Frame, ClientError> {
        loop {
            let frame = frame::decode(&mut self.come)
                .map_err(|error| ClientError::broken_off(std::io::Error::other(error)))?;
            if let Some(frame) = frame {
                return Ok(frame);
            }
            let read = self.stream.read_buf(&mut self.come).await;
            if read.map_err(ClientError::broken_off)? == 0 {
                return Err(ClientError::BrokenOff { source: None });
            }
        }
    }
}

pub(super) fn read_status(json: &[u8]) -> Result<Status, ClientError> {
    serde_json::from_slice(json)
        .map_err(|error| ClientError::broken_off(std::io::Error::other(error)))
}

/// What the causes of a status say.
pub(super) fn causes<'status>(
    status: &'status Status,
    reason: &'static str,
) -> impl Iterator<Item = &'status str> {
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let wanted = move |cause: &&StatusCause| cause.reason.as_deref() == Some(reason);
    causes.filter(wanted).filter_map(|cause| cause.message.as_deref())
}

/// A failure that is no exit code as an error.
pub(super) fn failed(status: Status) -> ClientError {
    let code = status.code.and_then(|code| u16::try_from(code).ok());
    let code = code.and_then(|code| StatusCode::from_u16(code).ok());
    refused(code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), status)
}

fn of_status(status: Status) -> Result<Sessioned, ClientError> {
    if status.status.as_deref() == Some("Success") {
        return Ok(Sessioned::Success);
    }
    let code = causes(&status, EXIT_CODE).next().and_then(|code| code.parse().ok());
    match (status.reason.as_deref(), code) {
        (Some(NON_ZERO_EXIT_CODE), Some(code)) => {
            let message = causes(&status, EXIT_MESSAGE).next().map(str::to_owned);
            Ok(Sessioned::ExitCode { code, message })
        }
        (_, _) => Err(failed(status)),
    }
}
