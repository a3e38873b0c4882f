use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::call::datagram_socket;
use super::header::LONGEST;
use super::server::MOST_WAITING;
use super::*;
use crate::sandbox::network::options::DEFAULT_BACKLOG;
use crate::sandbox::network::{
    AddressFamily, Endpoint, Network, NetworkConfig, NetworkError, Peer, Stream, TcpSocket,
};

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn pod(number: u8, folder: &Path) -> Arc<Network> {
    let peer = |number: u8| Peer {
        name: format!("pod{number}"),
        hostname: format!("pod{number}"),
        subdomain: None,
        namespace: "default".into(),
        ips: vec![format!("10.88.0.{number}").parse().unwrap()],
        socket: folder.join(format!("pod{number}")),
    };
    let own = peer(number);
    let mut config = NetworkConfig::new(own.hostname, own.ips);
    config.peers = [1, 2, 3].into_iter().filter(|other| *other != number).map(peer).collect();
    config.pod_ranges = vec!["10.88.0.0/16".parse().unwrap()];
    Network::new(config)
}

async fn connect(endpoint: &Endpoint, to: &str) -> Result<TcpSocket, NetworkError> {
    let mut socket = endpoint.tcp_socket(AddressFamily::Ipv4)?;
    socket.start_connect(at(to))?;
    std::future::poll_fn(|cx| socket.poll_finish_connect(cx)).await?;
    Ok(socket)
}

#[tokio::test]
async fn pods_reach_each_other_by_name_and_address() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (pod(1, folder.path()), pod(2, folder.path()));
    let _server = PeerServer::serve(&second, &folder.path().join("pod2")).unwrap();
    let (client, server) = (first.endpoint(), second.endpoint());
    let listener = server.listen(at("0.0.0.0:80")).unwrap();

    assert_eq!(client.resolve("pod2").await.unwrap(), [at("10.88.0.2:0").ip()]);
    let socket = connect(&client, "10.88.0.2:80").await.unwrap();
    assert_eq!(socket.local_address().unwrap().ip(), at("10.88.0.1:0").ip());
    let mut accepted = listener.accept().await.unwrap();
    assert!(matches!(accepted.stream.carrier(), Stream::Unix(_)));
    assert_eq!(accepted.local, at("10.88.0.2:80"));
    assert_eq!(Ok(accepted.remote), socket.local_address());
    let stream = socket.connection().unwrap().stream();
    stream.write(Bytes::from_static(b"first bytes are the guest's")).unwrap();
    stream.shutdown_write();
    let mut text = String::new();
    accepted.stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "first bytes are the guest's");
    accepted.stream.write_all(b"answer").await.unwrap();
    let answer = std::future::poll_fn(|cx| stream.poll_read_bytes(cx, 100)).await.unwrap();
    assert_eq!(answer, "answer");

    let error = connect(&client, "10.88.0.2:81").await.map(|_| ()).unwrap_err();
    assert_eq!(error, NetworkError::ConnectionRefused);
    let error = connect(&client, "10.88.0.3:80").await.map(|_| ()).unwrap_err();
    assert_eq!(error, NetworkError::HostUnreachable, "that Pod does not run");
}

#[tokio::test]
async fn datagrams_go_between_pods() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (pod(1, folder.path()), pod(2, folder.path()));
    let _servers = [(&first, "pod1"), (&second, "pod2")]
        .map(|(network, name)| PeerServer::serve(network, &folder.path().join(name)).unwrap());
    let (client, server) = (first.endpoint(), second.endpoint());
    let question = client.udp_socket(AddressFamily::Ipv4).unwrap();
    let answer = server.udp_socket(AddressFamily::Ipv4).unwrap();
    answer.bind(at("0.0.0.0:53")).unwrap();

    let payload = Bytes::from(vec![7; 60_000]);
    question.send(payload.clone(), Some(at("10.88.0.2:53"))).unwrap();
    let received = std::future::poll_fn(|cx| answer.poll_receive(cx)).await.unwrap();
    assert_eq!(received.bytes, payload);
    assert_eq!(received.from.ip(), at("10.88.0.1:0").ip());
    answer.send(Bytes::from_static(b"yes"), Some(received.from)).unwrap();
    let received = std::future::poll_fn(|cx| question.poll_receive(cx)).await.unwrap();
    assert_eq!((&received.bytes[..], received.from), (&b"yes"[..], at("10.88.0.2:53")));
    // A Pod that does not run loses it, as a network does: nobody is told.
    assert_eq!(question.send(Bytes::new(), Some(at("10.88.0.3:53"))), Ok(()));
}

