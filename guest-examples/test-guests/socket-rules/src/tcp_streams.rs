//! What the two streams of a TCP connection do, and when they end.

use wasip2::io::streams::{InputStream, StreamError};
use wasip2::sockets::network::{ErrorCode, IpAddressFamily};
use wasip2::sockets::tcp::ShutdownType;

use crate::sockets::{connect, listener, pair, tcp};
use crate::{Kept, Rule, must};

pub(crate) const RULES: &[Rule] = &[
    ("tcp streams: bytes arrive in order", in_order),
    ("tcp streams: nothing there is an empty read", empty_read),
    ("tcp streams: the other side's end closes the input", closed_by_the_other_side),
    ("tcp streams: one's own end of receiving closes the input", closed_for_receiving),
    ("tcp streams: one's own end of sending closes the output", closed_for_sending),
    ("tcp streams: after the end of sending one still receives", half_closed),
    ("tcp streams: the end of sending loses nothing", nothing_lost),
    ("tcp streams: an idle output can always be written", always_writable),
    ("tcp streams: many small writes arrive", small_writes),
    ("tcp streams: a reader that waits slows the writer", back_pressure),
    ("tcp streams: a dropped connection ends the other side", dropped),
    ("tcp streams: a listener's end resets who waits in its backlog", backlog_dropped),
];

fn in_order(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    for round in 0..50_u8 {
        let message: Vec<u8> = (0..100).map(|index| round.wrapping_add(index)).collect();
        must!(client.output.blocking_write_and_flush(&message), Ok(()));
        let arrived = read_exactly(&server.input, message.len())?;
        if arrived != message {
            return Err(format!("sent {message:?}, received {arrived:?}"));
        }
        must!(server.output.blocking_write_and_flush(&message), Ok(()));
        read_exactly(&client.input, message.len())?;
    }
    Ok(())
}

fn empty_read(family: IpAddressFamily) -> Kept {
    let (client, _server) = pair(family)?;
    let read = client.input.read(10);
    if !matches!(&read, Ok(bytes) if bytes.is_empty()) {
        return Err(format!("read gave {read:?}"));
    }
    Ok(())
}

fn closed_by_the_other_side(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    must!(server.socket.shutdown(ShutdownType::Both), Ok(()));
    drop(server);
    client.input.subscribe().block();
    must!(client.input.read(10), Err(StreamError::Closed));
    must!(client.input.read(0), Err(StreamError::Closed));
    Ok(())
}

/// What has arrived already is gone too.
fn closed_for_receiving(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    must!(server.output.blocking_write_and_flush(b"too late"), Ok(()));
    client.input.subscribe().block();
    must!(client.socket.shutdown(ShutdownType::Receive), Ok(()));
    must!(client.input.read(10), Err(StreamError::Closed));
    must!(client.input.read(0), Err(StreamError::Closed));
    Ok(())
}

fn closed_for_sending(family: IpAddressFamily) -> Kept {
    let (client, _server) = pair(family)?;
    must!(client.output.check_write(), Ok(3..));
    must!(client.socket.shutdown(ShutdownType::Send), Ok(()));
    must!(client.output.write(b"no!"), Err(StreamError::Closed));
    must!(client.output.check_write(), Err(StreamError::Closed));
    must!(client.output.flush(), Err(StreamError::Closed));
    Ok(())
}

fn half_closed(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    must!(client.output.blocking_write_and_flush(b"question"), Ok(()));
    must!(client.socket.shutdown(ShutdownType::Send), Ok(()));
    let question = read_to_end(&server.input)?;
    must!(server.output.blocking_write_and_flush(b"answer"), Ok(()));
    must!(server.socket.shutdown(ShutdownType::Send), Ok(()));
    let answer = read_to_end(&client.input)?;
    if (&question[..], &answer[..]) == (b"question", b"answer") {
        Ok(())
    } else {
        Err(format!("asked {question:?}, answered {answer:?}"))
    }
}

