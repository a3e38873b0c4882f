use super::*;

#[test]
fn two_containers_meet_on_loopback_and_pod_ip() {
    for (listen, call, from) in [
        ("127.0.0.1:80", "127.0.0.1:80", "127.0.0.1"),
        ("127.9.9.9:80", "127.9.9.9:80", "127.0.0.1"),
        ("10.88.0.2:80", "10.88.0.2:80", POD_IP),
        ("0.0.0.0:80", "127.0.0.1:80", "127.0.0.1"),
        ("0.0.0.0:80", "10.88.0.2:80", POD_IP),
        ("[::1]:80", "[::1]:80", "::1"),
        ("[::]:80", "[::1]:80", "::1"),
        ("[::]:80", "[fd00:88::2]:80", POD_IP6),
    ] {
        let network = network();
        let (server, client) = (network.endpoint(), network.endpoint());
        let (_socket, acceptor) = listening(&server, listen);
        waits(|cx| acceptor.poll_accept(cx));

        let caller = connected(&client, at(call));
        let called = accepted(&acceptor);
        assert_eq!(caller.remote_address(), Ok(at(call)));
        assert_eq!(called.local_address(), Ok(at(call)));
        assert_eq!(called.remote_address(), caller.local_address());
        assert_eq!(caller.local_address().unwrap().ip(), ip(from), "{listen} {call}");
        assert!((32_768..=60_999).contains(&caller.local_address().unwrap().port()));

        write(&caller, "ping");
        assert_eq!(read(&called), "ping");
        write(&called, "pong");
        assert_eq!(read(&caller), "pong");
        drop(called);
        assert_eq!(read(&caller), "");
    }
}

#[test]
fn nobody_there_is_refused() {
    let network = network();
    let endpoint = network.endpoint();
    let refused = Err(NetworkError::ConnectionRefused);
    assert_eq!(calling(&endpoint, at("127.0.0.1:80")).1, refused);

    // Bound is not listening, and one address is not the other.
    let mut bound = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    bound.bind(at("127.0.0.1:80")).unwrap();
    assert_eq!(calling(&endpoint, at("127.0.0.1:80")).1, refused);
    let _listener = listening(&endpoint, "10.88.0.2:81");
    assert_eq!(calling(&endpoint, at("127.0.0.1:81")).1, refused);
    // IPv6 sockets are IPv6 only.
    let _listener = listening(&endpoint, "[::]:82");
    assert_eq!(calling(&endpoint, at("127.0.0.1:82")).1, refused);
}

#[test]
fn a_failed_socket_says_so_for_ever() {
    let endpoint = network().endpoint();
    let (mut socket, outcome) = calling(&endpoint, at("127.0.0.1:80"));
    let refused = NetworkError::ConnectionRefused;
    assert_eq!(outcome, Err(refused));
    assert_eq!(now(|cx| socket.poll_finish_connect(cx)), Err(refused));
    assert_eq!(socket.local_address(), Err(refused));
    assert_eq!(socket.options().map(|_| ()), Err(refused));
    assert_eq!(socket.start_connect(at("127.0.0.1:80")), Err(NetworkError::InvalidState));
    assert_eq!(socket.bind(at("127.0.0.1:80")), Err(NetworkError::InvalidState));
}

#[test]
fn bad_addresses_are_named_at_once() {
    let endpoint = network().endpoint();
    let mut v4 = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    let mut v6 = endpoint.tcp_socket(AddressFamily::Ipv6).unwrap();
    let invalid = Err(NetworkError::InvalidArgument);
    for remote in ["0.0.0.0:47", "127.0.0.1:0", "[::1]:47", "224.0.0.1:47", "255.255.255.255:47"] {
        assert_eq!(v4.start_connect(at(remote)), invalid, "{remote}");
    }
    for remote in ["[::]:47", "[::1]:0", "127.0.0.1:47", "[ff00::]:47", "[::ffff:127.0.0.1]:47"] {
        assert_eq!(v6.start_connect(at(remote)), invalid, "{remote}");
    }
    for local in ["[::1]:0", "224.0.0.1:0", "255.255.255.255:0"] {
        assert_eq!(v4.bind(at(local)), invalid, "{local}");
    }
    for local in ["127.0.0.1:0", "[ff00::]:0", "[::ffff:127.0.0.1]:0"] {
        assert_eq!(v6.bind(at(local)), invalid, "{local}");
    }
    for local in ["192.0.2.0:0", "10.88.0.3:80"] {
        assert_eq!(v4.bind(at(local)), Err(NetworkError::AddressNotAvailable), "{local}");
    }
    assert_eq!(v6.bind(at("[2001:db8::]:0")), Err(NetworkError::AddressNotAvailable));
    // After all these refusals the sockets are as new.
    assert_eq!(v4.bind(at("127.0.0.1:0")), Ok(()));
    assert_eq!(v6.bind(at("[::]:0")), Ok(()));
}

