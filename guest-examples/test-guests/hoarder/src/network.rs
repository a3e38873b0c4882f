//! Sockets, and what waits in them.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;

use crate::{Hoard, keep};

const BLOCK: [u8; 64 << 10] = [7; 64 << 10];

pub(crate) fn sockets(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let hoard = Hoard::of(most, &mut kept, |_| UdpSocket::bind("127.0.0.1:0"));
    keep(kept, hoard)
}

fn listener() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Writes until the pipe takes no more; answers how much it was.
fn fill(stream: &mut TcpStream) -> io::Result<usize> {
    stream.set_nonblocking(true)?;
    let mut written = 0;
    loop {
        match stream.write(&BLOCK) {
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(written),
            Err(error) => return Err(error),
        }
    }
}

fn full_pipe(
    listener: &TcpListener,
    address: SocketAddr,
) -> io::Result<(TcpStream, TcpStream, usize)> {
    let mut near = TcpStream::connect(address)?;
    let (far, _) = listener.accept()?;
    let written = fill(&mut near)?;
    Ok((near, far, written))
}

pub(crate) fn pipes(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let (listener, address) = listener().expect("a listener of its own");
    let hoard = Hoard::of(most, &mut kept, |_| full_pipe(&listener, address));
    keep((listener, kept), hoard)
}

pub(crate) fn tails(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let (listener, address) = listener().expect("a listener of its own");
    let hoard = Hoard::of(most, &mut kept, |_| {
        let (near, mut far, written) = full_pipe(&listener, address)?;
        let mut left = written - 1;
        let mut block = BLOCK;
        while left > 0 {
            let length = left.min(block.len());
            left -= far.read(&mut block[..length])?;
        }
        Ok::<_, io::Error>((near, far))
    });
    keep((listener, kept), hoard)
}

pub(crate) fn backlog(most: usize) -> ExitCode {
    let (mut listeners, mut count) = (Vec::new(), 0);
    let end = loop {
        let (listener, address) = match listener() {
            Ok(listener) => listener,
            Err(error) => break error.to_string(),
        };
        listeners.push(listener);
        // As many as wait in the queue of one listener by default.
        for _ in 0..128 {
            let called = TcpStream::connect(address).and_then(|mut stream| {
                stream.set_nonblocking(true)?;
                let _ = stream.write(&BLOCK[..4096]);
                Ok(())
            });
            match called {
                Ok(()) => count += 1,
                Err(_) => break,
            }
        }
        if count >= most {
            break "enough".to_owned();
        }
    };
    keep(listeners, Hoard { count, end })
}

pub(crate) fn datagrams(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket of its own");
    let hoard = Hoard::of(most, &mut kept, |_| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?;
        for size in [60_000, 60_000, 60_000, 8000, 8000, 8000, 100, 100] {
            sender.send_to(&BLOCK[..size], address)?;
        }
        Ok::<_, io::Error>(socket)
    });
    keep((sender, kept), hoard)
}
