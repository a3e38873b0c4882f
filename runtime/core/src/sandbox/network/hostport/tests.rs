use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::*;
use crate::sandbox::network::{Accepted, AddressFamily, Network, NetworkConfig, Stream};

fn network() -> Arc<Network> {
    let ips = ["10.88.0.2", "fd00:88::2"].map(|ip| ip.parse().unwrap());
    Network::new(NetworkConfig::new("web", ips.into()))
}

fn publish(transport: HostPortTransport, pod_port: u16) -> HostPort {
    HostPort { transport, host_ip: None, host_port: 0, pod_port }
}

#[tokio::test]
async fn a_published_port_leads_into_the_pod() {
    let network = network();
    let endpoint = network.endpoint();
    let listener = endpoint.listen_any(80).unwrap();
    let ports = HostPorts::open(&network, &[publish(HostPortTransport::Tcp, 80)]).unwrap();
    let addresses: Vec<SocketAddr> = ports.addresses().iter().map(|(_, at)| *at).collect();
    assert_eq!(addresses.len(), 2, "both families");
    assert_eq!(addresses[0].port(), addresses[1].port());

    for ip in ["127.0.0.1", "::1"] {
        let at = SocketAddr::new(ip.parse().unwrap(), addresses[0].port());
        let mut client = TcpStream::connect(at).await.unwrap();
        let Accepted { mut stream, local, remote, membership: _member } =
            listener.accept().await.unwrap();
        assert!(matches!(stream.carrier(), Stream::Tcp(_)), "the kernel's stream itself");
        assert_eq!(local.is_ipv4(), at.is_ipv4());
        assert_eq!(local.ip(), network.config().ip(AddressFamily::of(at.ip())).unwrap());
        assert!(!remote.ip().is_loopback(), "the host's users are not the Pod's: {remote}");
        assert_eq!(remote.is_ipv4(), at.is_ipv4());
        client.write_all(b"hello").await.unwrap();
        let mut buffer = [0; 5];
        stream.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"hello");
        stream.write_all(b"hi").await.unwrap();
        drop((stream, _member));
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "hi");
    }

    // Nobody listens any more: a reset, and the port is still ours.
    drop(listener);
    let at = SocketAddr::new("127.0.0.1".parse().unwrap(), addresses[0].port());
    let mut client = TcpStream::connect(at).await.unwrap();
    let error = client.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let network = network();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let wanted = HostPort {
        transport: HostPortTransport::Tcp,
        host_ip: Some("127.0.0.1".parse().unwrap()),
        host_port: port,
        pod_port: 80,
    };
    let error = HostPorts::open(&network, &[wanted]).map(|_| ()).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    assert_eq!(
        error.to_string(),
        format!("cannot listen on host port 127.0.0.1:{port} (TCP) for port 80 of the Pod")
    );
    drop(taken);
    let ports = HostPorts::open(&network, &[wanted]).unwrap();
    drop(ports);
    // Closed with the Pod: the task is gone once the runtime has seen the abort.
    let again = async {
        loop {
            match HostPorts::open(&network, &[wanted]) {
                Ok(ports) => break ports,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again).await.unwrap();
}

#[tokio::test]
async fn datagrams_come_in_and_answers_find_back() {
    let network = network();
    let endpoint = network.endpoint();
    let guest = endpoint.udp_socket(AddressFamily::Ipv4).unwrap();
    guest.bind("0.0.0.0:53".parse().unwrap()).unwrap();
    let ports = HostPorts::open(&network, &[publish(HostPortTransport::Udp, 53)]).unwrap();
    let port = ports.addresses()[0].1.port();

    // A client of IPv6 reaches a guest that speaks IPv4 only.
    for ip in ["127.0.0.1", "::1"] {
        let any: IpAddr =
            if ip == "::1" { "::".parse().unwrap() } else { "0.0.0.0".parse().unwrap() };
        let client = UdpSocket::bind((any, 0)).await.unwrap();
        client.connect((ip, port)).await.unwrap();
        client.send(b"question").await.unwrap();
        let datagram = std::future::poll_fn(|cx| guest.poll_receive(cx)).await.unwrap();
        assert_eq!(datagram.bytes, "question");
        assert!(datagram.from.is_ipv4() && !datagram.from.ip().is_loopback());
        guest.send(Bytes::from_static(b"answer"), Some(datagram.from)).unwrap();
        let mut buffer = [0; 100];
        let count = client.recv(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..count], b"answer");
    }
}
