//! Sockets with the waiting done: what every rule begins with.

use wasip2::io::streams::{InputStream, OutputStream};
use wasip2::sockets::instance_network::{Network, instance_network};
use wasip2::sockets::network::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp::UdpSocket;
use wasip2::sockets::udp_create_socket::create_udp_socket;

type Answer<Value> = Result<Value, ErrorCode>;

pub(crate) fn network() -> Network {
    instance_network()
}

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

// ---- TCP

pub(crate) fn tcp(family: IpAddressFamily) -> Result<TcpSocket, String> {
    create_tcp_socket(family).map_err(|error| format!("no TCP socket: {error:?}"))
}

/// Ends what `start` began, as often as it takes.
fn finish<Value>(socket: &TcpSocket, attempt: impl Fn() -> Answer<Value>) -> Answer<Value> {
    loop {
        match attempt() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            answer => return answer,
        }
    }
}

pub(crate) fn bind(socket: &TcpSocket, address: IpSocketAddress) -> Answer<()> {
    socket.start_bind(&network(), address)?;
    finish(socket, || socket.finish_bind())
}

pub(crate) fn listen(socket: &TcpSocket) -> Answer<()> {
    socket.start_listen()?;
    finish(socket, || socket.finish_listen())
}

pub(crate) fn connect(
    socket: &TcpSocket,
    address: IpSocketAddress,
) -> Answer<(InputStream, OutputStream)> {
    socket.start_connect(&network(), address)?;
    finish(socket, || socket.finish_connect())
}

/// The streams of a connection that a rule takes for granted.
pub(crate) fn connected(
    socket: &TcpSocket,
    address: IpSocketAddress,
) -> Result<(InputStream, OutputStream), String> {
    connect(socket, address).map_err(|error| format!("no connection: {error:?}"))
}

pub(crate) fn accept(socket: &TcpSocket) -> Answer<(TcpSocket, InputStream, OutputStream)> {
    finish(socket, || socket.accept())
}

/// A listener on a free port of the loopback, and its address.
pub(crate) fn listener(family: IpAddressFamily) -> Result<(TcpSocket, IpSocketAddress), String> {
    let socket = tcp(family)?;
    bind(&socket, loopback(family, 0)).map_err(|error| format!("no bind: {error:?}"))?;
    listen(&socket).map_err(|error| format!("no listen: {error:?}"))?;
    let address = socket.local_address().map_err(|error| format!("no address: {error:?}"))?;
    Ok((socket, address))
}

/// One end of a connection.
pub(crate) struct End {
    // Streams are children of their socket: they have to go first.
    pub(crate) input: InputStream,
    pub(crate) output: OutputStream,
    pub(crate) socket: TcpSocket,
}

/// A connection: the client's end and the server's.
pub(crate) fn pair(family: IpAddressFamily) -> Result<(End, End), String> {
    let (listener, address) = listener(family)?;
    let client = tcp(family)?;
    let (input, output) = connected(&client, address)?;
    let client = End { input, output, socket: client };
    let (socket, input, output) =
        accept(&listener).map_err(|error| format!("nothing to accept: {error:?}"))?;
    Ok((client, End { input, output, socket }))
}

// ---- UDP

pub(crate) fn udp(family: IpAddressFamily) -> Result<UdpSocket, String> {
    create_udp_socket(family).map_err(|error| format!("no UDP socket: {error:?}"))
}

pub(crate) fn bind_udp(socket: &UdpSocket, address: IpSocketAddress) -> Answer<()> {
    socket.start_bind(&network(), address)?;
    loop {
        match socket.finish_bind() {
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            answer => return answer,
        }
    }
}

/// A UDP socket on a free port of the loopback, and its address.
pub(crate) fn bound_udp(family: IpAddressFamily) -> Result<(UdpSocket, IpSocketAddress), String> {
    let socket = udp(family)?;
    bind_udp(&socket, loopback(family, 0)).map_err(|error| format!("no bind: {error:?}"))?;
    let address = socket.local_address().map_err(|error| format!("no address: {error:?}"))?;
    Ok((socket, address))
}
