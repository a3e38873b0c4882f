//! UDP: states, addresses, options and datagrams.

use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use wasip2::sockets::udp::{
    IncomingDatagram, IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket,
};

use crate::sockets::{
    bind_udp, bound_udp, foreign, loopback, mapped_loopback, network, other, port, same, udp,
    unspecified,
};
use crate::{Kept, Rule, must};

/// Nobody receives here.
const SOME_PORT: u16 = 47;

pub(crate) const RULES: &[Rule] = &[
    ("udp states: a new socket", new),
    ("udp states: a bound socket", bound),
    ("udp bind: addresses", bind_addresses),
    ("udp bind: an address in use", bind_in_use),
    ("udp connect: and disconnect, and again", reconnect),
    ("udp connect: a hundred times over", reconnect_often),
    ("udp connect: addresses", connect_addresses),
    ("udp options: ranges and what comes back", options),
    ("udp datagrams: each stays one, and says who sent it", datagrams),
    ("udp datagrams: an empty one is one", empty_datagram),
    ("udp datagrams: too large a one is refused", too_large),
    ("udp datagrams: where to is said exactly once", destinations),
    ("udp datagrams: a connected socket hears its peer only", only_the_peer),
    ("udp datagrams: a ready socket sends", ready_means_ready),
];

fn new(family: IpAddressFamily) -> Kept {
    let socket = udp(family)?;
    must!(socket.finish_bind(), Err(ErrorCode::NotInProgress));
    must!(socket.stream(None), Err(ErrorCode::InvalidState));
    must!(socket.stream(Some(loopback(family, SOME_PORT))), Err(ErrorCode::InvalidState));
    must!(socket.local_address(), Err(ErrorCode::InvalidState));
    must!(socket.remote_address(), Err(ErrorCode::InvalidState));
    options_work(&socket, family)
}

fn bound(family: IpAddressFamily) -> Kept {
    let (socket, _) = bound_udp(family)?;
    must!(socket.start_bind(&network(), loopback(family, 0)), Err(ErrorCode::InvalidState));
    must!(socket.finish_bind(), Err(ErrorCode::NotInProgress));
    must!(socket.remote_address(), Err(ErrorCode::InvalidState));
    options_work(&socket, family)
}

fn options_work(socket: &UdpSocket, family: IpAddressFamily) -> Kept {
    if socket.address_family() != family {
        return Err(format!("address_family gave {:?}", socket.address_family()));
    }
    must!(socket.unicast_hop_limit(), Ok(1..));
    must!(socket.set_unicast_hop_limit(255), Ok(()));
    must!(socket.receive_buffer_size(), Ok(1..));
    must!(socket.set_receive_buffer_size(16_000), Ok(()));
    must!(socket.send_buffer_size(), Ok(1..));
    must!(socket.set_send_buffer_size(16_000), Ok(()));
    Ok(())
}

