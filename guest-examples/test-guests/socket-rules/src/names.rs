//! Looking up names: those that are addresses already, and those that are none.

use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddress};

use crate::sockets::network;
use crate::{Kept, OnlyRule};

pub(crate) const RULES: &[OnlyRule] = &[
    ("names: localhost", localhost),
    ("names: addresses are their own", addresses),
    ("names: what is no name is refused", no_names),
];

fn resolve(name: &str) -> Result<Vec<IpAddress>, ErrorCode> {
    let stream = resolve_addresses(&network(), name)?;
    let mut found = Vec::new();
    loop {
        match stream.resolve_next_address() {
            Ok(Some(address)) => found.push(address),
            Ok(None) => return Ok(found),
            Err(ErrorCode::WouldBlock) => stream.subscribe().block(),
            Err(error) => return Err(error),
        }
    }
}

fn localhost() -> Kept {
    let found = resolve("localhost").map_err(|error| format!("{error:?}"))?;
    let loopbacks = found.iter().filter(|address| match address {
        IpAddress::Ipv4(v4) => v4.0 == 127,
        IpAddress::Ipv6(v6) => *v6 == (0, 0, 0, 0, 0, 0, 0, 1),
    });
    if !found.is_empty() && loopbacks.count() == found.len() {
        Ok(())
    } else {
        Err(format!("localhost is {found:?}"))
    }
}

fn addresses() -> Kept {
    let known = [
        ("0.0.0.0", IpAddress::Ipv4((0, 0, 0, 0))),
        ("127.0.0.1", IpAddress::Ipv4((127, 0, 0, 1))),
        ("192.0.2.7", IpAddress::Ipv4((192, 0, 2, 7))),
        ("::", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 0))),
        ("::1", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1))),
        ("[::1]", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1))),
        ("2001:0db8:0:0:0:0:0:7", IpAddress::Ipv6((0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
        ("2001:DB8::7", IpAddress::Ipv6((0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
    ];
    for (name, address) in known {
        let found = resolve(name);
        let first = found.as_ref().ok().and_then(|found| found.first());
        // The bindings give addresses no equality.
        if format!("{first:?}") != format!("{:?}", Some(address)) {
            return Err(format!("{name} is {found:?}, not {address:?}"));
        }
    }
    Ok(())
}

fn no_names() -> Kept {
    for name in ["", " ", "a<b>", "127.0.0.1:80", "[::1]:80", "http://example.org/"] {
        let found = resolve(name);
        if !matches!(found, Err(ErrorCode::InvalidArgument)) {
            return Err(format!("`{name}` gave {found:?}"));
        }
    }
    Ok(())
}
