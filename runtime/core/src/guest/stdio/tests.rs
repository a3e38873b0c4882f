//! The streams as wasmtime-wasi uses them.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi::cli::{StdinStream as _, StdoutStream as _};
use wasmtime_wasi::p2::StreamError;

use super::*;

fn input(stdin: Stdin, stop: &CancellationToken) -> GuestInput {
    GuestInput { stdin, terminal: false, stop: stop.clone() }
}

#[tokio::test]
async fn a_closed_input_is_at_its_end() {
    let mut stream = input(Stdin::Closed, &CancellationToken::new()).p2_stream();
    stream.ready().await;
    assert!(matches!(stream.read(10), Err(StreamError::Closed)));
}

#[tokio::test]
async fn what_is_written_arrives_in_order_and_then_the_end() {
    let (writer, pipe) = input_pipe();
    let stop = CancellationToken::new();
    let mut stream = Box::into_pin(input(Stdin::Pipe(pipe), &stop).async_stream());
    let text = "0123456789".repeat(50_000);
    let (_, read) = tokio::join!(
        async {
            writer.write_all(text.as_bytes()).await;
            drop(writer);
        },
        async {
            let mut read = String::new();
            stream.read_to_string(&mut read).await.unwrap();
            read
        }
    );
    assert!(read == text, "{} bytes", read.len());
}

#[tokio::test]
async fn a_stop_is_the_end_of_an_open_input() {
    let (writer, pipe) = input_pipe();
    let stop = CancellationToken::new();
    let mut stream = input(Stdin::Pipe(pipe), &stop).p2_stream();
    writer.write_all(b"last words").await;
    tokio::join!(async { stop.cancel() }, stream.ready());
    assert_eq!(stream.read(100).unwrap(), "last words");
    stream.ready().await;
    assert!(matches!(stream.read(100), Err(StreamError::Closed)));
}

struct Narrow {
    open: Mutex<(bool, Vec<Waker>)>,
    written: OutputBuffer,
}

impl Output for Narrow {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        lock(&self.open).0 = false;
        self.written.write(bytes)
    }

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut open = lock(&self.open);
        if open.0 {
            return Poll::Ready(());
        }
        open.1.push(context.waker().clone());
        Poll::Pending
    }
}

impl Narrow {
    fn reopen(&self) {
        let mut open = lock(&self.open);
        open.0 = true;
        open.1.drain(..).for_each(Waker::wake);
    }
}

#[tokio::test]
async fn a_guest_waits_for_a_slow_output() {
    let narrow =
        Arc::new(Narrow { open: Mutex::new((true, Vec::new())), written: OutputBuffer::new(100) });
    let output = GuestOutput { output: narrow.clone(), terminal: false };
    let mut stream = output.p2_stream();
    assert_eq!(stream.check_write().unwrap(), PERMIT);
    stream.write(Bytes::from_static(b"one ")).unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    tokio::join!(stream.ready(), async { narrow.reopen() });
    stream.write(Bytes::from_static(b"two")).unwrap();
    assert_eq!(narrow.written.contents(), b"one two");
}
