//! Real sockets of the host: where guests go, and where others come from.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket as HostUdpSocket};

use super::*;

/// A network whose guests may reach the host's loopback, by the host's name.
fn network_with(rules: &[&str]) -> Arc<Network> {
    let mut config = config();
    config.egress = EgressPolicy::parse(rules).unwrap();
    Network::new(config)
}

async fn connect(endpoint: &Endpoint, remote: SocketAddr) -> Result<TcpSocket, NetworkError> {
    let mut socket = endpoint.tcp_socket(family(remote))?;
    socket.start_connect(remote)?;
    std::future::poll_fn(|cx| socket.poll_finish_connect(cx)).await?;
    Ok(socket)
}

fn host(port: u16) -> SocketAddr {
    SocketAddr::new(ip("169.254.1.1"), port)
}

#[tokio::test]
async fn a_guest_reaches_the_host_only_by_a_rule() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let closed = network().endpoint();
    for to in [
        host(port),
        at("169.254.169.254:80"),
        at("169.254.7.7:80"),
        at("[fe80::1]:80"),
        at("[64:ff9b::7f00:1]:80"),
    ] {
        assert_eq!(
            connect(&closed, to).await.map(|_| ()).unwrap_err(),
            NetworkError::AccessDenied,
            "{to}"
        );
    }
    // 127.0.0.1 is the Pod's own, whatever the host has there.
    let own = SocketAddr::new(ip("127.0.0.1"), port);
    assert_eq!(
        connect(&closed, own).await.map(|_| ()).unwrap_err(),
        NetworkError::ConnectionRefused
    );
    // An address of the Pods' range that no Pod has does not leave.
    assert_eq!(
        connect(&closed, at("10.88.0.77:80")).await.map(|_| ()).unwrap_err(),
        NetworkError::HostUnreachable
    );

    let open = network_with(&[&format!("127.0.0.1:{port}")]).endpoint();
    let addresses = open.resolve(HOST_NAME).await.unwrap();
    let socket = connect(&open, SocketAddr::new(addresses[0], port)).await.unwrap();
    assert_eq!(socket.local_address().unwrap().ip(), ip(POD_IP));
    let (mut accepted, _) = listener.accept().await.unwrap();
    let stream = socket.connection().unwrap().stream();
    stream.write(Bytes::from_static(b"to the host")).unwrap();
    stream.shutdown_write();
    let mut text = String::new();
    accepted.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "to the host");
    accepted.write_all(b"to the guest").await.unwrap();
    let read = |max| std::future::poll_fn(move |cx| stream.poll_read_bytes(cx, max));
    assert_eq!(read(6).await.unwrap(), "to the");
    assert_eq!(read(100).await.unwrap(), " guest");
    drop(accepted);
    assert_eq!(read(100).await.unwrap(), "");
    drop(listener);
    assert_eq!(
        connect(&open, host(port)).await.map(|_| ()).unwrap_err(),
        NetworkError::ConnectionRefused
    );
}

#[tokio::test]
async fn the_hosts_other_addresses_are_closed_like_its_loopback() {
    // Sends nothing: the address of the interface that leads outside, where there is one.
    let probe = HostUdpSocket::bind("0.0.0.0:0").await.unwrap();
    let Ok(()) = probe.connect("192.0.2.1:9").await else { return };
    let own = probe.local_addr().unwrap().ip();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let to = SocketAddr::new(own, listener.local_addr().unwrap().port());
    let closed = network().endpoint();
    let denied = connect(&closed, to).await.map(|_| ());
    assert_eq!(denied.unwrap_err(), NetworkError::AccessDenied, "{to}");
    let open = network_with(&[&to.to_string()]).endpoint();
    connect(&open, to).await.unwrap();
}

#[tokio::test]
async fn the_host_may_have_an_address_among_the_pods() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = config();
    config.host_ip = ip("10.88.0.1");
    let closed = Network::new(config.clone()).endpoint();
    let host = SocketAddr::new(config.host_ip, port);
    let denied = connect(&closed, host).await.map(|_| ());
    assert_eq!(denied.unwrap_err(), NetworkError::AccessDenied);
    config.egress = EgressPolicy::parse([format!("127.0.0.1:{port}")]).unwrap();
    let open = Network::new(config).endpoint();
    assert_eq!(open.resolve(HOST_NAME).await.unwrap(), [host.ip()]);
    connect(&open, host).await.unwrap();
    let nobody = connect(&open, at("10.88.0.77:80")).await.map(|_| ());
    assert_eq!(nobody.unwrap_err(), NetworkError::HostUnreachable);
}

