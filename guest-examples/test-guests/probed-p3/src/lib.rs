//! `probed` by the interfaces of WASI 0.3 alone; `serve` takes an address.

use probed::{Answer, answer};
use wasip3::cli::{environment, stdout};
use wasip3::clocks::monotonic_clock;
use wasip3::sockets::types::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket};
use wasip3::wit_bindgen::StreamReader;
use wasip3::wit_stream;

const HOUR: u64 = 3_600_000_000_000; // nanoseconds

struct Program;

wasip3::cli::command::export!(Program);

impl wasip3::exports::cli::run::Guest for Program {
    async fn run() -> Result<(), ()> {
        let arguments = environment::get_arguments();
        match arguments.iter().skip(1).map(String::as_str).collect::<Vec<_>>()[..] {
            ["serve", address] => serve(address).await.map_err(drop),
            ["well"] => Ok(()),
            ["ill"] => {
                say("ill\n").await;
                Err(())
            }
            ["silent"] => loop {
                monotonic_clock::wait_for(HOUR).await;
            },
            _ => Err(()),
        }
    }
}

async fn serve(address: &str) -> Result<(), Box<dyn std::error::Error>> {
    let failed = |error| format!("{error:?}");
    let address: std::net::SocketAddrV4 = address.parse()?;
    let [a, b, c, d] = address.ip().octets();
    let address = Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) };
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(failed)?;
    socket.bind(IpSocketAddress::Ipv4(address)).map_err(failed)?;
    let mut incoming = socket.listen().map_err(failed)?;
    // Those that never get an answer.
    let mut silent = Vec::new();
    while let Some(connection) = incoming.next().await {
        let (mut bytes, _received) = connection.receive();
        match question(&mut bytes).await {
            Some(Answer::Bytes(answer)) => {
                let (mut writer, reader) = wit_stream::new();
                let sent = connection.send(reader);
                writer.write_all(answer).await;
                drop(writer);
                let _ = sent.await;
                // Whoever asked ends the connection.
                while bytes.next().await.is_some() {}
            }
            Some(Answer::Never) => silent.push((connection, bytes)),
            Some(Answer::Incomplete) | None => {}
        }
    }
    Ok(())
}

/// What is to be said, once the question is complete; none if it never is.
async fn question(bytes: &mut StreamReader<u8>) -> Option<Answer> {
    let mut received = Vec::new();
    loop {
        received.push(bytes.next().await?);
        match answer(&received) {
            Answer::Incomplete => {}
            answer => return Some(answer),
        }
    }
}

async fn say(line: &str) {
    let (mut writer, reader) = wit_stream::new();
    let written = stdout::write_via_stream(reader);
    writer.write_all(line.as_bytes().to_vec()).await;
    drop(writer);
    let _ = written.await;
}
