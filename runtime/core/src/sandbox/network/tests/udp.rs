use bytes::Bytes;

use super::*;
use crate::resources::memory::ContainerMemory;

fn bound(endpoint: &Endpoint, local: &str) -> UdpSocket {
    let local = at(local);
    let socket = endpoint.udp_socket(family(local)).unwrap();
    socket.bind(local).unwrap();
    socket
}

#[track_caller]
fn receive(socket: &UdpSocket) -> (String, SocketAddr) {
    let datagram = now(|cx| socket.poll_receive(cx)).unwrap();
    (String::from_utf8(datagram.bytes.into()).unwrap(), datagram.from)
}

fn send(socket: &UdpSocket, text: &str, to: &str) -> Result<(), NetworkError> {
    socket.send(Bytes::copy_from_slice(text.as_bytes()), Some(at(to)))
}

#[test]
fn datagrams_go_to_and_fro_between_containers() {
    for (listen, call) in [
        ("0.0.0.0:53", "127.0.0.1:53"),
        ("0.0.0.0:53", "10.88.0.2:53"),
        ("10.88.0.2:53", "10.88.0.2:53"),
        ("[::]:53", "[::1]:53"),
        ("[::1]:53", "[::1]:53"),
    ] {
        let network = network();
        let (server, client) = (network.endpoint(), network.endpoint());
        let server = bound(&server, listen);
        let client = client.udp_socket(family(at(listen))).unwrap();
        waits(|cx| server.poll_receive(cx));
        waits(|cx| server.poll_receivable(cx));
        assert_eq!(client.local_address(), Err(NetworkError::InvalidState));
        assert_eq!(now(|cx| client.poll_receive(cx)), Err(NetworkError::InvalidState));

        send(&client, "", call).unwrap();
        send(&client, "question", call).unwrap();
        now(|cx| server.poll_receivable(cx));
        assert_eq!(receive(&server).0, "");
        let (text, from) = receive(&server);
        assert_eq!(text, "question");
        assert_eq!(from.port(), client.local_address().unwrap().port());
        assert!(!from.ip().is_unspecified());

        server.send(Bytes::from_static(b"answer"), Some(from)).unwrap();
        assert_eq!(receive(&client), ("answer".to_owned(), at(call)), "{listen} {call}");
    }
}

#[test]
fn tcp_and_udp_have_port_spaces_of_their_own() {
    let endpoint = network().endpoint();
    let _tcp = listening(&endpoint, "0.0.0.0:53");
    let _udp = bound(&endpoint, "0.0.0.0:53");
    let other = endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    assert_eq!(other.bind(at("127.0.0.1:53")), Err(NetworkError::AddressInUse));
    assert_eq!(other.bind(at("192.0.2.1:53")), Err(NetworkError::AddressNotAvailable));
    assert_eq!(other.bind(at("[::1]:53")), Err(NetworkError::InvalidArgument));
    assert_eq!(other.bind(at("127.0.0.1:54")), Ok(()));
    assert_eq!(other.bind(at("127.0.0.1:55")), Err(NetworkError::InvalidState));
}

#[test]
fn a_connected_socket_hears_its_remote_only() {
    let endpoint = network().endpoint();
    let friend = bound(&endpoint, "127.0.0.1:1000");
    let stranger = bound(&endpoint, "127.0.0.1:2000");
    let socket = bound(&endpoint, "0.0.0.0:3000");
    assert_eq!(socket.disconnect(), Err(NetworkError::InvalidState));
    send(&stranger, "before", "127.0.0.1:3000").unwrap();
    send(&friend, "early", "127.0.0.1:3000").unwrap();

    socket.connect(at("127.0.0.1:1000")).unwrap();
    assert_eq!(socket.remote_address(), Ok(at("127.0.0.1:1000")));
    assert_eq!(socket.local_address(), Ok(at("127.0.0.1:3000")));
    send(&stranger, "after", "127.0.0.1:3000").unwrap();
    assert_eq!(receive(&socket).0, "early");
    waits(|cx| socket.poll_receive(cx));

    socket.send(Bytes::from_static(b"hello"), None).unwrap();
    assert_eq!(receive(&friend).0, "hello");
    assert_eq!(send(&socket, "x", "127.0.0.1:1000"), Ok(()));
    assert_eq!(send(&socket, "x", "127.0.0.1:2000"), Err(NetworkError::InvalidArgument));

    socket.disconnect().unwrap();
    assert_eq!(socket.remote_address(), Err(NetworkError::InvalidState));
    assert_eq!(socket.local_address(), Ok(at("0.0.0.0:3000")));
    assert_eq!(socket.send(Bytes::new(), None), Err(NetworkError::InvalidArgument));
    send(&stranger, "at last", "127.0.0.1:3000").unwrap();
    assert_eq!(receive(&socket).0, "at last");
}

