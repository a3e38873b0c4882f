//! Connections to Services, from Pods and from the host.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::records::Held;
use crate::sandbox::network::{
    AddressFamily, Directory, Endpoint, Network, NetworkConfig, NetworkError, NodePort, PeerServer,
    PodRecord, Readiness, ServedPort, ServiceKind, ServicePort, ServiceRecord, ServiceTransport,
    Stream, TargetPort, TcpSocket, take_node_port,
};

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A Pod with label `app: web` that others can reach.
struct Pod {
    network: Arc<Network>,
    endpoint: Endpoint,
    record: PodRecord,
    held: Held,
    _server: PeerServer,
}

impl Pod {
    fn new(number: u8, folder: &Path) -> Self {
        let directory = Arc::new(Directory::new(folder.join("network")));
        let name = format!("web-{number}");
        let ips = vec![ip(&format!("10.244.0.{number}")), ip(&format!("fd00:a:f4::{number}"))];
        let mut config = NetworkConfig::new(&name, ips.clone());
        config.pod_ranges =
            vec!["10.244.0.0/16".parse().unwrap(), "fd00:a:f4::/112".parse().unwrap()];
        config.service_ranges =
            vec!["10.96.0.0/16".parse().unwrap(), "fd00:a:60::/112".parse().unwrap()];
        config.directory = Some(Arc::clone(&directory));
        let network = Network::new(config);
        let socket = folder.join(&name);
        let server = PeerServer::serve(&network, &socket).unwrap();
        let record = PodRecord {
            uid: name.clone(),
            hostname: name.clone(),
            name,
            namespace: "default".into(),
            subdomain: None,
            labels: BTreeMap::from([("app".into(), "web".into())]),
            ips,
            ports: Vec::new(),
            socket,
            readiness: Readiness::Ready,
        };
        let held = directory.publish_pod(&record).unwrap();
        Self { endpoint: network.endpoint(), network, record, held, _server: server }
    }

    fn set(&mut self, readiness: Readiness) {
        self.record.readiness = readiness;
        self.held.update(&self.record).unwrap();
    }

    async fn connect(&self, to: &str) -> Result<TcpSocket, NetworkError> {
        let mut socket = self.endpoint.tcp_socket(AddressFamily::of(at(to).ip()))?;
        socket.start_connect(at(to))?;
        std::future::poll_fn(|cx| socket.poll_finish_connect(cx)).await?;
        Ok(socket)
    }
}

fn service() -> ServiceRecord {
    let port = |transport, port, target| ServicePort {
        name: format!("p{port}"),
        transport,
        port,
        target: TargetPort::Number(target),
        node_port: None,
    };
    ServiceRecord {
        name: "web".into(),
        namespace: "default".into(),
        kind: ServiceKind::ClusterIp(vec![ip("10.96.0.7"), ip("fd00:a:60::7")]),
        selector: BTreeMap::from([("app".into(), "web".into())]),
        ports: vec![port(ServiceTransport::Tcp, 80, 8080), port(ServiceTransport::Udp, 53, 5353)],
        affinity: None,
        publish_not_ready: false,
        kept: false,
    }
}

fn announce(folder: &Path, service: &ServiceRecord) -> Held {
    Directory::new(folder.join("network")).publish_service(service, "service").unwrap()
}

#[tokio::test]
async fn connections_are_spread_over_ready_pods() {
    let folder = tempfile::tempdir().unwrap();
    let client = Pod::new(9, folder.path());
    let mut servers = [Pod::new(1, folder.path()), Pod::new(2, folder.path())];
    let narrow = ServiceRecord {
        selector: BTreeMap::from([("app".into(), "web".into()), ("tier".into(), "front".into())]),
        ..service()
    };
    for server in &mut servers {
        server.record.labels.insert("tier".into(), "front".into());
        server.set(Readiness::Ready);
    }
    let _service = announce(folder.path(), &narrow);
    let listeners = servers.each_ref().map(|pod| pod.endpoint.listen_any(8080).unwrap());

    for (address, local) in [("10.96.0.7:80", "10.244.0.9"), ("[fd00:a:60::7]:80", "fd00:a:f4::9")]
    {
        for _ in 0..2 {
            // Both hold on to their sockets, so each must get one.
            let calls =
                [client.connect(address).await.unwrap(), client.connect(address).await.unwrap()];
            for (listener, server) in listeners.iter().zip(&servers) {
                let accepted = listener.accept().await.unwrap();
                assert_eq!(accepted.remote.ip(), ip(local));
                assert!(server.record.ips.contains(&accepted.local.ip()));
            }
            // The guest sees the Service, and nothing of who it got.
            assert_eq!(calls[0].remote_address(), Ok(at(address)));
        }
    }

    servers[0].set(Readiness::NotReady);
    let _calls = [
        client.connect("10.96.0.7:80").await.unwrap(),
        client.connect("10.96.0.7:80").await.unwrap(),
    ];
    for _ in 0..2 {
        listeners[1].accept().await.unwrap();
    }
    servers[1].set(Readiness::Terminating);
    let refused = client.connect("10.96.0.7:80").await.map(drop);
    assert_eq!(refused, Err(NetworkError::ConnectionRefused), "nobody is ready");
}

