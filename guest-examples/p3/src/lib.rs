//! Many things at once in one thread, by the asynchronous functions, streams and futures of WASI 0.3.
//!
//! `p3 serve PORT COUNT` answers COUNT connections, then ends. Each brings one word, which goes back
//! in capitals after a wait of a tenth of a second per letter.
//! `p3 ask PORT WORD...` sends every word over a connection of its own, all at once: the answers
//! come back shortest first, and the longest wait is all that it takes.

mod net;

use std::fmt::Display;

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt as _};
use wasip3::cli::{environment, stderr, stdout};
use wasip3::clocks::monotonic_clock;
use wasip3::sockets::types::TcpSocket;
use wasip3::wit_stream;

use net::Connection;

const WAIT_PER_LETTER: u64 = 100_000_000; // nanoseconds
/// The server's container may start after the client's.
const ATTEMPTS: u32 = 50;
const RETRY_AFTER: u64 = 100_000_000; // nanoseconds

struct Program;

wasip3::cli::command::export!(Program);

impl wasip3::exports::cli::run::Guest for Program {
    async fn run() -> Result<(), ()> {
        let arguments = environment::get_arguments();
        let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [_, "serve", port, count] => serve(port, count).await,
            [_, "ask", port, ref words @ ..] => ask(port, words).await,
            _ => Err(String::from("usage: p3 serve PORT COUNT | p3 ask PORT WORD...")),
        };
        if let Err(problem) = outcome {
            let (mut writer, reader) = wit_stream::new();
            let written = stderr::write_via_stream(reader);
            writer.write_all(format!("error: {problem}\n").into_bytes()).await;
            drop(writer);
            let _ = written.await;
            return Err(());
        }
        Ok(())
    }
}

async fn serve(port: &str, count: &str) -> Result<(), String> {
    let count: usize = count.parse().map_err(|error| format!("COUNT is `{count}`: {error}"))?;
    let (_listening, mut incoming) = net::listen(parse_port(port)?)?;
    say(format!("listening on port {port}")).await;
    let mut running = FuturesUnordered::new();
    for _ in 0..count {
        // Answers those that are here while it waits for the next one.
        let mut next = Box::pin(incoming.next());
        let socket = loop {
            if running.is_empty() {
                break next.await;
            }
            let finished = running.select_next_some();
            match futures::future::select(next, finished).await {
                futures::future::Either::Left((socket, _)) => break socket,
                futures::future::Either::Right(((), still_waiting)) => next = still_waiting,
            }
        };
        let Some(socket) = socket else {
            return Err(String::from("the listener was closed"));
        };
        running.push(answer(socket));
    }
    while running.next().await.is_some() {}
    say(String::from("answered everyone")).await;
    Ok(())
}

/// A client that breaks off is its own loss: the others are served on.
async fn answer(socket: TcpSocket) {
    let mut connection = Connection::new(socket);
    match connection.receive_all().await.map(String::from_utf8) {
        Ok(Ok(word)) => {
            let letters = u64::try_from(word.chars().count()).unwrap_or(u64::MAX);
            monotonic_clock::wait_for(letters.saturating_mul(WAIT_PER_LETTER)).await;
            let _ = connection.send_all(word.to_uppercase().into_bytes()).await;
        }
        Ok(Err(_)) => say(String::from("a word that is not UTF-8")).await,
        Err(problem) => say(format!("a connection broke: {problem}")).await,
    }
}

async fn ask(port: &str, words: &[&str]) -> Result<(), String> {
    let port = parse_port(port)?;
    let outcomes = join_all(words.iter().map(|word| async move {
        let answer = exchange(port, word).await?;
        say(format!("{word} comes back as {answer}")).await;
        Ok::<(), String>(())
    }));
    outcomes.await.into_iter().collect()
}

async fn exchange(port: u16, word: &str) -> Result<String, String> {
    let mut attempt = 1;
    let mut connection = loop {
        match net::connect(port).await {
            Ok(connection) => break connection,
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(problem) => return Err(problem),
        }
        monotonic_clock::wait_for(RETRY_AFTER).await;
    };
    connection.send_all(word.as_bytes().to_vec()).await?;
    let answer = connection.receive_all().await?;
    String::from_utf8(answer).map_err(|error| error.to_string())
}

fn parse_port(port: &str) -> Result<u16, String> {
    port.parse().map_err(|error| format!("PORT is `{port}`: {error}"))
}

/// One line to standard output.
async fn say(line: impl Display) {
    let (mut writer, reader) = wit_stream::new();
    let written = stdout::write_via_stream(reader);
    writer.write_all(format!("{line}\n").into_bytes()).await;
    drop(writer);
    let _ = written.await;
}