#[test]
fn a_connected_socket_is_told_that_nobody_is_there() {
    let endpoint = network().endpoint();
    let socket = endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    socket.connect(at("127.0.0.1:9")).unwrap();
    assert!(socket.local_address().is_ok(), "connecting binds");
    let hello = || socket.send(Bytes::from_static(b"hello"), None);
    assert_eq!(hello(), Ok(()));
    now(|cx| socket.poll_receivable(cx));
    assert_eq!(now(|cx| socket.poll_receive(cx)), Err(NetworkError::ConnectionRefused));
    waits(|cx| socket.poll_receive(cx));
    assert_eq!(hello(), Ok(()));
    assert_eq!(hello(), Err(NetworkError::ConnectionRefused));
    // Unconnected, the datagram is lost in silence.
    let other = bound(&endpoint, "127.0.0.1:0");
    assert_eq!(send(&other, "x", "127.0.0.1:9"), Ok(()));
    waits(|cx| other.poll_receive(cx));
}

#[test]
fn a_full_mailbox_loses_what_comes() {
    let endpoint = network().endpoint();
    let socket = bound(&endpoint, "127.0.0.1:1000");
    socket.set_receive_buffer(4096).unwrap();
    let sender = bound(&endpoint, "127.0.0.1:2000");
    let datagram = "x".repeat(1000);
    for _ in 0..10 {
        send(&sender, &datagram, "127.0.0.1:1000").unwrap();
    }
    let mut received = 0;
    let mut cx = Context::from_waker(Waker::noop());
    while socket.poll_receive(&mut cx).is_ready() {
        received += 1;
    }
    assert_eq!(received, 3, "1256 bytes each, of 4096");
    // Empty datagrams are not free either, and one of any size fits into an empty mailbox.
    for _ in 0..100 {
        send(&sender, "", "127.0.0.1:1000").unwrap();
    }
    received = 0;
    while socket.poll_receive(&mut cx).is_ready() {
        received += 1;
    }
    assert_eq!(received, 16);
    send(&sender, &"y".repeat(60_000), "127.0.0.1:1000").unwrap();
    assert_eq!(receive(&socket).0.len(), 60_000);
}

#[test]
fn bad_datagrams_are_refused() {
    let endpoint = network().endpoint();
    let v4 = bound(&endpoint, "0.0.0.0:0");
    let v6 = bound(&endpoint, "[::]:0");
    let invalid = Err(NetworkError::InvalidArgument);
    for to in ["0.0.0.0:53", "127.0.0.1:0", "[::1]:53"] {
        assert_eq!(send(&v4, "x", to), invalid, "{to}");
        assert_eq!(v4.connect(at(to)), invalid, "{to}");
    }
    for to in ["[::]:53", "[::1]:0", "127.0.0.1:53", "[::ffff:127.0.0.1]:53"] {
        assert_eq!(send(&v6, "x", to), invalid, "{to}");
        assert_eq!(v6.connect(at(to)), invalid, "{to}");
    }
    assert_eq!(
        v4.send(vec![0; 65_508].into(), Some(at("127.0.0.1:53"))),
        Err(NetworkError::DatagramTooLarge)
    );
    assert_eq!(v4.send(vec![0; 65_507].into(), Some(at("127.0.0.1:53"))), Ok(()));
    assert_eq!(send(&v4, "x", "169.254.169.254:53"), Err(NetworkError::AccessDenied));
    assert_eq!(send(&v4, "x", "10.88.9.9:53"), Err(NetworkError::HostUnreachable));
    let loopback = bound(&endpoint, "127.0.0.1:0");
    assert_eq!(send(&loopback, "x", "192.0.2.1:53"), invalid);
}