#[tokio::test]
async fn a_pod_that_refuses_or_is_gone_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let client = Pod::new(9, folder.path());
    // The client stands behind the Service itself, and does not listen; another one is gone.
    let (server, gone) = (Pod::new(1, folder.path()), Pod::new(2, folder.path()));
    let _service = announce(folder.path(), &service());
    let listener = server.endpoint.listen_any(8080).unwrap();
    drop(gone._server);
    for _ in 0..6 {
        let _call = client.connect("10.96.0.7:80").await.unwrap();
        listener.accept().await.unwrap();
    }
    for (to, expected) in [
        ("10.96.0.7:81", NetworkError::ConnectionRefused),
        ("10.96.0.8:80", NetworkError::HostUnreachable),
    ] {
        assert_eq!(client.connect(to).await.map(drop), Err(expected), "{to}");
    }
}

#[tokio::test]
async fn a_pod_reaches_itself_through_its_service() {
    let folder = tempfile::tempdir().unwrap();
    let pod = Pod::new(1, folder.path());
    let _service = announce(folder.path(), &service());
    let listener = pod.endpoint.listen_any(8080).unwrap();
    let call = pod.connect("10.96.0.7:80").await.unwrap();
    let accepted = listener.accept().await.unwrap();
    assert!(matches!(accepted.stream.carrier(), Stream::Memory(_)));
    assert_eq!(Ok(accepted.remote), call.local_address());
}

#[tokio::test]
async fn names_of_services_lead_to_them_or_to_their_pods() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Pod::new(1, folder.path());
    let held = announce(folder.path(), &service());
    let own = [ip("10.96.0.7"), ip("fd00:a:60::7")];
    for name in ["web", "WEB.", "web.default", "web.default.svc", "web.default.svc.cluster.local"] {
        assert_eq!(client.endpoint.resolve(name).await.as_deref(), Ok(&own[..]), "{name}");
    }
    for name in ["web.shop.svc.cluster.local", "web.default.svc.cluster.local.more.cluster.local"] {
        let found = client.endpoint.resolve(name).await;
        assert_eq!(found, Err(NetworkError::NameNotFound), "{name}");
    }
    drop(held);

    let _headless =
        announce(folder.path(), &ServiceRecord { kind: ServiceKind::Headless, ..service() });
    client.record.subdomain = Some("web".into());
    client.set(Readiness::Ready);
    for name in ["web", "web-1.web", "web-1.web.default.svc.cluster.local"] {
        let found = client.endpoint.resolve(name).await;
        assert_eq!(found.as_deref(), Ok(&client.record.ips[..]), "{name}");
    }
    client.set(Readiness::NotReady);
    assert_eq!(client.endpoint.resolve("web").await, Err(NetworkError::NameNotFound));
}

#[tokio::test]
async fn a_service_may_stand_for_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let client = Pod::new(1, folder.path());
    let directory = Directory::new(folder.path().join("network"));
    let alias = |name: &str, target: &str| {
        let kind = ServiceKind::ExternalName(target.into());
        let record = ServiceRecord { name: name.into(), kind, ..service() };
        directory.publish_service(&record, name).unwrap()
    };
    let _web = announce(folder.path(), &service());
    let _others = [
        alias("site", "web.default.svc.cluster.local."),
        alias("again", "site"),
        alias("host", "host.wasmpod.internal"),
        alias("round", "about"),
        alias("about", "round"),
    ];
    let own = [ip("10.96.0.7"), ip("fd00:a:60::7")];
    for name in ["site", "again.default.svc"] {
        assert_eq!(client.endpoint.resolve(name).await.as_deref(), Ok(&own[..]), "{name}");
    }
    let host = client.network.config().host_ip;
    assert_eq!(client.endpoint.resolve("host").await.as_deref(), Ok(&[host][..]));
    assert_eq!(client.endpoint.resolve("round").await, Err(NetworkError::NameNotFound));
}