#[test]
fn a_port_belongs_to_one_container_until_it_is_closed() {
    let network = network();
    let (first, second) = (network.endpoint(), network.endpoint());
    let (socket, acceptor) = listening(&first, "0.0.0.0:80");
    let mut other = second.tcp_socket(AddressFamily::Ipv4).unwrap();
    for local in ["0.0.0.0:80", "127.0.0.1:80", "10.88.0.2:80"] {
        assert_eq!(other.bind(at(local)), Err(NetworkError::AddressInUse), "{local}");
    }
    // Connections that the first one accepted do not keep the port.
    let client = connected(&second, at("127.0.0.1:80"));
    let server = accepted(&acceptor);
    drop(socket);
    assert_eq!(other.bind(at("0.0.0.0:80")), Err(NetworkError::AddressInUse), "still accepting");
    drop(acceptor);
    assert_eq!(other.bind(at("0.0.0.0:80")), Ok(()));
    write(&client, "still here");
    assert_eq!(read(&server), "still here");
}

#[test]
fn a_bound_client_keeps_its_port() {
    let network = network();
    let endpoint = network.endpoint();
    let (_socket, acceptor) = listening(&endpoint, "0.0.0.0:80");
    let mut client = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    client.bind(at("0.0.0.0:5000")).unwrap();
    client.start_connect(at("10.88.0.2:80")).unwrap();
    now(|cx| client.poll_finish_connect(cx)).unwrap();
    assert_eq!(client.local_address(), Ok(at("10.88.0.2:5000")));
    assert_eq!(accepted(&acceptor).remote_address(), Ok(at("10.88.0.2:5000")));
    let mut other = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    assert_eq!(other.bind(at("0.0.0.0:5000")), Err(NetworkError::AddressInUse));
    drop(client);
    assert_eq!(other.bind(at("0.0.0.0:5000")), Ok(()));
}

#[test]
fn each_state_allows_its_own_calls() {
    let network = network();
    let endpoint = network.endpoint();
    let invalid = NetworkError::InvalidState;
    let local = at("127.0.0.1:80");

    let mut socket = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    assert_eq!(socket.local_address(), Err(invalid));
    assert_eq!(socket.remote_address(), Err(invalid));
    assert_eq!(now(|cx| socket.poll_finish_connect(cx)), Err(invalid));
    assert!(socket.connection().is_err());

    socket.bind(local).unwrap();
    assert_eq!(socket.bind(local), Err(invalid));
    assert_eq!(socket.local_address(), Ok(local));
    assert_eq!(socket.remote_address(), Err(invalid));

    let acceptor = socket.listen().unwrap();
    assert!(socket.is_listening());
    assert_eq!(socket.bind(local), Err(invalid));
    assert_eq!(socket.start_connect(local), Err(invalid));
    assert!(matches!(socket.listen(), Err(error) if error == invalid));
    assert_eq!(socket.set_listen_backlog(32), Ok(()));
    assert_eq!(socket.set_listen_backlog(0), Err(NetworkError::InvalidArgument));

    let mut client = connected(&endpoint, local);
    assert_eq!(client.bind(local), Err(invalid));
    assert_eq!(client.start_connect(local), Err(invalid));
    assert!(matches!(client.listen(), Err(error) if error == invalid));
    assert_eq!(client.set_listen_backlog(32), Err(invalid));
    let mut server = accepted(&acceptor);
    assert!(server.take_receive_half().is_ok());
    assert!(matches!(server.take_receive_half(), Err(error) if error == invalid));
    assert!(server.take_send_half().is_ok());
    assert!(matches!(server.take_send_half(), Err(error) if error == invalid));
}

