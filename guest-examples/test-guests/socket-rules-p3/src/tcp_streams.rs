//! What the streams and futures of a TCP connection do, and when they end.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures::join;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily};
use wasip3::wit_bindgen::rt::async_support::StreamResult;
use wasip3::wit_stream;

use crate::sockets::{End, pair};
use crate::{Kept, must, rules};

rules! {
    "tcp streams: there and back" => there_and_back,
    "tcp streams: the other side's end ends the input" => ended_by_the_other_side,
    "tcp streams: an input that is dropped is done" => input_dropped,
    "tcp streams: an output that is dropped is done" => output_dropped,
    "tcp streams: after the end of sending one still receives" => half_closed,
    "tcp streams: sending to nobody fails" => nobody,
    "tcp streams: each direction is begun once" => once,
    "tcp streams: they outlive their socket" => outlive,
    "tcp streams: a cancelled read loses nothing" => cancelled_reads,
    "tcp streams: a megabyte arrives as it was" => megabyte,
}

async fn there_and_back(family: IpAddressFamily) -> Kept {
    let (mut client, mut server) = pair(family).await?;
    for _ in 0..20 {
        must!(client.output.write_all(b"ping".to_vec()).await.len(), 0);
        let (status, bytes) = server.input.read(Vec::with_capacity(4)).await;
        must!(status, StreamResult::Complete(4));
        must!(bytes[..], b"ping");
        must!(server.output.write_all(b"pong".to_vec()).await.len(), 0);
        let (status, bytes) = client.input.read(Vec::with_capacity(4)).await;
        must!(status, StreamResult::Complete(4));
        must!(bytes[..], b"pong");
    }
    Ok(())
}

async fn ended_by_the_other_side(family: IpAddressFamily) -> Kept {
    let (mut client, server) = pair(family).await?;
    drop(server);
    let (status, bytes) = client.input.read(Vec::with_capacity(1)).await;
    must!((status, bytes.len()), (StreamResult::Dropped, 0));
    must!(client.received.await, Ok(()));
    Ok(())
}

async fn input_dropped(family: IpAddressFamily) -> Kept {
    let (client, mut server) = pair(family).await?;
    must!(server.output.write_all(b"more than is read".to_vec()).await.len(), 0);
    let End { mut input, received, .. } = client;
    must!(input.next().await, Some(b'm'));
    drop(input);
    must!(received.await, Ok(()));
    Ok(())
}

async fn output_dropped(family: IpAddressFamily) -> Kept {
    let (client, _server) = pair(family).await?;
    let End { output, sent, .. } = client;
    drop(output);
    must!(sent.await, Ok(()));
    Ok(())
}

async fn half_closed(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family).await?;
    let End { socket: _client, mut output, sent, input: answers, .. } = client;
    must!(output.write_all(b"question".to_vec()).await.len(), 0);
    drop(output);
    must!(sent.await, Ok(()));
    let End { socket: _server, output: mut replies, sent: replied, input: questions, .. } = server;
    must!(questions.collect().await[..], b"question");
    must!(replies.write_all(b"answer".to_vec()).await.len(), 0);
    drop(replies);
    must!(replied.await, Ok(()));
    must!(answers.collect().await[..], b"answer");
    Ok(())
}

async fn nobody(family: IpAddressFamily) -> Kept {
    let (mut client, server) = pair(family).await?;
    drop(server);
    // What fits into buffers may still go; some write soon does not.
    for _ in 0..100_000 {
        if client.output.write(b"is anybody there?".to_vec()).await.0 == StreamResult::Dropped {
            must!(client.sent.await, Err(ErrorCode::ConnectionBroken | ErrorCode::ConnectionReset));
            return Ok(());
        }
    }
    Err(String::from("a hundred thousand writes to nobody went well"))
}

/// `pair` has begun both directions; again is once too often.
async fn once(family: IpAddressFamily) -> Kept {
    let (client, mut server) = pair(family).await?;
    must!(server.output.write_all(b"for the first reader".to_vec()).await.len(), 0);
    for _ in 0..3 {
        let (mut input, received) = client.socket.receive();
        let (status, bytes) = input.read(Vec::with_capacity(10)).await;
        must!((status, bytes.len()), (StreamResult::Dropped, 0));
        must!(received.await, Err(ErrorCode::InvalidState));

        let (mut output, bytes) = wit_stream::new();
        let sent = client.socket.send(bytes);
        let (status, left) = output.write(b"never".to_vec()).await;
        must!((status, left.remaining()), (StreamResult::Dropped, 5));
        must!(sent.await, Err(ErrorCode::InvalidState));
    }
    Ok(())
}

async fn outlive(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family).await?;
    let End { socket, mut output, sent, input: answers, received: answered, .. } = client;
    drop(socket);
    let End { socket, output: mut replies, sent: replied, input: questions, received, .. } = server;
    drop(socket);
    must!(output.write_all(b"question".to_vec()).await.len(), 0);
    drop(output);
    must!(sent.await, Ok(()));
    must!(questions.collect().await[..], b"question");
    must!(received.await, Ok(()));
    must!(replies.write_all(b"answer".to_vec()).await.len(), 0);
    drop(replies);
    must!(replied.await, Ok(()));
    must!(answers.collect().await[..], b"answer");
    must!(answered.await, Ok(()));
    Ok(())
}

/// A reader that gives up on every read that does not end at once still sees each byte, in order.
async fn cancelled_reads(family: IpAddressFamily) -> Kept {
    const CHUNKS: usize = 4096;
    let (client, server) = pair(family).await?;
    must!(client.socket.set_send_buffer_size(1024), Ok(()));
    let End { socket: _client, mut output, .. } = client;
    let End { socket: _server, mut input, received, .. } = server;
    let chunk: Vec<u8> = (0..=255).collect();
    let writing = async {
        for _ in 0..CHUNKS {
            must!(output.write_all(chunk.clone()).await.len(), 0);
        }
        drop(output);
        Ok(())
    };
    let reading = async {
        let mut count = 0_usize;
        let mut buffer = Vec::with_capacity(1024);
        loop {
            let (status, bytes) = {
                let mut read = pin!(input.read(buffer));
                match read.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(done) => done,
                    Poll::Pending => read.cancel(),
                }
            };
            for &byte in &bytes {
                if usize::from(byte) != count % 256 {
                    return Err(format!("byte {count} is {byte}"));
                }
                count += 1;
            }
            buffer = bytes;
            buffer.clear();
            match status {
                StreamResult::Complete(_) => {}
                StreamResult::Dropped => break,
                // Waits until there is something, without taking it.
                StreamResult::Cancelled => drop(input.read(Vec::new()).await),
            }
        }
        must!(received.await, Ok(()));
        if count == CHUNKS * 256 { Ok(()) } else { Err(format!("{count} bytes arrived")) }
    };
    let (written, read): (Kept, Kept) = join!(writing, reading);
    written.and(read)
}

async fn megabyte(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family).await?;
    let End { socket: _client, mut output, sent, .. } = client;
    let End { socket: _server, input, received, .. } = server;
    let data: Vec<u8> = (0..1 << 20).map(|index: u32| index.to_le_bytes()[1]).collect();
    let writing = async {
        let left = output.write_all(data.clone()).await;
        drop(output);
        left.len()
    };
    let (left, arrived) = join!(writing, input.collect());
    must!(left, 0);
    must!(sent.await, Ok(()));
    must!(received.await, Ok(()));
    if arrived == data { Ok(()) } else { Err(format!("{} bytes, not as they were", arrived.len())) }
}