#[tokio::test]
async fn datagrams_to_a_pod_that_dies_go_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Pod::new(9, folder.path());
    client.set(Readiness::NotReady);
    let servers = [Pod::new(1, folder.path()), Pod::new(2, folder.path())];
    let _service = announce(folder.path(), &service());
    let mut left: Vec<_> = servers
        .into_iter()
        .map(|pod| {
            let socket = pod.endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
            socket.bind(at("0.0.0.0:5353")).unwrap();
            (pod, socket)
        })
        .collect();
    let question = client.endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    question.connect(at("10.96.0.7:53")).unwrap();
    question.send(Bytes::from_static(b"first"), None).unwrap();
    let taker = std::future::poll_fn(|cx| {
        let taker = left.iter().position(|(_, socket)| socket.poll_receive(cx).is_ready());
        taker.map_or(Poll::Pending, Poll::Ready)
    })
    .await;
    let (dead, _socket) = left.remove(taker);
    drop(dead._server);
    dead.held.die();
    question.send(Bytes::from_static(b"second"), None).unwrap();
    let received = std::future::poll_fn(|cx| left[0].1.poll_receive(cx)).await.unwrap();
    assert_eq!(received.bytes, "second");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stands_still_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let (client, server) = (Pod::new(9, folder.path()), Pod::new(1, folder.path()));
    // The kernel accepts for it, and nobody answers.
    let mut still = Pod::new(2, folder.path());
    still.record.socket = folder.path().join("still");
    let _accepts = std::os::unix::net::UnixListener::bind(&still.record.socket).unwrap();
    still.set(Readiness::Ready);
    let _service = announce(folder.path(), &service());
    let listener = server.endpoint.listen_any(8080).unwrap();
    for _ in 0..3 {
        let _call = client.connect("10.96.0.7:80").await.unwrap();
        listener.accept().await.unwrap();
    }
}

#[tokio::test]
async fn datagrams_stay_with_one_pod_and_answers_come_from_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let client = Pod::new(9, folder.path());
    let servers = [Pod::new(1, folder.path()), Pod::new(2, folder.path())];
    let _service = announce(folder.path(), &service());
    let sockets = servers.each_ref().map(|pod| {
        let socket = pod.endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
        socket.bind(at("0.0.0.0:5353")).unwrap();
        socket
    });
    // The client stands behind the Service too.
    let own = client.endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    own.bind(at("0.0.0.0:5353")).unwrap();

    let question = client.endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    question.connect(at("10.96.0.7:53")).unwrap();
    for _ in 0..3 {
        question.send(Bytes::from_static(b"who"), None).unwrap();
    }
    // All three came to one of them.
    let all = [&sockets[0], &sockets[1], &own];
    let (taker, first) = std::future::poll_fn(|cx| {
        let received = all.iter().find_map(|socket| match socket.poll_receive(cx) {
            Poll::Ready(received) => Some((*socket, received.unwrap())),
            Poll::Pending => None,
        });
        received.map_or(Poll::Pending, Poll::Ready)
    })
    .await;
    for _ in 0..2 {
        let next = std::future::poll_fn(|cx| taker.poll_receive(cx)).await.unwrap();
        assert_eq!(next, first);
    }
    taker.send(Bytes::from_static(b"me"), Some(first.from)).unwrap();
    let answer = std::future::poll_fn(|cx| question.poll_receive(cx)).await.unwrap();
    assert_eq!((&answer.bytes[..], answer.from), (&b"me"[..], at("10.96.0.7:53")));
}

#[tokio::test]
async fn a_node_port_hands_its_connections_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut servers = [Pod::new(1, folder.path()), Pod::new(2, folder.path())];
    let listeners = servers.each_ref().map(|pod| pod.endpoint.listen_any(8080).unwrap());
    let service = Arc::new(service());
    let directory = Arc::new(Directory::new(folder.path().join("network")));
    let taken = take_node_port(0).unwrap();
    // The kernel's choice for one family is not that for the other.
    let port = taken[0].local_addr().unwrap().port();
    let node_port = NodePort::new(Arc::clone(&service), service.ports[0].clone(), taken);
    let _port = ServedPort::serve(node_port, &directory, 0).unwrap();

    let mut clients = Vec::new();
    for _ in 0..2 {
        clients.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    for (listener, server) in listeners.iter().zip(&servers) {
        let mut accepted = listener.accept().await.unwrap();
        assert!(matches!(accepted.stream.carrier(), Stream::Tcp(_)), "the kernel's stream itself");
        assert!(!accepted.remote.ip().is_loopback(), "the host's users are not the Pod's");
        accepted.stream.write_all(server.record.name.as_bytes()).await.unwrap();
    }
    let mut answers = Vec::new();
    for client in &mut clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answers.push(answer);
    }
    answers.sort();
    assert_eq!(answers, ["web-1", "web-2"]);

    for server in &mut servers {
        server.set(Readiness::NotReady);
    }
    let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let error = client.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(servers[0].network.listener(at("10.244.0.1:8080")).is_some());
}
