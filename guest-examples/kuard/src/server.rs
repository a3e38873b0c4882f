//! Many connections on one thread: `poll` says which can go on, each keeps its own state.
//!
//! ```text
//! accept ──▶ Reading ──whole request──▶ Writing ──all sent──▶ closed
//!               └── bad, too large or too slow ──▶ Writing (4xx)
//! ```
//!
//! A connection carries one request: browsers open spare ones that stay silent, and those must hold
//! up nobody. When the listener ends (a Pod that stops refuses new connections), what has begun is
//! finished first.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::http::{Body, Parsed, Request, Response, parse};

/// More wait in the backlog until one of these has ended.
const MAX_CONNECTIONS: usize = 256;
/// For a whole request to come, and again for a whole response to go.
const PATIENCE: Duration = Duration::from_secs(20);
const CHUNK: usize = 64 * 1024;

/// Serves until the listener is closed and the last connection has ended.
///
/// # Errors
/// When `poll` itself fails; a broken connection ends that connection only.
pub(crate) fn serve(
    listener: TcpListener,
    mut answer: impl FnMut(&Request) -> Response,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = Some(listener);
    let mut connections: Vec<Connection> = Vec::new();
    while listener.is_some() || !connections.is_empty() {
        let (accept, ready) = wait(listener.as_ref(), &connections)?;
        let now = Instant::now();
        let mut index = 0;
        connections.retain_mut(|connection| {
            index += 1;
            if ready[index - 1] {
                connection.go_on(&mut answer)
            } else {
                connection.deadline > now || connection.give_up()
            }
        });
        if accept && let Some(open) = &listener {
            match accept_waiting(open, &mut connections) {
                Ok(()) => {}
                Err(error) => {
                    println!("the listener ended ({error}): {} to finish", connections.len());
                    listener = None;
                }
            }
        }
    }
    Ok(())
}

/// Waits for the first thing to do: whether to accept, and which connections are ready.
fn wait(
    listener: Option<&TcpListener>,
    connections: &[Connection],
) -> io::Result<(bool, Vec<bool>)> {
    let listener = listener.filter(|_| connections.len() < MAX_CONNECTIONS);
    let mut sources: Vec<PollFd<'_>> =
        connections.iter().map(|it| PollFd::new(&it.stream, it.interest())).collect();
    sources.extend(listener.map(|it| PollFd::new(it, PollFlags::IN)));

    let now = Instant::now();
    let patience = connections.iter().map(|it| it.deadline.saturating_duration_since(now)).min();
    let patience = patience.and_then(|duration| Timespec::try_from(duration).ok());
    match poll(&mut sources, patience.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ready: Vec<bool> = sources.iter().map(|it| !it.revents().is_empty()).collect();
    let accept = listener.is_some() && ready.pop().unwrap_or(false);
    Ok((accept, ready))
}

fn accept_waiting(listener: &TcpListener, connections: &mut Vec<Connection>) -> io::Result<()> {
    while connections.len() < MAX_CONNECTIONS {
        match listener.accept() {
            Ok((stream, peer)) => {
                // A connection that is gone already is its client's business.
                if stream.set_nonblocking(true).is_ok() {
                    connections.push(Connection::new(stream, peer));
                }
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(()),
                ErrorKind::Interrupted
                | ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset => {}
                _ => return Err(error),
            },
        }
    }
    Ok(())
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    state: State,
    deadline: Instant,
}

enum State {
    Reading { received: Vec<u8> },
    Writing { pending: Vec<u8>, sent: usize, file: Option<(File, u64)> },
}

/// Whether a connection stays open.
type Open = bool;

impl Connection {
    fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        let state = State::Reading { received: Vec::new() };
        Self { stream, peer, state, deadline: Instant::now() + PATIENCE }
    }

    fn interest(&self) -> PollFlags {
        match self.state {
            State::Reading { .. } => PollFlags::IN,
            State::Writing { .. } => PollFlags::OUT,
        }
    }

    fn go_on(&mut self, answer: &mut impl FnMut(&Request) -> Response) -> Open {
        let outcome = match self.state {
            State::Reading { .. } => self.read(answer),
            State::Writing { .. } => self.write(),
        };
        match outcome {
            Ok(open) => open,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    fn read(&mut self, answer: &mut impl FnMut(&Request) -> Response) -> io::Result<Open> {
        let State::Reading { received } = &mut self.state else {
            return Ok(true);
        };
        let mut chunk = [0; 8 * 1024];
        let count = match self.stream.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            outcome => outcome?,
        };
        if count == 0 {
            return Ok(false);
        }
        received.extend_from_slice(&chunk[..count]);
        match parse(received) {
            Parsed::Incomplete => Ok(true),
            Parsed::Bad(response) => {
                println!("{} bad request, {}", self.peer, response.status.code());
                self.respond(response, true)
            }
            Parsed::Request(mut request) => {
                request.peer = Some(self.peer);
                request.local = self.stream.local_addr().ok();
                let response = answer(&request);
                let status = response.status.code();
                println!("{} {} {} {status}", self.peer, request.method, request.target);
                self.respond(response, request.method != "HEAD")
            }
        }
    }

    fn respond(&mut self, response: Response, with_body: bool) -> io::Result<Open> {
        let mut pending = response.head();
        let mut file = None;
        match response.body {
            _ if !with_body => {}
            Body::Bytes(bytes) => pending.extend_from_slice(&bytes),
            Body::File { file: open, length } => file = Some((open, length)),
        }
        self.state = State::Writing { pending, sent: 0, file };
        self.deadline = Instant::now() + PATIENCE;
        self.write()
    }

    fn write(&mut self) -> io::Result<Open> {
        let State::Writing { pending, sent, file } = &mut self.state else {
            return Ok(true);
        };
        loop {
            while *sent < pending.len() {
                match self.stream.write(&pending[*sent..]) {
                    Ok(0) => return Ok(false),
                    Ok(count) => *sent += count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
                // A client that takes something, however slowly, is still there.
                self.deadline = Instant::now() + PATIENCE;
            }
            let Some((open, left)) = file.as_mut().filter(|(_, left)| *left > 0) else {
                return Ok(false);
            };
            pending.resize(CHUNK, 0);
            let wanted = usize::try_from(*left).unwrap_or(CHUNK).min(CHUNK);
            let count = open.read(&mut pending[..wanted])?;
            // A file that shrank meanwhile cannot keep the length that was promised.
            if count == 0 {
                return Ok(false);
            }
            pending.truncate(count);
            *sent = 0;
            *left -= u64::try_from(count).expect("a chunk's length fits");
        }
    }

    /// Time is up: tells a client that has said only half a request, drops one that takes nothing.
    fn give_up(&mut self) -> Open {
        let half = matches!(&self.state, State::Reading { received } if !received.is_empty());
        half && self.respond(Response::request_timeout(), true).unwrap_or(false)
    }
}
