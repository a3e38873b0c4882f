//! Between the streams of this process and those of a command or container.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use bytes::Bytes;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wasmpod_node::podprocess::{SessionEvent, SessionReader, SessionWriter, Sessioned};

use super::target::refused;
use super::terminal::{self, RawTerminal};
use crate::failure::Failure;
use crate::print::{out, problem};

/// Bytes of one read.
const CHUNK: usize = 32 << 10;

/// What of this process goes to the other side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    /// Standard input.
    pub(super) stdin: bool,
    /// The terminal, byte by byte.
    pub(super) tty: bool,
}

/// Carries bytes to and fro until the other side ends, or nobody reads what it writes; gives its exit code.
///
/// # Errors
/// The connection breaks off, or the other side says why it cannot go on.
pub(super) async fn carry(
    streams: Streams,
    writer: SessionWriter,
    mut reader: SessionReader,
) -> Result<ExitCode, Failure> {
    // Back to what it was before anything is printed about the end.
    let raw = if streams.tty { RawTerminal::enter().ok() } else { None };
    let mut typing = JoinSet::new();
    typing.spawn(send(streams, writer));
    let ended = receive(&mut reader).await;
    typing.shutdown().await;
    drop(raw);
    ended
}

async fn receive(reader: &mut SessionReader) -> Result<ExitCode, Failure> {
    loop {
        match reader.next().await.map_err(refused)? {
            SessionEvent::Stdout(bytes) => out::bytes(&bytes),
            SessionEvent::Stderr(bytes) => {
                // There is nobody else to tell.
                drop(io::stderr().write_all(&bytes));
            }
            SessionEvent::End(Sessioned::Success) => return Ok(ExitCode::SUCCESS),
            SessionEvent::End(Sessioned::ExitCode { code, message }) => {
                if let Some(message) = message {
                    problem::plain(&message);
                }
                // The words of kubectl.
                problem::plain(&format!("command terminated with exit code {code}"));
                return Ok(code.into());
            }
        }
        if out::is_closed() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Sends what is typed and each new size of the terminal.
async fn send(streams: Streams, mut writer: SessionWriter) {
    let mut chunks = if streams.stdin { Some(read_stdin()) } else { None };
    let mut sizes = if streams.tty { signal(SignalKind::window_change()).ok() } else { None };
    loop {
        tokio::select! {
            chunk = next(chunks.as_mut()) => {
                let sent = match chunk {
                    Some(chunk) => writer.write_all(chunk).await,
                    None => {
                        chunks = None;
                        writer.end().await
                    }
                };
                if sent.is_err() {
                    return;
                }
            }
            () = changed(sizes.as_mut()) => {
                if let Some(size) = terminal::size()
                    && writer.resize(size).await.is_err()
                {
                    return;
                }
            }
        }
    }
}

async fn next(chunks: Option<&mut mpsc::Receiver<Bytes>>) -> Option<Bytes> {
    match chunks {
        Some(chunks) => chunks.recv().await,
        None => std::future::pending().await,
    }
}

async fn changed(sizes: Option<&mut Signal>) {
    if let Some(sizes) = sizes
        && sizes.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// A thread and not a task: a read of a terminal cannot be taken back, and must not hold up the end
/// of this process.
fn read_stdin() -> mpsc::Receiver<Bytes> {
    let (sender, chunks) = mpsc::channel(4);
    let reader = std::thread::Builder::new().name("stdin".into()).stack_size(128 << 10);
    let started = reader.spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut chunk = vec![0; CHUNK];
        while let Ok(length) = stdin.read(&mut chunk) {
            let bytes = Bytes::copy_from_slice(&chunk[..length]);
            if length == 0 || sender.blocking_send(bytes).is_err() {
                return;
            }
        }
    });
    if let Err(error) = started {
        problem::warning(&format!("standard input is not read: {error}"));
    }
    chunks
}
