//! TCP of WASI 0.3 on the loopback: connections are streams of bytes, a listener a stream of sockets.

use std::fmt::Debug;

use wasip3::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket,
};
use wasip3::wit_bindgen::rt::async_support::{FutureReader, StreamReader};
use wasip3::wit_stream;

type Outcome = FutureReader<Result<(), ErrorCode>>;

/// The listening socket, which must be kept, and the connections that come in.
pub(crate) fn listen(port: u16) -> Result<(TcpSocket, StreamReader<TcpSocket>), String> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(text)?;
    socket.bind(address((0, 0, 0, 0), port)).map_err(text)?;
    let incoming = socket.listen().map_err(text)?;
    Ok((socket, incoming))
}

pub(crate) async fn connect(port: u16) -> Result<Connection, String> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(text)?;
    socket.connect(address((127, 0, 0, 1), port)).await.map_err(text)?;
    Ok(Connection::new(socket))
}

pub(crate) struct Connection {
    socket: TcpSocket,
}

impl Connection {
    pub(crate) fn new(socket: TcpSocket) -> Self {
        Self { socket }
    }

    /// Sends all and closes this direction: the other side reads to its end.
    pub(crate) async fn send_all(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let (mut writer, reader) = wit_stream::new();
        let sent: Outcome = self.socket.send(reader);
        let left = writer.write_all(bytes).await;
        drop(writer);
        sent.await.map_err(text)?;
        if left.is_empty() { Ok(()) } else { Err(format!("{} bytes were not taken", left.len())) }
    }

    /// Reads until the other side closes its direction.
    pub(crate) async fn receive_all(&mut self) -> Result<Vec<u8>, String> {
        let (bytes, received) = self.socket.receive();
        let bytes = bytes.collect().await;
        received.await.map_err(text)?;
        Ok(bytes)
    }
}

fn address(address: (u8, u8, u8, u8), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address })
}

fn text(error: impl Debug) -> String {
    format!("{error:?}")
}
