use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[test]
fn the_end_of_a_container_closes_and_resets_all_that_it_has() {
    let network = network();
    let (server, client) = (network.endpoint(), network.endpoint());
    let (_socket, acceptor) = listening(&server, "0.0.0.0:80");
    let caller = connected(&client, at("127.0.0.1:80"));
    let called = accepted(&acceptor);
    let queued = connected(&client, at("127.0.0.1:80"));
    write(&called, "sent before the end");

    server.end();
    assert_eq!(read(&caller), "sent before the end");
    for stream in [&caller, &queued].map(|socket| socket.connection().unwrap().stream()) {
        assert_eq!(now(|cx| stream.poll_read_bytes(cx, 10)), Err(NetworkError::ConnectionReset));
    }
    assert_eq!(calling(&client, at("127.0.0.1:80")).1, Err(NetworkError::ConnectionRefused));
    assert!(matches!(now(|cx| acceptor.poll_accept(cx)), Err(NetworkError::Closed)));
    assert!(matches!(server.tcp_socket(AddressFamily::Ipv4), Err(NetworkError::Closed)));
    // The next run of the container finds its port free, whoever still holds the old socket.
    let again = network.endpoint();
    let _listening = listening(&again, "0.0.0.0:80");
    let _caller = connected(&client, at("127.0.0.1:80"));
}

#[test]
fn dropping_the_endpoint_is_the_end() {
    let network = network();
    let (server, client) = (network.endpoint(), network.endpoint());
    let (_socket, acceptor) = listening(&server, "0.0.0.0:80");
    let caller = connected(&client, at("127.0.0.1:80"));
    let _called = accepted(&acceptor);
    drop(server);
    let stream = caller.connection().unwrap().stream();
    assert_eq!(now(|cx| stream.poll_read_bytes(cx, 10)), Err(NetworkError::ConnectionReset));
}

#[test]
fn a_stopping_container_refuses_and_goes_on() {
    let network = network();
    let (server, client) = (network.endpoint(), network.endpoint());
    let (_socket, acceptor) = listening(&server, "0.0.0.0:80");
    let caller = connected(&client, at("127.0.0.1:80"));
    server.refuse_new();
    assert_eq!(calling(&client, at("127.0.0.1:80")).1, Err(NetworkError::ConnectionRefused));
    let called = accepted(&acceptor);
    write(&caller, "still served");
    assert_eq!(read(&called), "still served");
    // Once the queue is empty, accepting fails: the guest learns that nobody will call any more.
    assert!(matches!(now(|cx| acceptor.poll_accept(cx)), Err(NetworkError::InvalidArgument)));
    // A listener that it opens now refuses, too; its own calls go out as before.
    let (_late, _acceptor) = listening(&server, "0.0.0.0:81");
    assert_eq!(calling(&client, at("127.0.0.1:81")).1, Err(NetworkError::ConnectionRefused));
    let (_other, _acceptor) = listening(&client, "0.0.0.0:82");
    connected(&server, at("127.0.0.1:82"));
}

#[test]
fn a_guest_that_waits_for_connections_is_woken_by_a_stop() {
    let network = network();
    let server = network.endpoint();
    let (_socket, acceptor) = listening(&server, "0.0.0.0:80");
    let (waker, woken) = flag_waker();
    assert!(acceptor.poll_ready(&mut Context::from_waker(&waker)).is_pending());
    server.refuse_new();
    assert!(woken());
    now(|cx| acceptor.poll_ready(cx));
}

/// A waker, and whether it was woken.
fn flag_waker() -> (Waker, impl Fn() -> bool) {
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&flag));
    (waker, move || flag.0.load(Ordering::Relaxed))
}

#[test]
fn a_container_that_opens_sockets_without_end_is_stopped_at_its_limit() {
    let mut config = config();
    config.limits.sockets_per_endpoint = 100;
    let network = Network::new(config);
    let (greedy, modest) = (network.endpoint(), network.endpoint());
    let (_socket, acceptor) = listening(&greedy, "0.0.0.0:80");
    let mut sockets = Vec::new();
    let error = loop {
        match greedy.udp_socket(AddressFamily::Ipv4) {
            Ok(socket) => sockets.push(socket),
            Err(error) => break error,
        }
    };
    assert_eq!((error, sockets.len()), (NetworkError::SocketLimit, 99));

    // Others are not affected; a connection waits until there is a place for it.
    let caller = connected(&modest, at("127.0.0.1:80"));
    assert!(matches!(now(|cx| acceptor.poll_accept(cx)), Err(NetworkError::SocketLimit)));
    sockets.pop();
    let called = accepted(&acceptor);
    write(&caller, "here after all");
    assert_eq!(read(&called), "here after all");
    assert!(matches!(greedy.tcp_socket(AddressFamily::Ipv4), Err(NetworkError::SocketLimit)));
    drop(called);
    assert!(greedy.tcp_socket(AddressFamily::Ipv4).is_ok());
}

#[tokio::test]
async fn the_host_connects_and_listens_with_streams() {
    let network = network();
    let endpoint = network.endpoint();
    let listener = endpoint.listen_any(8080).unwrap();
    assert!(matches!(endpoint.listen(at("[::1]:8080")), Err(NetworkError::AddressInUse)));
    for (to, from) in
        [("10.88.0.2:8080", "169.254.1.1"), ("127.0.0.1:8080", "127.0.0.1"), ("[::1]:8080", "::1")]
    {
        let mut probe = network.connect_to(at(to)).await.unwrap();
        probe.write_all(b"GET").await.unwrap();
        probe.shutdown().await.unwrap();
        let Accepted { mut stream, local, remote, membership } = listener.accept().await.unwrap();
        assert_eq!((local, remote.ip()), (at(to), ip(from)));
        let mut request = String::new();
        stream.read_to_string(&mut request).await.unwrap();
        assert_eq!(request, "GET");
        stream.write_all(b"200").await.unwrap();
        drop((stream, membership));
        let mut response = String::new();
        probe.read_to_string(&mut response).await.unwrap();
        assert_eq!(response, "200");
    }
    assert_eq!(
        network.connect(8081).await.map(|_| ()).unwrap_err(),
        NetworkError::ConnectionRefused
    );
    assert_eq!(
        network.connect_to(at("10.88.0.3:80")).await.map(|_| ()).unwrap_err(),
        NetworkError::HostUnreachable
    );
    let _probe = network.connect(8080).await.unwrap();
    endpoint.end();
    assert!(matches!(listener.accept().await, Err(NetworkError::Closed)));
}

#[tokio::test]
async fn names_of_the_pod_resolve() {
    let endpoint = network().endpoint();
    assert_eq!(endpoint.resolve("web").await, Ok(vec![ip(POD_IP), ip(POD_IP6)]));
    assert_eq!(endpoint.resolve("localhost").await, Ok(vec![ip("127.0.0.1"), ip("::1")]));
    assert_eq!(endpoint.resolve("a b").await, Err(NetworkError::InvalidArgument));

    let mut config = config();
    config.egress = EgressPolicy::parse(["none"]).unwrap();
    let endpoint = Network::new(config).endpoint();
    assert_eq!(endpoint.resolve("example.com").await, Err(NetworkError::NameNotFound));
}
