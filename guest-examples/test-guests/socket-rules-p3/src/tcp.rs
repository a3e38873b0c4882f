//! Which call a TCP socket takes in which state, and which addresses.

use wasip3::sockets::types::{ErrorCode, IpAddressFamily, TcpSocket};

use crate::sockets::{
    foreign, listener, loopback, mapped_loopback, meet, multicast, other, pair, port, same, tcp,
    unspecified,
};
use crate::{Kept, must, rules};

/// Nobody listens here.
const SOME_PORT: u16 = 47;

rules! {
    "tcp states: a new socket" => new,
    "tcp states: a bound socket" => bound,
    "tcp states: a listening socket" => listening,
    "tcp states: a connected socket" => connected,
    "tcp states: a refused connection" => refused,
    "tcp bind: addresses" => bind_addresses,
    "tcp bind: an address in use" => bind_in_use,
    "tcp connect: addresses" => connect_addresses,
    "tcp connect: from an address of one's own choice" => connect_bound,
    "tcp connect: both ends know both addresses" => both_addresses,
    "tcp accept: ten connections, each its own" => ten_connections,
}

fn no_peer(socket: &TcpSocket) -> Kept {
    must!(socket.get_remote_address(), Err(ErrorCode::InvalidState));
    must!(socket.get_is_listening(), false);
    Ok(())
}

async fn new(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    must!(socket.get_local_address(), Err(ErrorCode::InvalidState));
    no_peer(&socket)?;
    // Neither direction can be begun before there is a connection.
    let (_input, received) = socket.receive();
    must!(received.await, Err(ErrorCode::InvalidState));
    Ok(())
}

async fn bound(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    must!(socket.bind(loopback(family, 0)), Ok(()));
    must!(socket.bind(loopback(family, 0)), Err(ErrorCode::InvalidState));
    must!(socket.get_local_address(), Ok(_));
    no_peer(&socket)
}

async fn listening(family: IpAddressFamily) -> Kept {
    let listener = listener(family)?;
    let socket = &listener.socket;
    must!(socket.bind(loopback(family, 0)), Err(ErrorCode::InvalidState));
    must!(socket.connect(listener.address).await, Err(ErrorCode::InvalidState));
    must!(socket.listen().map(drop), Err(ErrorCode::InvalidState));
    must!(socket.get_local_address(), Ok(_));
    must!(socket.get_remote_address(), Err(ErrorCode::InvalidState));
    must!(socket.get_is_listening(), true);
    Ok(())
}

async fn connected(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family).await?;
    for socket in [&client.socket, &server.socket] {
        must!(socket.bind(loopback(family, 0)), Err(ErrorCode::InvalidState));
        must!(socket.connect(loopback(family, 9)).await, Err(ErrorCode::InvalidState));
        must!(socket.listen().map(drop), Err(ErrorCode::InvalidState));
        must!(socket.get_local_address(), Ok(_));
        must!(socket.get_remote_address(), Ok(_));
        must!(socket.get_is_listening(), false);
    }
    Ok(())
}

async fn refused(family: IpAddressFamily) -> Kept {
    let gone = listener(family)?;
    let address = gone.address;
    drop(gone);
    let socket = tcp(family)?;
    must!(socket.connect(address).await, Err(ErrorCode::ConnectionRefused));
    must!(socket.connect(address).await, Err(ErrorCode::InvalidState));
    Ok(())
}

async fn bind_addresses(family: IpAddressFamily) -> Kept {
    for address in [loopback(family, 0), unspecified(family, 0)] {
        let socket = tcp(family)?;
        must!(socket.bind(address), Ok(()));
        must!(socket.get_local_address().map(port), Ok(1..));
    }
    must!(tcp(family)?.bind(foreign(family, 0)), Err(ErrorCode::AddressNotBindable));
    must!(tcp(family)?.bind(loopback(other(family), 0)), Err(ErrorCode::InvalidArgument));
    must!(tcp(family)?.bind(multicast(family, 0)), Err(ErrorCode::InvalidArgument));
    if family == IpAddressFamily::Ipv6 {
        must!(tcp(family)?.bind(mapped_loopback(0)), Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

async fn bind_in_use(family: IpAddressFamily) -> Kept {
    let listener = listener(family)?;
    must!(tcp(family)?.bind(listener.address), Err(ErrorCode::AddressInUse));
    let address = listener.address;
    drop(listener);
    must!(tcp(family)?.bind(address), Ok(()));
    Ok(())
}

async fn connect_addresses(family: IpAddressFamily) -> Kept {
    let mut wrong = vec![
        unspecified(family, SOME_PORT),
        loopback(family, 0),
        loopback(other(family), SOME_PORT),
        multicast(family, SOME_PORT),
    ];
    let listener = listener(IpAddressFamily::Ipv4)?;
    if family == IpAddressFamily::Ipv6 {
        wrong.push(mapped_loopback(port(listener.address)));
    }
    for address in wrong {
        must!(tcp(family)?.connect(address).await, Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

async fn connect_bound(family: IpAddressFamily) -> Kept {
    let mut listener = listener(family)?;
    let client = tcp(family)?;
    must!(client.bind(loopback(family, 0)), Ok(()));
    let chosen = client.get_local_address();
    meet(&client, &mut listener).await?;
    match (chosen, client.get_local_address()) {
        (Ok(before), Ok(after)) if same(before, after) => Ok(()),
        answers => Err(format!("local address before and after: {answers:?}")),
    }
}

async fn both_addresses(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family).await?;
    let ends = (
        (client.socket.get_local_address(), client.socket.get_remote_address()),
        (server.socket.get_local_address(), server.socket.get_remote_address()),
    );
    match ends {
        ((Ok(here), Ok(there)), (Ok(there_too), Ok(here_too)))
            if same(here, here_too) && same(there, there_too) =>
        {
            Ok(())
        }
        other => Err(format!("(local, remote) of client and server: {other:?}")),
    }
}

async fn ten_connections(family: IpAddressFamily) -> Kept {
    let mut listener = listener(family)?;
    let mut ends = Vec::new();
    for _ in 0..10 {
        let client = tcp(family)?;
        let server = meet(&client, &mut listener).await?;
        ends.push((client, server));
    }
    for (client, server) in &ends {
        match (client.get_local_address(), server.get_remote_address()) {
            (Ok(here), Ok(here_too)) if same(here, here_too) => {}
            other => return Err(format!("client and server disagree: {other:?}")),
        }
    }
    Ok(())
}
