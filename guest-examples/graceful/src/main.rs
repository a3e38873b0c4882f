//! A web server that finishes what it has begun before it stops.
//!
//! Every answer takes as long as its path says, `/250` a quarter of a second, as work would. When the
//! container is told to stop the server takes no new connection, answers those that it has, says
//! goodbye and ends with exit code 0, all within the grace period.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use wasmpod_guest::StopRequest;
use wasmpod_guest::p2::stop;
use wstd::io::{AsyncRead as _, AsyncWrite as _};
use wstd::iter::AsyncIterator as _;
use wstd::net::{TcpListener, TcpStream};
use wstd::runtime::{AsyncPollable, Task, spawn};
use wstd::task::sleep;

const ADDRESS: &str = "0.0.0.0:8080";

/// How long a client may take to say what it wants: nobody can hold up the end by silence.
const PATIENCE: Duration = Duration::from_secs(2);

/// Left of the grace period for the way out.
const MARGIN: Duration = Duration::from_millis(500);

const MOST_HEADERS: usize = 32;
const MOST_BYTES: usize = 8 << 10;

#[wstd::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(ADDRESS).await?;
    println!("listening on {ADDRESS}");
    let mut server = Server::default();
    let request = server.accept_until_stop(&listener).await?;
    println!("told to stop by {}, {} s are left", request.signal, request.grace.as_secs());
    let left = request.grace.saturating_sub(MARGIN);
    let finishing = pin!(server.finish());
    match select(finishing, pin!(sleep(left.into()))).await {
        Either::Left((answered, _)) => {
            println!("answered {answered}, goodbye");
            Ok(())
        }
        Either::Right(_) => Err("some answers took longer than the grace period".into()),
    }
}

#[derive(Default)]
struct Server {
    /// Connections that are open, each with the number of its answers.
    open: Vec<Task<usize>>,
    answered: usize,
}

impl Server {
    /// Takes connections until the container is to stop, and then those that were waiting by then:
    /// to their clients they are open.
    async fn accept_until_stop(
        &mut self,
        listener: &TcpListener,
    ) -> Result<StopRequest, Box<dyn Error>> {
        let asked = AsyncPollable::new(stop::subscribe());
        let mut incoming = listener.incoming();
        loop {
            let next = pin!(incoming.next());
            // Looked at first: a connection that waits is taken even when the stop has come.
            match select(next, pin!(asked.wait_for())).await {
                Either::Left((Some(Ok(connection)), _)) => self.serve(connection).await,
                // The host takes no more for it once the stop has come.
                Either::Left((Some(Err(error)), _)) => {
                    return stop::requested().ok_or_else(|| error.into());
                }
                Either::Left((None, _)) => return Err("the listener is gone".into()),
                Either::Right(((), _)) => {
                    return stop::requested().ok_or_else(|| "no stop has come".into());
                }
            }
        }
    }

    async fn serve(&mut self, connection: TcpStream) {
        let (over, open) = self.open.drain(..).partition(Task::is_finished);
        self.open = open;
        self.answered += total(over).await;
        self.open.push(spawn(async move {
            match answer(connection).await {
                Ok(()) => 1,
                Err(error) => {
                    eprintln!("a connection without an answer: {error}");
                    0
                }
            }
        }));
    }

    /// Waits until every connection has its answer; how many there were in all.
    async fn finish(self) -> usize {
        self.answered + total(self.open).await
    }
}

async fn total(tasks: Vec<Task<usize>>) -> usize {
    let mut sum = 0;
    for task in tasks {
        sum += task.await;
    }
    sum
}

/// One request, one answer.
async fn answer(mut connection: TcpStream) -> io::Result<()> {
    let path = patiently(read_path(&mut connection)).await?;
    let milliseconds = path.trim_start_matches('/').parse().unwrap_or(0);
    let body = format!("that took {milliseconds} ms\n");
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).await?;
    connection.flush().await?;
    sleep(Duration::from_millis(milliseconds).into()).await;
    connection.write_all(body.as_bytes()).await?;
    connection.flush().await
}

async fn patiently<T>(asking: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match select(pin!(asking), pin!(sleep(PATIENCE.into()))).await {
        Either::Left((said, _)) => said,
        Either::Right(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn read_path(connection: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let read = connection.read(&mut piece).await?;
        bytes.extend_from_slice(&piece[..read]);
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let complete = request.parse(&bytes).map_err(io::Error::other)?.is_complete();
        match request.path {
            Some(path) if complete => return Ok(path.to_owned()),
            _ if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if bytes.len() > MOST_BYTES => return Err(io::ErrorKind::InvalidData.into()),
            _ => {}
        }
    }
}
