//! Looking up names: those that are addresses already, and those that are none.

use wasip3::sockets::ip_name_lookup::{ErrorCode, resolve_addresses};
use wasip3::sockets::types::{IpAddress, IpAddressFamily};

use crate::{Kept, must, rules};

rules! {
    "names: localhost" => localhost,
    "names: addresses are their own" => addresses,
    "names: what is no name is refused" => no_names,
}

async fn localhost(_: IpAddressFamily) -> Kept {
    let found = resolve_addresses(String::from("localhost")).await;
    let loopback = |address: &IpAddress| match address {
        IpAddress::Ipv4(v4) => v4.0 == 127,
        IpAddress::Ipv6(v6) => *v6 == (0, 0, 0, 0, 0, 0, 0, 1),
    };
    must!(found.map(|found| !found.is_empty() && found.iter().all(loopback)), Ok(true));
    Ok(())
}

async fn addresses(family: IpAddressFamily) -> Kept {
    let known = match family {
        IpAddressFamily::Ipv4 => [
            ("0.0.0.0", IpAddress::Ipv4((0, 0, 0, 0))),
            ("127.0.0.1", IpAddress::Ipv4((127, 0, 0, 1))),
            ("192.0.2.7", IpAddress::Ipv4((192, 0, 2, 7))),
        ],
        IpAddressFamily::Ipv6 => [
            ("::", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 0))),
            ("[::1]", IpAddress::Ipv6((0, 0, 0, 0, 0, 0, 0, 1))),
            ("2001:DB8::7", IpAddress::Ipv6((0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
        ],
    };
    for (name, address) in known {
        let found = resolve_addresses(name.to_owned()).await;
        let first = found.as_ref().ok().and_then(|found| found.first());
        // The bindings give addresses no equality.
        if format!("{first:?}") != format!("{:?}", Some(address)) {
            return Err(format!("{name} is {found:?}, not {address:?}"));
        }
    }
    Ok(())
}

async fn no_names(_: IpAddressFamily) -> Kept {
    for name in ["", " ", "a<b>", "127.0.0.1:80", "[::1]:80", "http://example.org/"] {
        let found = resolve_addresses(name.to_owned()).await;
        if !matches!(found, Err(ErrorCode::InvalidArgument)) {
            return Err(format!("`{name}` gave {found:?}"));
        }
    }
    Ok(())
}