#[test]
fn an_unbound_listener_gets_a_port() {
    let endpoint = network().endpoint();
    let mut socket = endpoint.tcp_socket(AddressFamily::Ipv6).unwrap();
    let _acceptor = socket.listen().unwrap();
    let local = socket.local_address().unwrap();
    assert!(local.ip().is_unspecified() && local.port() >= 32_768);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_callers_wait_and_give_up_in_the_end() {
    let network = network();
    let endpoint = network.endpoint();
    let mut socket = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    socket.bind(at("127.0.0.1:80")).unwrap();
    socket.set_listen_backlog(2).unwrap();
    let acceptor = socket.listen().unwrap();
    let _first = connected(&endpoint, at("127.0.0.1:80"));
    let _second = connected(&endpoint, at("127.0.0.1:80"));

    let mut third = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    third.start_connect(at("127.0.0.1:80")).unwrap();
    waits(|cx| third.poll_finish_connect(cx));
    assert_eq!(third.local_address(), Err(NetworkError::InvalidState));
    let (outcome, _) =
        tokio::join!(std::future::poll_fn(|cx| third.poll_finish_connect(cx)), async {
            accepted(&acceptor)
        });
    assert_eq!(outcome, Ok(()));

    let mut fourth = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    fourth.start_connect(at("127.0.0.1:80")).unwrap();
    let began = tokio::time::Instant::now();
    let outcome = std::future::poll_fn(|cx| fourth.poll_finish_connect(cx)).await;
    assert_eq!(outcome, Err(NetworkError::TimedOut));
    assert_eq!(began.elapsed().as_secs(), 127);

    // A longer queue has room at once.
    let mut fifth = endpoint.tcp_socket(AddressFamily::Ipv4).unwrap();
    fifth.start_connect(at("127.0.0.1:80")).unwrap();
    let (outcome, ()) =
        tokio::join!(std::future::poll_fn(|cx| fifth.poll_finish_connect(cx)), async {
            socket.set_listen_backlog(8).unwrap()
        });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn what_a_closed_listener_had_not_accepted_is_reset() {
    let network = network();
    let endpoint = network.endpoint();
    let listener = listening(&endpoint, "127.0.0.1:80");
    let client = connected(&endpoint, at("127.0.0.1:80"));
    drop(listener);
    let stream = client.connection().unwrap().stream();
    assert_eq!(now(|cx| stream.poll_read_bytes(cx, 10)), Err(NetworkError::ConnectionReset));
    assert_eq!(stream.write_permit(), Err(NetworkError::ConnectionReset));
    assert_eq!(calling(&endpoint, at("127.0.0.1:80")).1, Err(NetworkError::ConnectionRefused));
}

#[test]
fn accepted_sockets_start_with_the_listeners_options() {
    let network = network();
    let endpoint = network.endpoint();
    let (mut socket, acceptor) = listening(&endpoint, "127.0.0.1:80");
    socket.set_hop_limit(42).unwrap();
    socket.set_keep_alive(true).unwrap();
    socket.set_receive_buffer(0x10000).unwrap();
    let client = connected(&endpoint, at("127.0.0.1:80"));
    socket.set_hop_limit(43).unwrap();
    let server = accepted(&acceptor);
    let options = server.options().unwrap();
    assert_eq!((options.hop_limit, options.keep_alive), (42, true));
    assert_eq!(options.receive_buffer, 0x10000);
    assert_eq!(client.connection().unwrap().stream().write_permit(), Ok(0x10000));
    assert_eq!(client.options().unwrap().hop_limit, 64);
}

#[test]
fn dropped_halves_shut_their_direction_down() {
    let network = network();
    let endpoint = network.endpoint();
    let (_socket, acceptor) = listening(&endpoint, "127.0.0.1:80");
    let mut client = connected(&endpoint, at("127.0.0.1:80"));
    let server = accepted(&acceptor);
    let (receive, send) = (client.take_receive_half().unwrap(), client.take_send_half().unwrap());
    drop(client);
    assert_eq!(now(|cx| send.poll_write(cx, b"last words")), Ok(10));
    drop(send);
    assert_eq!(read(&server), "last words");
    assert_eq!(read(&server), "");
    write(&server, "answer");
    assert_eq!(now(|cx| receive.poll_read(cx, 100)).unwrap(), "answer");
    drop(receive);
    let stream = server.connection().unwrap().stream();
    assert_eq!(stream.write_permit(), Err(NetworkError::BrokenPipe));
}

#[test]
fn each_side_of_a_connection_counts_for_its_container() {
    let network = network();
    let (servers, clients) = (Arc::new(Traffic::default()), Arc::new(Traffic::default()));
    let (server, client) = (counted(&network, &servers), counted(&network, &clients));
    let (_socket, acceptor) = listening(&server, "127.0.0.1:80");
    let caller = connected(&client, at("127.0.0.1:80"));
    let called = accepted(&acceptor);
    write(&caller, "ping");
    assert_eq!(read(&called), "ping");
    write(&called, "welcome");
    assert_eq!(servers.count().sent_bytes, 7);
    assert_eq!(clients.count().received_bytes, 0, "not read yet");
    assert_eq!(read(&caller), "welcome");
    let count = TrafficCount {
        received_bytes: 4,
        sent_bytes: 7,
        accepted_connections: 1,
        ..TrafficCount::default()
    };
    assert_eq!(servers.count(), count);
    let count = TrafficCount {
        received_bytes: 7,
        sent_bytes: 4,
        opened_connections: 1,
        ..TrafficCount::default()
    };
    assert_eq!(clients.count(), count);

    // The next run of a container goes on from there.
    drop((client, caller));
    let _caller = connected(&counted(&network, &clients), at("127.0.0.1:80"));
    assert_eq!(clients.count().opened_connections, 2);
}
