//! Which addresses TCP takes to bind and to connect to.

use wasip2::sockets::network::{ErrorCode, IpAddressFamily};

use crate::sockets::{
    accept, bind, connect, connected, foreign, listen, listener, loopback, mapped_loopback,
    multicast, other, port, same, tcp, unspecified,
};
use crate::{Kept, Rule, must};

/// Nobody listens here.
const SOME_PORT: u16 = 47;

pub(crate) const RULES: &[Rule] = &[
    ("tcp bind: port 0 is any free one", bind_chooses_a_port),
    ("tcp bind: a port that is named", bind_takes_the_port),
    ("tcp bind: an address in use", bind_in_use),
    ("tcp bind: an address that one listened on a moment ago", bind_again),
    ("tcp bind: an address of nobody here", bind_foreign),
    ("tcp bind: an address of the other family", bind_other_family),
    ("tcp bind: an address of many", bind_multicast),
    ("tcp connect: the unspecified address", connect_unspecified),
    ("tcp connect: port 0", connect_port_0),
    ("tcp connect: an address of the other family", connect_other_family),
    ("tcp connect: an address of many", connect_multicast),
    ("tcp connect: IPv4 in IPv6's clothes", connect_mapped),
    ("tcp connect: from an address of one's own choice", connect_bound),
    ("tcp connect: both ends know both addresses", connect_addresses),
    ("tcp connect: a listener on every address", connect_to_unspecified_listener),
];

fn bind_chooses_a_port(family: IpAddressFamily) -> Kept {
    for address in [loopback(family, 0), unspecified(family, 0)] {
        let socket = tcp(family)?;
        must!(bind(&socket, address), Ok(()));
        let Ok(bound) = socket.local_address() else { return Err("no local address".into()) };
        if port(bound) == 0 {
            return Err(format!("bound to {bound:?}"));
        }
    }
    Ok(())
}

fn bind_takes_the_port(family: IpAddressFamily) -> Kept {
    let (first, address) = listener(family)?;
    drop(first);
    let socket = tcp(family)?;
    must!(bind(&socket, address), Ok(()));
    match socket.local_address() {
        Ok(bound) if same(bound, address) => Ok(()),
        answer => Err(format!("asked for {address:?}, bound to {answer:?}")),
    }
}

fn bind_in_use(family: IpAddressFamily) -> Kept {
    let (_listener, address) = listener(family)?;
    let second = tcp(family)?;
    must!(bind(&second, address), Err(ErrorCode::AddressInUse));
    Ok(())
}

/// A connection that lingers in TIME_WAIT is no reason to refuse the port.
fn bind_again(family: IpAddressFamily) -> Kept {
    let (first, address) = listener(family)?;
    let client = tcp(family)?;
    let _streams = connected(&client, address)?;
    let (socket, input, output) =
        accept(&first).map_err(|error| format!("nothing to accept: {error:?}"))?;
    must!(output.blocking_write_and_flush(b"ten bytes."), Ok(()));
    drop((input, output));
    drop((socket, first));
    let second = tcp(family)?;
    must!(bind(&second, address), Ok(()));
    must!(listen(&second), Ok(()));
    Ok(())
}

fn bind_foreign(family: IpAddressFamily) -> Kept {
    must!(bind(&tcp(family)?, foreign(family, 0)), Err(ErrorCode::AddressNotBindable));
    Ok(())
}

fn bind_other_family(family: IpAddressFamily) -> Kept {
    must!(bind(&tcp(family)?, loopback(other(family), 0)), Err(ErrorCode::InvalidArgument));
    if family == IpAddressFamily::Ipv6 {
        must!(bind(&tcp(family)?, mapped_loopback(0)), Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

fn bind_multicast(family: IpAddressFamily) -> Kept {
    must!(bind(&tcp(family)?, multicast(family, 0)), Err(ErrorCode::InvalidArgument));
    Ok(())
}

fn connect_unspecified(family: IpAddressFamily) -> Kept {
    let address = unspecified(family, SOME_PORT);
    must!(connect(&tcp(family)?, address), Err(ErrorCode::InvalidArgument));
    Ok(())
}

fn connect_port_0(family: IpAddressFamily) -> Kept {
    must!(connect(&tcp(family)?, loopback(family, 0)), Err(ErrorCode::InvalidArgument));
    Ok(())
}

fn connect_other_family(family: IpAddressFamily) -> Kept {
    let address = loopback(other(family), SOME_PORT);
    must!(connect(&tcp(family)?, address), Err(ErrorCode::InvalidArgument));
    Ok(())
}

fn connect_multicast(family: IpAddressFamily) -> Kept {
    let address = multicast(family, SOME_PORT);
    must!(connect(&tcp(family)?, address), Err(ErrorCode::InvalidArgument));
    Ok(())
}

fn connect_mapped(family: IpAddressFamily) -> Kept {
    let (_listener, address) = listener(IpAddressFamily::Ipv4)?;
    if family == IpAddressFamily::Ipv6 {
        let client = tcp(family)?;
        let mapped = mapped_loopback(port(address));
        must!(connect(&client, mapped), Err(ErrorCode::InvalidArgument));
    }
    Ok(())
}

fn connect_bound(family: IpAddressFamily) -> Kept {
    let (_listener, address) = listener(family)?;
    let client = tcp(family)?;
    must!(bind(&client, loopback(family, 0)), Ok(()));
    let chosen = client.local_address();
    let _streams = connected(&client, address)?;
    match (chosen, client.local_address()) {
        (Ok(before), Ok(after)) if same(before, after) => Ok(()),
        answers => Err(format!("local address before and after: {answers:?}")),
    }
}

fn connect_addresses(family: IpAddressFamily) -> Kept {
    let (client, server) = crate::sockets::pair(family)?;
    let ends = (
        (client.socket.local_address(), client.socket.remote_address()),
        (server.socket.local_address(), server.socket.remote_address()),
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

fn connect_to_unspecified_listener(family: IpAddressFamily) -> Kept {
    let listener = tcp(family)?;
    must!(bind(&listener, unspecified(family, 0)), Ok(()));
    must!(listen(&listener), Ok(()));
    let Ok(bound) = listener.local_address() else { return Err("no local address".into()) };
    let client = tcp(family)?;
    let _streams = connected(&client, loopback(family, port(bound)))?;
    let (accepted, _input, _output) =
        accept(&listener).map_err(|error| format!("nothing to accept: {error:?}"))?;
    match accepted.local_address() {
        Ok(address) if same(address, loopback(family, port(bound))) => Ok(()),
        answer => Err(format!("the accepted end is at {answer:?}")),
    }
}
