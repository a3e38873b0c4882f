//! UDP: states, addresses and datagrams.

use wasip3::sockets::types::{ErrorCode, IpAddressFamily};

use crate::sockets::{
    bound_udp, foreign, loopback, mapped_loopback, other, port, same, udp, unspecified,
};
use crate::{Kept, must, rules};

/// Nobody receives here.
const SOME_PORT: u16 = 47;

rules! {
    "udp states: a new socket" => new,
    "udp states: connect, disconnect and again" => reconnect,
    "udp bind: addresses" => bind_addresses,
    "udp connect: addresses" => connect_addresses,
    "udp datagrams: each stays one, and says who sent it" => datagrams,
    "udp datagrams: too large a one is refused" => too_large,
    "udp datagrams: where to is said exactly once" => destinations,
    "udp datagrams: a socket that sends is bound by it" => bound_by_sending,
    "udp datagrams: a connected socket hears its peer only" => only_the_peer,
}

async fn new(family: IpAddressFamily) -> Kept {
    let socket = udp(family)?;
    must!(socket.get_local_address(), Err(ErrorCode::InvalidState));
    must!(socket.get_remote_address(), Err(ErrorCode::InvalidState));
    must!(socket.disconnect(), Err(ErrorCode::InvalidState));
    must!(socket.receive().await.map(drop), Err(ErrorCode::InvalidState));
    Ok(())
}

async fn reconnect(family: IpAddressFamily) -> Kept {
    let (socket, _) = bound_udp(family)?;
    must!(socket.bind(loopback(family, 0)), Err(ErrorCode::InvalidState));
    must!(socket.disconnect(), Err(ErrorCode::InvalidState));
    for number in [4321, 4320] {
        must!(socket.connect(loopback(family, number)), Ok(()));
        match socket.get_remote_address() {
            Ok(remote) if same(remote, loopback(family, number)) => {}
            answer => return Err(format!("connected to {number}: {answer:?}")),
        }
        must!(socket.disconnect(), Ok(()));
        must!(socket.get_remote_address(), Err(ErrorCode::InvalidState));
        must!(socket.get_local_address(), Ok(_));
    }
    Ok(())
}

async fn bind_addresses(family: IpAddressFamily) -> Kept {
    let (first, address) = bound_udp(family)?;
    must!(port(address), 1..);
    must!(udp(family)?.bind(address), Err(ErrorCode::AddressInUse));
    drop(first);
    must!(udp(family)?.bind(address), Ok(()));
    must!(udp(family)?.bind(unspecified(family, 0)), Ok(()));
    must!(udp(family)?.bind(foreign(family, 0)), Err(ErrorCode::AddressNotBindable));
    must!(udp(family)?.bind(loopback(other(family), 0)), Err(ErrorCode::InvalidArgument));
    if family == IpAddressFamily::Ipv6 {
        must!(udp(family)?.bind(mapped_loopback(0)), Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

async fn connect_addresses(family: IpAddressFamily) -> Kept {
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
        must!(socket.connect(address), Err(ErrorCode::InvalidArgument));
        must!(socket.send(b"x".to_vec(), Some(address)).await, Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

async fn datagrams(family: IpAddressFamily) -> Kept {
    let ((one, from), (two, to)) = (bound_udp(family)?, bound_udp(family)?);
    let sent = [b"first".to_vec(), b"second".to_vec(), Vec::new(), vec![7; 1400]];
    for data in &sent {
        must!(one.send(data.clone(), Some(to)).await, Ok(()));
    }
    for data in &sent {
        match two.receive().await {
            Ok((received, peer)) if received == *data && same(peer, from) => {}
            answer => return Err(format!("sent {data:?} from {from:?}, received {answer:?}")),
        }
    }
    Ok(())
}

async fn too_large(family: IpAddressFamily) -> Kept {
    let ((one, _), (_two, to)) = (bound_udp(family)?, bound_udp(family)?);
    must!(one.send(vec![7; 70_000], Some(to)).await, Err(ErrorCode::DatagramTooLarge));
    Ok(())
}

async fn destinations(family: IpAddressFamily) -> Kept {
    let ((one, address), (two, _)) = (bound_udp(family)?, bound_udp(family)?);
    must!(one.send(b"to whom?".to_vec(), None).await, Err(ErrorCode::InvalidArgument));
    must!(two.connect(address), Ok(()));
    must!(two.send(b"to you".to_vec(), None).await, Ok(()));
    must!(two.send(b"to you".to_vec(), Some(address)).await, Ok(()));
    let another = loopback(family, SOME_PORT);
    let sent = two.send(b"to another".to_vec(), Some(another)).await;
    must!(sent, Err(ErrorCode::InvalidArgument));
    Ok(())
}

async fn bound_by_sending(family: IpAddressFamily) -> Kept {
    let (receiver, address) = bound_udp(family)?;
    let sender = udp(family)?;
    must!(sender.send(b"hello".to_vec(), Some(address)).await, Ok(()));
    must!(sender.get_local_address().map(port), Ok(1..));
    must!(receiver.receive().await.map(|(data, _)| data == b"hello"), Ok(true));
    Ok(())
}

async fn only_the_peer(family: IpAddressFamily) -> Kept {
    let ((peer, address), (stranger, _)) = (bound_udp(family)?, bound_udp(family)?);
    let (connected, here) = bound_udp(family)?;
    must!(connected.connect(address), Ok(()));
    must!(stranger.send(b"from a stranger".to_vec(), Some(here)).await, Ok(()));
    must!(peer.send(b"from the peer".to_vec(), Some(here)).await, Ok(()));
    must!(connected.receive().await.map(|(data, _)| data == b"from the peer"), Ok(true));
    Ok(())
}