#[tokio::test]
async fn host_code_connects_for_a_guest_under_its_rules() {
    let network = network();
    let (server, client) = (network.endpoint(), network.endpoint());
    let listener = server.listen_any(80).unwrap();
    let mut stream = client.connect(at("127.0.0.1:80")).await.unwrap();
    let mut accepted = listener.accept().await.unwrap();
    assert_eq!(stream.local_address(), accepted.remote);
    stream.write_all(b"ping").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    accepted.stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "ping");
    let denied = client.connect(at("169.254.169.254:80")).await.map(|_| ());
    assert_eq!(denied.unwrap_err(), NetworkError::AccessDenied);
    client.end();
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_the_kernel_does_not_take_is_sent_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = network_with(&["127.0.0.1"]).endpoint();
    let socket = connect(&endpoint, host(port)).await.unwrap();
    let (mut accepted, _) = listener.accept().await.unwrap();
    let stream = socket.connection().unwrap().stream();
    let mut sent = 0;
    // Until the kernel's buffers are full: then some of the last write has stayed here.
    loop {
        let permit = stream.write_permit().unwrap();
        if permit == 0 {
            break;
        }
        stream.write(Bytes::from(vec![1; permit])).unwrap();
        sent += permit;
    }
    stream.shutdown_write();
    assert_eq!(stream.write_permit(), Err(NetworkError::BrokenPipe));
    // The guest goes away; what it wrote arrives.
    drop(socket);
    let mut received = Vec::new();
    accepted.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), sent);
}

#[tokio::test]
async fn the_end_of_a_container_resets_its_outside_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let endpoint = network_with(&["127.0.0.1"]).endpoint();
    let socket = connect(&endpoint, host(port)).await.unwrap();
    let (mut accepted, _) = listener.accept().await.unwrap();
    endpoint.end();
    let stream = socket.connection().unwrap().stream();
    assert_eq!(now(|cx| stream.poll_read_bytes(cx, 1)), Err(NetworkError::ConnectionReset));
    drop(socket);
    let mut rest = Vec::new();
    // The kernel sends the end first and the reset after it; either ends the connection.
    let _ = accepted.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_kernel_stream_is_handed_to_the_guest_itself() {
    let network = network();
    let endpoint = network.endpoint();
    let (_socket, acceptor) = listening(&endpoint, "0.0.0.0:80");
    let host = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(host.local_addr().unwrap()).await.unwrap();
    let (stream, _) = host.accept().await.unwrap();
    let (to, from) = (at("10.88.0.2:80"), at("192.0.2.9:5555"));
    network.hand_over(to, from, stream.into()).await.unwrap();

    let guest = accepted(&acceptor);
    assert_eq!(guest.local_address(), Ok(to));
    assert_eq!(guest.remote_address(), Ok(from));
    let stream = guest.connection().unwrap().stream();
    assert!(matches!(stream.carrier(), Stream::Tcp(_)));
    client.write_all(b"hello").await.unwrap();
    let bytes = std::future::poll_fn(|cx| stream.poll_read_bytes(cx, 100)).await.unwrap();
    assert_eq!(bytes, "hello");

    // Nobody listens: the client is reset.
    let mut client = TcpStream::connect(host.local_addr().unwrap()).await.unwrap();
    let (stream, _) = host.accept().await.unwrap();
    let outcome = network.hand_over(at("10.88.0.2:81"), from, stream.into()).await;
    assert_eq!(outcome, Err(NetworkError::ConnectionRefused));
    let error = client.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn datagrams_go_out_and_only_answers_come_in() {
    let server = HostUdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let endpoint = network_with(&["127.0.0.1"]).endpoint();
    let guest = endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    guest.send(Bytes::from_static(b"question"), Some(host(port))).unwrap();
    let mut buffer = [0; 100];
    let (count, from) = server.recv_from(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..count], b"question");

    let stranger = HostUdpSocket::bind("127.0.0.1:0").await.unwrap();
    stranger.send_to(b"psst", from).await.unwrap();
    server.send_to(b"answer", from).await.unwrap();
    let datagram = std::future::poll_fn(|cx| guest.poll_receive(cx)).await.unwrap();
    assert_eq!(datagram, Datagram { bytes: Bytes::from_static(b"answer"), from: host(port) });
}
