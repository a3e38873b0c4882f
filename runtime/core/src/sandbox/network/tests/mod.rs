//! Two containers on one network, and what each sees of the other.

mod endpoint;
mod outside;
mod services;
mod tcp;
mod udp;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::*;

const POD_IP: &str = "10.88.0.2";
const POD_IP6: &str = "fd00:88::2";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn config() -> NetworkConfig {
    let mut config = NetworkConfig::new("web", vec![ip(POD_IP), ip(POD_IP6)]);
    config.pod_ranges = vec!["10.88.0.0/16".parse().unwrap()];
    config
}

fn network() -> Arc<Network> {
    Network::new(config())
}

/// A place on `network` whose traffic is counted.
fn counted(network: &Arc<Network>, traffic: &Arc<Traffic>) -> Endpoint {
    let memory = crate::resources::memory::ContainerMemory::apart(1 << 30);
    network.endpoint_of(&memory, 100, Arc::clone(traffic))
}

fn family(address: SocketAddr) -> AddressFamily {
    AddressFamily::of(address.ip())
}

/// The outcome of what must not wait.
#[track_caller]
fn now<Output>(poll: impl FnOnce(&mut Context<'_>) -> Poll<Output>) -> Output {
    match poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to wait"),
    }
}

#[track_caller]
fn waits<Output>(poll: impl FnOnce(&mut Context<'_>) -> Poll<Output>) {
    assert!(poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it did not wait");
}

#[track_caller]
fn listening(endpoint: &Endpoint, local: &str) -> (TcpSocket, TcpAcceptor) {
    let local = at(local);
    let mut socket = endpoint.tcp_socket(family(local)).unwrap();
    socket.bind(local).unwrap();
    let acceptor = socket.listen().unwrap();
    (socket, acceptor)
}

/// A socket that was told to connect; the outcome is for the caller.
#[track_caller]
fn calling(endpoint: &Endpoint, remote: SocketAddr) -> (TcpSocket, Result<(), NetworkError>) {
    let mut socket = endpoint.tcp_socket(family(remote)).unwrap();
    socket.start_connect(remote).unwrap();
    let outcome = now(|cx| socket.poll_finish_connect(cx));
    (socket, outcome)
}

#[track_caller]
fn connected(endpoint: &Endpoint, remote: SocketAddr) -> TcpSocket {
    let (socket, outcome) = calling(endpoint, remote);
    outcome.unwrap();
    socket
}

#[track_caller]
fn accepted(acceptor: &TcpAcceptor) -> TcpSocket {
    now(|cx| acceptor.poll_accept(cx)).unwrap()
}

#[track_caller]
fn write(socket: &TcpSocket, text: &str) {
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    socket.connection().unwrap().stream().write(bytes).unwrap();
}

#[track_caller]
fn read(socket: &TcpSocket) -> String {
    let bytes = now(|cx| socket.connection().unwrap().stream().poll_read_bytes(cx, 1000)).unwrap();
    String::from_utf8(bytes.into()).unwrap()
}
