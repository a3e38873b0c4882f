//! UDP: a socket and its two streams.

use super::super::bindings::wasi::sockets::udp::{
    HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, OutgoingDatagram,
};
use super::super::bindings::wasi::sockets::udp_create_socket;
use super::{Guest, code};
use crate::sandbox::wasi::NetworkView;
use crate::sandbox::wasi::p2::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};
use crate::sandbox::wasi::p2::{SocketError, udp};
use std::net::SocketAddr;
use wasmtime::component::Resource;

#[test]
fn datagram_streams_follow_their_socket() {
    let mut guest = Guest::new();
    let create = |guest: &mut Guest| {
        let family = IpAddressFamily::Ipv4;
        udp_create_socket::Host::create_udp_socket(&mut guest.network(), family).unwrap().rep()
    };
    let bind = |guest: &mut Guest, socket: u32, local: &str| {
        let network = guest.handle();
        let local: SocketAddr = local.parse().unwrap();
        let socket = || Resource::new_borrow(socket);
        let mut view = guest.network();
        HostUdpSocket::start_bind(&mut view, socket(), network, local.into()).unwrap();
        HostUdpSocket::finish_bind(&mut view, socket()).unwrap();
    };
    let (server, client) = (create(&mut guest), create(&mut guest));
    let socket = |rep: u32| Resource::new_borrow(rep);
    assert_eq!(code(guest.network().stream(socket(server), None)), ErrorCode::InvalidState);
    bind(&mut guest, server, "0.0.0.0:53");
    bind(&mut guest, client, "127.0.0.1:0");

    let (incoming, outgoing) = guest.network().stream(socket(server), None).unwrap();
    let still_open = guest.network().stream(socket(server), None);
    assert!(matches!(still_open, Err(SocketError::Trap(_))));
    let remote: SocketAddr = "127.0.0.1:53".parse().unwrap();
    let (answers, questions) = guest.network().stream(socket(client), Some(remote.into())).unwrap();

    let datagram = |data: &[u8], to: Option<SocketAddr>| OutgoingDatagram {
        data: data.to_vec(),
        remote_address: to.map(Into::into),
    };
    let borrow = |stream: &Resource<udp::OutgoingDatagrams>| Resource::new_borrow(stream.rep());
    let unpermitted = guest.network().send(borrow(&questions), vec![datagram(b"x", None)]);
    assert!(matches!(unpermitted, Err(SocketError::Trap(_))));
    assert_eq!(guest.network().check_send(borrow(&questions)).unwrap(), 16);
    let batch = vec![
        datagram(b"one", None),
        datagram(b"two", Some(remote)),
        datagram(b"lost", Some("127.0.0.1:9".parse().unwrap())),
    ];
    assert_eq!(guest.network().send(borrow(&questions), batch).unwrap(), 2);

    let receive = |stream: &Resource<udp::IncomingDatagrams>| Resource::new_borrow(stream.rep());
    assert!(guest.network().receive(receive(&incoming), 0).unwrap().is_empty());
    let received = guest.network().receive(receive(&incoming), 10).unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].data, b"two");
    let from = SocketAddr::from(received[0].remote_address);
    guest.network().check_send(borrow(&outgoing)).unwrap();
    guest.network().send(borrow(&outgoing), vec![datagram(b"answer", Some(from))]).unwrap();
    assert_eq!(guest.network().receive(receive(&answers), 1).unwrap()[0].data, b"answer");

    // With its streams gone the socket can be disconnected and keeps its port.
    HostIncomingDatagramStream::drop(&mut guest.network(), answers).unwrap();
    HostOutgoingDatagramStream::drop(&mut guest.network(), questions).unwrap();
    guest.network().stream(socket(client), None).unwrap();
    let remote = HostUdpSocket::remote_address(&mut guest.network(), socket(client));
    assert_eq!(code(remote), ErrorCode::InvalidState);
    assert!(HostUdpSocket::local_address(&mut guest.network(), socket(client)).is_ok());
}
