//! Addresses and connections: what every rule begins with.

use futures::join;
use wasip3::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, TcpSocket,
    UdpSocket,
};
use wasip3::wit_bindgen::rt::async_support::{FutureReader, StreamReader, StreamWriter};
use wasip3::wit_stream;

pub(crate) fn loopback(family: IpAddressFamily, port: u16) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => v4((127, 0, 0, 1), port),
        IpAddressFamily::Ipv6 => v6((0, 0, 0, 0, 0, 0, 0, 1), port),
    }
}

pub(crate) fn unspecified(family: IpAddressFamily, port: u16) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => v4((0, 0, 0, 0), port),
        IpAddressFamily::Ipv6 => v6((0, 0, 0, 0, 0, 0, 0, 0), port),
    }
}

/// An address that documentation owns and no machine has.
pub(crate) fn foreign(family: IpAddressFamily, port: u16) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => v4((192, 0, 2, 7), port),
        IpAddressFamily::Ipv6 => v6((0x2001, 0xdb8, 0, 0, 0, 0, 0, 7), port),
    }
}

pub(crate) fn multicast(family: IpAddressFamily, port: u16) -> IpSocketAddress {
    match family {
        IpAddressFamily::Ipv4 => v4((224, 0, 0, 251), port),
        IpAddressFamily::Ipv6 => v6((0xff02, 0, 0, 0, 0, 0, 0, 0xfb), port),
    }
}

/// 127.0.0.1 in IPv6's clothes, which WASI takes for no address at all.
pub(crate) fn mapped_loopback(port: u16) -> IpSocketAddress {
    v6((0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), port)
}

pub(crate) fn other(family: IpAddressFamily) -> IpAddressFamily {
    match family {
        IpAddressFamily::Ipv4 => IpAddressFamily::Ipv6,
        IpAddressFamily::Ipv6 => IpAddressFamily::Ipv4,
    }
}

fn v4(address: (u8, u8, u8, u8), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address })
}

fn v6(address: (u16, u16, u16, u16, u16, u16, u16, u16), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 })
}

pub(crate) fn port(address: IpSocketAddress) -> u16 {
    match address {
        IpSocketAddress::Ipv4(v4) => v4.port,
        IpSocketAddress::Ipv6(v6) => v6.port,
    }
}

/// Whether two addresses are the same but for what only IPv6 has.
pub(crate) fn same(left: IpSocketAddress, right: IpSocketAddress) -> bool {
    match (left, right) {
        (IpSocketAddress::Ipv4(left), IpSocketAddress::Ipv4(right)) => {
            left.address == right.address && left.port == right.port
        }
        (IpSocketAddress::Ipv6(left), IpSocketAddress::Ipv6(right)) => {
            left.address == right.address && left.port == right.port
        }
        _ => false,
    }
}

pub(crate) fn tcp(family: IpAddressFamily) -> Result<TcpSocket, String> {
    TcpSocket::create(family).map_err(|error| format!("no TCP socket: {error:?}"))
}

pub(crate) fn udp(family: IpAddressFamily) -> Result<UdpSocket, String> {
    UdpSocket::create(family).map_err(|error| format!("no UDP socket: {error:?}"))
}

/// A UDP socket on a free port of the loopback, and its address.
pub(crate) fn bound_udp(family: IpAddressFamily) -> Result<(UdpSocket, IpSocketAddress), String> {
    let socket = udp(family)?;
    socket.bind(loopback(family, 0)).map_err(|error| format!("no bind: {error:?}"))?;
    let address = socket.get_local_address().map_err(|error| format!("no address: {error:?}"))?;
    Ok((socket, address))
}

/// A socket that listens on a free port of the loopback.
pub(crate) struct Listener {
    pub(crate) incoming: StreamReader<TcpSocket>,
    pub(crate) address: IpSocketAddress,
    pub(crate) socket: TcpSocket,
}

pub(crate) fn listener(family: IpAddressFamily) -> Result<Listener, String> {
    let socket = tcp(family)?;
    socket.bind(loopback(family, 0)).map_err(|error| format!("no bind: {error:?}"))?;
    let incoming = socket.listen().map_err(|error| format!("no listen: {error:?}"))?;
    let address = socket.get_local_address().map_err(|error| format!("no address: {error:?}"))?;
    Ok(Listener { incoming, address, socket })
}

/// Connects the socket to the listener and accepts.
pub(crate) async fn meet(client: &TcpSocket, listener: &mut Listener) -> Result<TcpSocket, String> {
    let (connected, accepted) = join!(client.connect(listener.address), listener.incoming.next());
    connected.map_err(|error| format!("no connection: {error:?}"))?;
    accepted.ok_or_else(|| String::from("nothing to accept"))
}

/// One end of a connection, with both directions begun.
pub(crate) struct End {
    pub(crate) socket: TcpSocket,
    pub(crate) input: StreamReader<u8>,
    pub(crate) received: FutureReader<Result<(), ErrorCode>>,
    pub(crate) output: StreamWriter<u8>,
    pub(crate) sent: FutureReader<Result<(), ErrorCode>>,
}

impl End {
    fn new(socket: TcpSocket) -> Self {
        let (output, bytes) = wit_stream::new();
        let sent = socket.send(bytes);
        let (input, received) = socket.receive();
        Self { socket, input, received, output, sent }
    }
}

/// A connection: the client's end and the server's.
pub(crate) async fn pair(family: IpAddressFamily) -> Result<(End, End), String> {
    let mut listener = listener(family)?;
    let client = tcp(family)?;
    let server = meet(&client, &mut listener).await?;
    Ok((End::new(client), End::new(server)))
}