fn nothing_lost(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    must!(client.socket.set_send_buffer_size(1024), Ok(()));
    let permit = client.output.check_write().map_err(|error| format!("{error:?}"))?;
    let data = vec![7; usize::try_from(permit).expect("fits 32 bits").min(1 << 20)];
    must!(client.output.write(&data), Ok(()));
    must!(client.socket.shutdown(ShutdownType::Send), Ok(()));
    let arrived = read_to_end(&server.input)?.len();
    if arrived == data.len() {
        Ok(())
    } else {
        Err(format!("wrote {} bytes, {arrived} arrived", data.len()))
    }
}

fn always_writable(family: IpAddressFamily) -> Kept {
    let (client, _server) = pair(family)?;
    client.output.subscribe().block();
    for _ in 0..1000 {
        must!(client.output.check_write(), Ok(1..));
    }
    Ok(())
}

fn small_writes(family: IpAddressFamily) -> Kept {
    const COUNT: usize = 300;
    let (client, server) = pair(family)?;
    client.output.subscribe().block();
    for _ in 0..COUNT {
        must!(client.output.check_write(), Ok(1..));
        must!(client.output.write(b"x"), Ok(()));
    }
    must!(client.socket.shutdown(ShutdownType::Send), Ok(()));
    let arrived = read_to_end(&server.input)?.len();
    if arrived == COUNT { Ok(()) } else { Err(format!("{arrived} of {COUNT} bytes arrived")) }
}

/// A writer that nobody reads is stopped before it has filled the host's memory.
fn back_pressure(family: IpAddressFamily) -> Kept {
    const ENOUGH: u64 = 256 << 20;
    let (client, server) = pair(family)?;
    let chunk = vec![7; 1 << 16];
    let mut written = 0;
    loop {
        let permit = client.output.check_write().map_err(|error| format!("{error:?}"))?;
        if permit == 0 {
            break;
        }
        let count = usize::try_from(permit).unwrap_or(usize::MAX).min(chunk.len());
        must!(client.output.write(&chunk[..count]), Ok(()));
        written += count as u64;
        if written > ENOUGH {
            return Err(format!("{written} bytes went in and nobody has read one"));
        }
    }
    // And it goes on once somebody reads.
    let mut left = written;
    while left > 0 {
        let bytes =
            server.input.blocking_read(left.min(1 << 16)).map_err(|error| format!("{error:?}"))?;
        left -= bytes.len() as u64;
    }
    client.output.subscribe().block();
    must!(client.output.check_write(), Ok(1..));
    Ok(())
}

fn dropped(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    drop(server);
    client.input.subscribe().block();
    must!(client.input.read(10), Err(_));
    // The first write may still find a buffer; some write soon does not.
    for _ in 0..1000 {
        if client.output.blocking_write_and_flush(b"is anybody there?").is_err() {
            return Ok(());
        }
    }
    Err("a thousand writes to nobody went well".into())
}

fn backlog_dropped(family: IpAddressFamily) -> Kept {
    let (listener, address) = listener(family)?;
    let client = tcp(family)?;
    let (input, output) = match connect(&client, address) {
        Ok(streams) => streams,
        // A host may also wait for `accept` before it connects.
        Err(ErrorCode::ConnectionRefused | ErrorCode::ConnectionReset) => return Ok(()),
        Err(error) => return Err(format!("connect gave {error:?}")),
    };
    drop(listener);
    input.subscribe().block();
    must!(input.read(10), Err(_));
    drop(output);
    Ok(())
}

fn read_exactly(input: &InputStream, count: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let wanted = (count - bytes.len()) as u64;
        bytes.extend(input.blocking_read(wanted).map_err(|error| format!("{error:?}"))?);
    }
    Ok(bytes)
}

fn read_to_end(input: &InputStream) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        match input.blocking_read(1 << 16) {
            Ok(more) => bytes.extend(more),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(format!("after {} bytes: {error:?}", bytes.len())),
        }
    }
}