#[tokio::test]
async fn only_what_another_pod_could_say_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pod2");
    let network = pod(2, folder.path());
    let _server = PeerServer::serve(&network, &path).unwrap();
    let endpoint = network.endpoint();
    let _listener = endpoint.listen_any(80).unwrap();
    for (from, to) in [
        ("127.0.0.1:1", "10.88.0.2:80"),
        ("10.88.0.2:1", "10.88.0.2:80"),
        ("0.0.0.0:1", "10.88.0.2:80"),
        ("10.88.0.1:1", "127.0.0.1:80"),
        ("10.88.0.1:1", "10.88.0.3:80"),
    ] {
        let outcome = connect_raw(&path, from, to).await;
        assert_eq!(outcome, Err(NetworkError::HostUnreachable), "{from} {to}");
    }
    assert_eq!(connect_raw(&path, "10.88.0.1:1", "10.88.0.2:80").await, Ok(()));
    // A client of the host may have any address, but is given to this Pod's own only.
    let client = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (to, expected) in [
        ("127.0.0.1:80", Err(NetworkError::HostUnreachable)),
        ("10.88.0.3:80", Err(NetworkError::HostUnreachable)),
        ("10.88.0.2:81", Err(NetworkError::ConnectionRefused)),
        ("10.88.0.2:80", Ok(())),
    ] {
        let outcome = super::hand_over(&path, at("127.0.0.1:1"), at(to), &client).await;
        assert_eq!(outcome, expected, "{to}");
    }
    // Noise is hung up on.
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

async fn connect_raw(path: &Path, from: &str, to: &str) -> Result<(), NetworkError> {
    super::connect(path, at(from), at(to)).await.map(|_| ())
}

#[tokio::test]
async fn a_port_that_accepts_nobody_does_not_keep_callers_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pod2");
    let network = pod(2, folder.path());
    let _server = PeerServer::serve(&network, &path).unwrap();
    let endpoint = network.endpoint();
    let (_full, _other) = (endpoint.listen_any(80).unwrap(), endpoint.listen_any(81).unwrap());
    // The queue takes as many as it is long, then callers wait, and then one is refused.
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..=DEFAULT_BACKLOG + MOST_WAITING {
        let path = path.clone();
        callers.spawn(
            async move { super::connect(&path, at("10.88.0.1:1"), at("10.88.0.2:80")).await },
        );
    }
    let mut connected = Vec::new();
    let refused = loop {
        match callers.join_next().await.expect("one is refused").unwrap() {
            Ok(stream) => connected.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, NetworkError::ConnectionRefused);
    assert_eq!(connect_raw(&path, "10.88.0.1:1", "10.88.0.2:81").await, Ok(()));
}

#[tokio::test]
async fn a_dead_ones_socket_is_replaced_and_a_living_ones_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pod1");
    // Dropping a listener leaves its file behind, as a killed process does.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    drop(std::os::unix::net::UnixDatagram::bind(datagram_socket(&path)).unwrap());
    let network = pod(1, folder.path());
    let server = PeerServer::serve(&network, &path).unwrap();
    let error = PeerServer::serve(&network, &path).map(|_| ()).unwrap_err();
    assert!(matches!(error, PeerError::InUse { .. }), "{error}");
    drop(server);
    assert!(!path.exists() && !datagram_socket(&path).exists());
    let error = PeerServer::serve(&network, &folder.path().join("no/such")).map(|_| ());
    assert!(matches!(error, Err(PeerError::Bind { .. })));
}

fn address(v4: bool) -> BoxedStrategy<SocketAddr> {
    if v4 {
        any::<(Ipv4Addr, u16)>().prop_map(SocketAddr::from).boxed()
    } else {
        any::<(Ipv6Addr, u16)>().prop_map(SocketAddr::from).boxed()
    }
}

fn header() -> impl Strategy<Value = Header> {
    let transport =
        prop_oneof![Just(Transport::Tcp), Just(Transport::Udp), Just(Transport::HostTcp)];
    (any::<bool>(), transport).prop_flat_map(|(v4, transport)| {
        (address(v4), address(v4)).prop_map(move |(to, from)| Header { transport, to, from })
    })
}

proptest! {
    #[test]
    fn headers_survive_the_way_and_need_all_their_bytes(
        header in header(),
        rest in prop::collection::vec(any::<u8>(), 0..10),
    ) {
        let bytes = header.encode();
        prop_assert!(bytes.len() <= LONGEST);
        for length in 0..bytes.len() {
            prop_assert_eq!(Header::decode(&bytes[..length]), Ok(None));
        }
        let with_rest = [&bytes[..], &rest].concat();
        prop_assert_eq!(Header::decode(&with_rest), Ok(Some((header, bytes.len()))));
    }

    #[test]
    fn noise_is_an_error_or_a_header_that_reads_back(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        if let Ok(Some((header, length))) = Header::decode(&bytes) {
            prop_assert_eq!(header.encode(), &bytes[..length]);
        } else if bytes.len() >= LONGEST {
            prop_assert!(Header::decode(&bytes).is_err());
        }
    }
}