fn bind_addresses(family: IpAddressFamily) -> Kept {
    let (_socket, address) = bound_udp(family)?;
    if port(address) == 0 {
        return Err(format!("bound to {address:?}"));
    }
    must!(bind_udp(&udp(family)?, unspecified(family, 0)), Ok(()));
    must!(bind_udp(&udp(family)?, foreign(family, 0)), Err(ErrorCode::AddressNotBindable));
    must!(bind_udp(&udp(family)?, loopback(other(family), 0)), Err(ErrorCode::InvalidArgument));
    if family == IpAddressFamily::Ipv6 {
        must!(bind_udp(&udp(family)?, mapped_loopback(0)), Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

fn bind_in_use(family: IpAddressFamily) -> Kept {
    let (first, address) = bound_udp(family)?;
    must!(bind_udp(&udp(family)?, address), Err(ErrorCode::AddressInUse));
    drop(first);
    must!(bind_udp(&udp(family)?, address), Ok(()));
    Ok(())
}

fn remote_is(socket: &UdpSocket, wanted: IpSocketAddress) -> Kept {
    match socket.remote_address() {
        Ok(remote) if same(remote, wanted) => Ok(()),
        answer => Err(format!("remote_address gave {answer:?}, not {wanted:?}")),
    }
}

fn reconnect(family: IpAddressFamily) -> Kept {
    let socket = udp(family)?;
    must!(bind_udp(&socket, unspecified(family, 0)), Ok(()));
    for number in [4321, 4321, 4320] {
        must!(socket.stream(Some(loopback(family, number))), Ok(_));
        remote_is(&socket, loopback(family, number))?;
        must!(socket.stream(None), Ok(_));
        must!(socket.remote_address(), Err(ErrorCode::InvalidState));
        must!(socket.local_address(), Ok(_));
    }
    Ok(())
}

fn reconnect_often(family: IpAddressFamily) -> Kept {
    let socket = udp(family)?;
    must!(bind_udp(&socket, unspecified(family, 0)), Ok(()));
    for _ in 0..100 {
        for remote in [None, Some(loopback(family, SOME_PORT))] {
            let (incoming, _outgoing) =
                socket.stream(remote).map_err(|error| format!("stream gave {error:?}"))?;
            let received = incoming.receive(1).map(|datagrams| datagrams.len());
            must!(received, Ok(0));
        }
    }
    Ok(())
}

fn connect_addresses(family: IpAddressFamily) -> Kept {
    let (socket, _) = bound_udp(family)?;
    let mut wrong = vec![
        unspecified(family, SOME_PORT),
        loopback(family, 0),
        loopback(other(family), SOME_PORT),
    ];
    if family == IpAddressFamily::Ipv6 {
        wrong.push(mapped_loopback(SOME_PORT));
    }
    for address in wrong {
        must!(socket.stream(Some(address)), Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

fn options(family: IpAddressFamily) -> Kept {
    let socket = udp(family)?;
    must!(socket.set_unicast_hop_limit(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_unicast_hop_limit(42), Ok(()));
    must!(socket.unicast_hop_limit(), Ok(42));
    must!(socket.set_receive_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_receive_buffer_size(u64::MAX), Ok(()));
    must!(socket.set_receive_buffer_size(0x1_0000), Ok(()));
    must!(socket.receive_buffer_size(), Ok(0x1_0000));
    must!(socket.set_send_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_send_buffer_size(u64::MAX), Ok(()));
    must!(socket.set_send_buffer_size(0x1_0000), Ok(()));
    must!(socket.send_buffer_size(), Ok(0x1_0000));
    Ok(())
}

/// A socket with its streams; the streams are its children and have to go first.
struct Talker {
    incoming: IncomingDatagramStream,
    outgoing: OutgoingDatagramStream,
    address: IpSocketAddress,
    _socket: UdpSocket,
}

fn talker(family: IpAddressFamily, remote: Option<IpSocketAddress>) -> Result<Talker, String> {
    let (socket, address) = bound_udp(family)?;
    let (incoming, outgoing) =
        socket.stream(remote).map_err(|error| format!("stream gave {error:?}"))?;
    Ok(Talker { incoming, outgoing, address, _socket: socket })
}

impl Talker {
    fn send(&self, data: &[u8], remote_address: Option<IpSocketAddress>) -> Result<u64, ErrorCode> {
        while self.outgoing.check_send()? == 0 {
            self.outgoing.subscribe().block();
        }
        self.outgoing.send(&[OutgoingDatagram { data: data.to_vec(), remote_address }])
    }

    fn receive(&self) -> Result<IncomingDatagram, String> {
        loop {
            let mut datagrams =
                self.incoming.receive(1).map_err(|error| format!("receive gave {error:?}"))?;
            match datagrams.pop() {
                Some(datagram) => return Ok(datagram),
                None => self.incoming.subscribe().block(),
            }
        }
    }
}

fn datagrams(family: IpAddressFamily) -> Kept {
    let (one, two) = (talker(family, None)?, talker(family, None)?);
    for data in [&b"first"[..], b"second", &[7; 1400]] {
        must!(one.send(data, Some(two.address)), Ok(1));
    }
    for data in [&b"first"[..], b"second", &[7; 1400]] {
        let datagram = two.receive()?;
        if datagram.data != data || !same(datagram.remote_address, one.address) {
            return Err(format!("sent {data:?} from {:?}, received {datagram:?}", one.address));
        }
    }
    Ok(())
}

fn empty_datagram(family: IpAddressFamily) -> Kept {
    let (one, two) = (talker(family, None)?, talker(family, None)?);
    must!(one.send(b"", Some(two.address)), Ok(1));
    let datagram = two.receive()?;
    if datagram.data.is_empty() { Ok(()) } else { Err(format!("received {datagram:?}")) }
}

fn too_large(family: IpAddressFamily) -> Kept {
    let (one, two) = (talker(family, None)?, talker(family, None)?);
    must!(one.send(&[7; 70_000], Some(two.address)), Err(ErrorCode::DatagramTooLarge));
    Ok(())
}

fn destinations(family: IpAddressFamily) -> Kept {
    let one = talker(family, None)?;
    must!(one.send(b"to whom?", None), Err(ErrorCode::InvalidArgument));
    let two = talker(family, Some(one.address))?;
    must!(two.send(b"to you", None), Ok(1));
    must!(two.send(b"to you", Some(one.address)), Ok(1));
    let another = loopback(family, SOME_PORT);
    must!(two.send(b"to another", Some(another)), Err(ErrorCode::InvalidArgument));
    Ok(())
}

fn only_the_peer(family: IpAddressFamily) -> Kept {
    let (peer, stranger) = (talker(family, None)?, talker(family, None)?);
    let connected = talker(family, Some(peer.address))?;
    must!(stranger.send(b"from a stranger", Some(connected.address)), Ok(1));
    must!(peer.send(b"from the peer", Some(connected.address)), Ok(1));
    let datagram = connected.receive()?;
    if datagram.data == b"from the peer" { Ok(()) } else { Err(format!("received {datagram:?}")) }
}

fn ready_means_ready(family: IpAddressFamily) -> Kept {
    let receiver = talker(family, None)?;
    for _ in 0..100 {
        let sender = talker(family, Some(receiver.address))?;
        sender.outgoing.subscribe().block();
        must!(sender.outgoing.check_send(), Ok(1..));
        let datagram = OutgoingDatagram { data: b"hello".to_vec(), remote_address: None };
        must!(sender.outgoing.send(&[datagram]), Ok(1));
    }
    Ok(())
}
