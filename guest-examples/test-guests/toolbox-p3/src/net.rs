//! TCP, UDP and names.

use std::future::Future;
use std::net::SocketAddr;

use futures::future::{Either, select};
use wasip3::clocks::monotonic_clock;
use wasip3::sockets::ip_name_lookup::resolve_addresses;
use wasip3::sockets::types::{
    IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, TcpSocket,
    UdpSocket,
};
use wasip3::wit_stream;

use crate::stdio::{print, print_bytes};
use crate::{Outcome, text};

const ATTEMPTS: u32 = 100;
const PAUSE: u64 = 100_000_000; // nanoseconds

pub(crate) async fn resolve(name: &str) -> Outcome {
    let found = resolve_addresses(name.to_owned()).await.map_err(text)?;
    let lines: String = found.into_iter().map(|address| show(address) + "\n").collect();
    print(&lines).await
}

pub(crate) async fn tcp_echo(address: &str, count: u64) -> Outcome {
    let address = parse(address)?;
    let socket = TcpSocket::create(family(&address)).map_err(text)?;
    socket.bind(address).map_err(text)?;
    let mut incoming = socket.listen().map_err(text)?;
    print("listening\n").await?;
    for _ in 0..count {
        let connection = incoming.next().await.ok_or("the listener was closed")?;
        let (bytes, received) = connection.receive();
        // What comes in goes out again without entering this program.
        connection.send(bytes).await.map_err(text)?;
        received.await.map_err(text)?;
    }
    Ok(())
}

pub(crate) async fn tcp_send(address: &str, said: &str) -> Outcome {
    let connection = connect(parse(address)?).await?;
    let (mut writer, reader) = wit_stream::new();
    let sent = connection.send(reader);
    writer.write_all(said.as_bytes().to_vec()).await;
    drop(writer);
    sent.await.map_err(text)?;
    let (bytes, received) = connection.receive();
    let mut answer = bytes.collect().await;
    received.await.map_err(text)?;
    answer.push(b'\n');
    print_bytes(answer).await
}

async fn connect(address: IpSocketAddress) -> Result<TcpSocket, String> {
    let mut attempt = 1;
    loop {
        let socket = TcpSocket::create(family(&address)).map_err(text)?;
        match socket.connect(address).await {
            Ok(()) => return Ok(socket),
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(text(error)),
        }
        monotonic_clock::wait_for(PAUSE).await;
    }
}

pub(crate) async fn udp_echo(address: &str, count: u64) -> Outcome {
    let address = parse(address)?;
    let socket = UdpSocket::create(family(&address)).map_err(text)?;
    socket.bind(address).map_err(text)?;
    print("listening\n").await?;
    for _ in 0..count {
        let (datagram, peer) = socket.receive().await.map_err(text)?;
        socket.send(datagram, Some(peer)).await.map_err(text)?;
    }
    Ok(())
}

pub(crate) async fn udp_send(address: &str, said: &str) -> Outcome {
    let address = parse(address)?;
    let socket = UdpSocket::create(family(&address)).map_err(text)?;
    socket.connect(address).map_err(text)?;
    for _ in 0..ATTEMPTS {
        // What an earlier datagram ran into (nobody listening) may be reported by a later call.
        let _ = socket.send(said.as_bytes().to_vec(), None).await;
        if let Some(Ok((mut datagram, _))) = within(PAUSE, socket.receive()).await {
            datagram.push(b'\n');
            return print_bytes(datagram).await;
        }
    }
    Err(String::from("nothing came back"))
}

/// What the future gives, if it does so in time.
async fn within<Value>(nanoseconds: u64, future: impl Future<Output = Value>) -> Option<Value> {
    let pause = Box::pin(monotonic_clock::wait_for(nanoseconds));
    match select(Box::pin(future), pause).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

fn parse(address: &str) -> Result<IpSocketAddress, String> {
    let parsed: SocketAddr = address.parse().map_err(|error| format!("{address}: {error}"))?;
    Ok(match parsed {
        SocketAddr::V4(v4) => {
            let [a, b, c, d] = v4.ip().octets();
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port: v4.port(), address: (a, b, c, d) })
        }
        SocketAddr::V6(v6) => {
            let [a, b, c, d, e, f, g, h] = v6.ip().segments();
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: v6.port(),
                flow_info: v6.flowinfo(),
                address: (a, b, c, d, e, f, g, h),
                scope_id: v6.scope_id(),
            })
        }
    })
}

fn family(address: &IpSocketAddress) -> IpAddressFamily {
    match address {
        IpSocketAddress::Ipv4(_) => IpAddressFamily::Ipv4,
        IpSocketAddress::Ipv6(_) => IpAddressFamily::Ipv6,
    }
}

fn show(address: IpAddress) -> String {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => std::net::Ipv4Addr::new(a, b, c, d).to_string(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => {
            std::net::Ipv6Addr::new(a, b, c, d, e, f, g, h).to_string()
        }
    }
}