#[test]
fn the_last_clone_frees_the_port() {
    let endpoint = network().endpoint();
    let socket = bound(&endpoint, "0.0.0.0:53");
    let clone = socket.clone();
    drop(socket);
    let other = endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    assert_eq!(other.bind(at("0.0.0.0:53")), Err(NetworkError::AddressInUse));
    drop(clone);
    assert_eq!(other.bind(at("0.0.0.0:53")), Ok(()));
}

#[test]
fn datagrams_that_wait_are_charged_to_their_receiver() {
    const PAYLOAD: usize = 8 * 1024;
    let network = network();
    let (sender_memory, memory) =
        (ContainerMemory::apart(1 << 20), ContainerMemory::apart(64 * 1024));
    let (sender, receiver) = (
        network.endpoint_of(&sender_memory, 10, Arc::default()),
        network.endpoint_of(&memory, 10, Arc::default()),
    );
    let sender = bound(&sender, "127.0.0.1:0");
    let (full, next) = (bound(&receiver, "127.0.0.1:53"), bound(&receiver, "127.0.0.1:54"));
    // What the host holds for free is gone.
    let _free = memory.hold((2 << 20) - memory.of_host()).unwrap();
    let before = memory.of_host();
    let flood = |port: &str, payload: usize| {
        for _ in 0..20 {
            sender.send(Bytes::from(vec![0; payload]), Some(at(port))).unwrap();
        }
    };
    let waiting = |socket: &UdpSocket| {
        let mut count = 0;
        let cx = &mut Context::from_waker(Waker::noop());
        while let Poll::Ready(Ok(_)) = socket.poll_receive(cx) {
            count += 1;
        }
        count
    };
    flood("127.0.0.1:53", PAYLOAD);
    flood("127.0.0.1:54", PAYLOAD);
    flood("127.0.0.1:54", 256);
    // The first is let go on to the limit, the second has what is paid with its socket and the rest.
    assert_eq!((waiting(&full), waiting(&next)), (8, 12));
    assert_eq!((memory.of_host(), sender_memory.of_host()), (before, 8 * 1024));
    flood("127.0.0.1:53", PAYLOAD);
    assert!(memory.of_host() > before);
    full.connect(at("127.0.0.1:9")).unwrap();
    assert_eq!(memory.of_host(), before);
    full.disconnect().unwrap();
    flood("127.0.0.1:53", PAYLOAD);
    drop(full);
    assert_eq!(memory.of_host(), before - 8 * 1024);
}

#[test]
fn datagrams_are_counted_where_they_are_sent_and_received() {
    let network = network();
    let traffic = Arc::new(Traffic::default());
    let (server, client) = (network.endpoint(), counted(&network, &traffic));
    let server = bound(&server, "127.0.0.1:53");
    let client = client.udp_socket(AddressFamily::Ipv4).unwrap();
    send(&client, "question", "127.0.0.1:53").unwrap();
    send(&client, "lost", "127.0.0.1:54").unwrap();
    let (_, from) = receive(&server);
    server.send(Bytes::from_static(b"answer"), Some(from)).unwrap();
    receive(&client);
    assert_eq!(send(&client, "no", "255.255.255.255:0"), Err(NetworkError::InvalidArgument));
    let count = TrafficCount {
        received_bytes: 6,
        sent_bytes: 12,
        received_datagrams: 1,
        sent_datagrams: 2,
        ..TrafficCount::default()
    };
    assert_eq!(traffic.count(), count);
}
